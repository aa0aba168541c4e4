"""Places in notebooks, whose rows count in cells: in reports that know only lines of files, too."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from session_lint.finding import Finding, Location, Severity, Step
from session_lint.report import render
from session_lint.report.run import Run
from session_lint.source import Cell, Source
from tests.report.readers import command

NAME = "work.ipynb"
WORK = Source(NAME, "import a\nx = 1\nsession = S()\nsession.get(1)\n", cells=(Cell(2, 1, 1), Cell(4, 2, 4)))
FOUND = Finding(
    "SES101",
    "session-not-closed",
    "session 'session' is still open",
    NAME,
    Location(2, 11, 4),
    Location(2, 14, 4),
    "",
    Severity.ERROR,
    (Step(NAME, Location(2, 11, 4), "opened here"), Step("job.py", Location(7, 5), "leaves here")),
)
TOLD = "cell 4, line 2: session 'session' is still open"


def written(form: str) -> str:
    """A report in a format of one finding in a notebook."""
    return render(form, Run([FOUND], 1, lambda name: WORK if name == NAME else None))


def test_github() -> None:
    _, properties, data = command(written("github").removesuffix("\n"))
    assert [TOLD, "1. service/work.ipynb:cell 4:2 opened here", "2. service/job.py:7 leaves here"] == data.split("\n")
    assert ("1", "1") == (properties["line"], properties["endLine"])


def test_gitlab() -> None:
    (issue,) = json.loads(written("gitlab"))
    assert (f"SES101 {TOLD}", {"begin": 1, "end": 1}) == (issue["description"], issue["location"]["lines"])


def test_junit() -> None:
    (case,) = ET.fromstring(written("junit")).iter("testcase")  # noqa: S314  # our own
    assert ("1", TOLD) == (case.attrib["line"], case[0].attrib["message"])
    assert (case[0].text or "").startswith("service/work.ipynb:cell 4:2:11: error: ")


def test_rdjson() -> None:
    (found,) = json.loads(written("rdjson"))["diagnostics"]
    assert (TOLD, {"start": {"line": 1, "column": 1}}) == (
        found["message"].split("\n")[0],
        found["location"]["range"],
    )


def test_sarif() -> None:
    (result,) = json.loads(written("sarif"))["runs"][0]["results"]
    (place,) = result["locations"]
    steps = [
        (step["physicalLocation"]["region"]["startLine"], step["message"]["text"])
        for step in result["relatedLocations"]
    ]
    assert (TOLD, {"startLine": 1, "startColumn": 1}) == (
        result["message"]["text"],
        place["physicalLocation"]["region"],
    )
    assert [(1, "cell 4, line 2: opened here"), (7, "leaves here")] == steps


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("pylint", f"work.ipynb:1: [SES101(session-not-closed), ] {TOLD}"),
        ("markdown", r"| SES101 | service/work.ipynb\:cell 4\:2 | session 'session' is still open |"),
        ("concise", "work.ipynb:cell 4:2:11: SES101 session 'session' is still open"),
    ],
)
def test_lines(form: str, line: str) -> None:
    assert line in written(form).splitlines()
