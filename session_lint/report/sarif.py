"""The report for code scanning, viewers and editors: SARIF 2.1.0, with the way to each fault and its fix.

GitHub takes 25,000 results and 10 MB (gzipped) at most and shows the 5,000 that matter most; of what stands here it
ignores the fixes, and it makes its own fingerprint of the line beside ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import session_lint
from session_lint.fingerprint import fingerprint
from session_lint.report.json import entry
from session_lint.report.place import in_file, told, top, uri, within
from session_lint.report.plain import as_json
from session_lint.report.sarif_rules import LEVELS, SITE, descriptors
from session_lint.rules import catalogue
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding, Location, Step
    from session_lint.report.run import Run

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_BASE = "%SRCROOT%"
_UNANALYSED = "SES900"


def report(run: Run) -> str:
    """All findings as a SARIF log of one run."""
    return as_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [_Log(run, top()).run()]})


class _Log:
    """A run as SARIF has it.

    :param root: the folder that the URIs of files are counted from.
    """

    def __init__(self, run: Run, root: Path) -> None:
        self._found = run
        self._root = root
        self._indices = {code: index for index, code in enumerate(catalogue())}

    def run(self) -> dict[str, Any]:
        version = session_lint.__version__
        driver = {"name": "session-lint", "version": version, "semanticVersion": version, "informationUri": SITE}
        base = {"uri": f"{self._root.as_uri().rstrip('/')}/", "description": {"text": "The top of the repository"}}
        return {
            "tool": {"driver": {**driver, "rules": descriptors()}},
            "automationDetails": {"id": "session-lint/"},
            "invocations": [self._invocation()],
            "originalUriBaseIds": {_BASE: base},
            "columnKind": "unicodeCodePoints",
            "newlineSequences": ["\r\n", "\n", "\r"],
            "results": [self._result(finding) for finding in self._found.findings],
        }

    def _invocation(self) -> dict[str, Any]:
        """What happened; a file that was not analysed is among the findings, too, where people look."""
        failed = [finding for finding in self._found.findings if finding.code == _UNANALYSED]
        notes = [
            {
                "level": "error",
                "message": {"text": told(finding)},
                "locations": [self._location(finding)],
                "associatedRule": {"id": finding.code, "index": self._indices[finding.code]},
            }
            for finding in failed
        ]
        return {"executionSuccessful": True, "toolExecutionNotifications": notes}

    def _result(self, finding: Finding) -> dict[str, Any]:
        result: dict[str, Any] = {
            "ruleId": finding.code,
            "ruleIndex": self._indices[finding.code],
            "level": LEVELS[finding.severity],
            "message": {"text": told(finding)},
            "locations": [self._location(finding)],
            "partialFingerprints": {"sessionLint/v1": fingerprint(finding, self._found.source(finding.filename))},
        }
        if finding.trace:
            flow = [self._flow_location(order, step) for order, step in enumerate(finding.trace, 1)]
            result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
            result["relatedLocations"] = [{"id": i, **self._step(step)} for i, step in enumerate(finding.trace, 1)]
        fixes = self._fixes(finding)
        return {**result, "fixes": fixes} if fixes else result

    def _location(self, finding: Finding) -> dict[str, Any]:
        region = _region(in_file(finding.location), in_file(finding.end_location))
        place = {"physicalLocation": {"artifactLocation": self._artifact(finding.filename), "region": region}}
        return {**place, "logicalLocations": [{"fullyQualifiedName": finding.symbol}]} if finding.symbol else place

    def _flow_location(self, order: int, step: Step) -> dict[str, Any]:
        return {"location": self._step(step), "executionOrder": order, "importance": "essential"}

    def _step(self, step: Step) -> dict[str, Any]:
        start = in_file(step.location)
        region = {"startLine": start.row, "startColumn": start.column}
        place = {"artifactLocation": self._artifact(step.filename), "region": region}
        return {"physicalLocation": place, "message": {"text": told(step)}}

    def _artifact(self, filename: str) -> dict[str, str]:
        where = uri(filename, self._root)
        return {"uri": where} if within(filename, self._root) is None else {"uri": where, "uriBaseId": _BASE}

    def _fixes(self, finding: Finding) -> list[dict[str, Any]]:
        source = self._found.source(finding.filename)
        fix = entry(finding, self._found.source)["fix"]
        if fix is None or source is None:
            return []
        trust = f"unsafe: {fix['reason']}" if fix["reason"] else fix["applicability"]
        lines = physical_lines(source.text)
        change = {
            "artifactLocation": self._artifact(finding.filename),
            "replacements": [_replacement(edit, lines) for edit in fix["edits"]],
        }
        return [{"description": {"text": f"{fix['message']} ({trust})"}, "artifactChanges": [change]}]


def _region(start: Location, end: Location) -> dict[str, int]:
    """A part of a text; where nothing is known but its beginning, it goes to the end of the line."""
    region = {"startLine": start.row, "startColumn": start.column}
    return {**region, "endLine": end.row, "endColumn": end.column} if end > start else region


def _replacement(edit: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    start, end = edit["location"], edit["end_location"]
    row, column = end["row"], end["column"]
    if row > len(lines) and lines and not lines[-1].endswith(("\n", "\r")):  # the last line has no end to go beyond
        row, column = len(lines), len(lines[-1]) + 1
    deleted = {"startLine": start["row"], "startColumn": start["column"], "endLine": row, "endColumn": column}
    return {"deletedRegion": deleted, "insertedContent": {"text": edit["content"]}}
