"""The report for servers that read tests: JUnit's XML, a test case that fails for each finding.

A case is known by its class and its name; so the name holds the finding's mark, and no line.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from session_lint.report.concise import spot
from session_lint.report.numbered import numbered
from session_lint.report.place import in_file, path, told, top
from session_lint.report.way import steps

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.report.run import Run

_UNANALYSED = "SES900"
_UNSAYABLE = re.compile("[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot hold, and carriage returns, which it reads as line feeds."""


def report(run: Run) -> str:
    """All findings as failures; a file that was not analysed is an error; one case that passes where nothing was found.

    Without a case some servers would take the report for one that is missing.
    """
    root = top()
    errors = sum(finding.code == _UNANALYSED for finding in run.findings)
    totals = {
        "tests": str(len(run.findings) or 1),
        "failures": str(len(run.findings) - errors),
        "errors": str(errors),
        "skipped": "0",
    }
    suites = ET.Element("testsuites", {"name": "session-lint", **totals})
    suite = ET.SubElement(suites, "testsuite", {"name": "session-lint", **totals})
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", {"name": "files", "value": str(run.checked)})
    for finding, mark in zip(run.findings, numbered(run), strict=True):
        suite.append(_case(finding, mark, root))
    if not run.findings:
        ET.SubElement(suite, "testcase", {"classname": "session-lint", "name": "no findings"})
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites).decode()}\n'


def _case(finding: Finding, mark: str, root: Path) -> ET.Element:
    where = _said(path(finding.filename, root))
    name = f"{finding.code} {finding.name} {finding.symbol or '<module>'} {mark}"
    case = ET.Element(
        "testcase", {"classname": where, "name": _said(name), "file": where, "line": str(in_file(finding.location).row)}
    )
    kind = "error" if finding.code == _UNANALYSED else "failure"
    problem = ET.SubElement(case, kind, {"type": finding.code, "message": _said(told(finding))})
    problem.text = _said("\n".join(_lines(finding, root)))
    return case


def _lines(finding: Finding, root: Path) -> list[str]:
    place = f"{path(finding.filename, root)}:{spot(finding.location)}"
    way = steps(finding, lambda name: path(name, root))
    return [f"{place}: {finding.severity.value}: {finding.message}", *way, *filter(None, [finding.url])]


def _said(text: str) -> str:
    return _UNSAYABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)
