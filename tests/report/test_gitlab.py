"""GitLab: issues of Code Quality that are told apart."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from session_lint.finding import Location, Severity
from tests.report.samples import BROKEN, COMMIT, JOB, written


def test_an_issue() -> None:
    """The fields that GitLab reads, all of them."""
    (issue,) = json.loads(written("gitlab", [COMMIT]))
    mark = issue.pop("fingerprint")
    assert len(mark) == 16
    assert issue == {
        "description": "SES301 commit() on 'session' inside a scope",
        "check_name": "commit-in-scope",
        "severity": "minor",
        "location": {"path": "service/job.py", "lines": {"begin": 7, "end": 7}},
    }


@pytest.mark.parametrize(
    ("severity", "expected"), [(Severity.ERROR, "major"), (Severity.WARNING, "minor"), (Severity.STYLE, "info")]
)
def test_severity(severity: Severity, expected: str) -> None:
    """In GitLab's words."""
    assert json.loads(written("gitlab", [replace(COMMIT, severity=severity)]))[0]["severity"] == expected


def test_findings_that_are_alike() -> None:
    """GitLab keeps one of each fingerprint, so they are numbered."""
    elsewhere = replace(COMMIT, filename="copy.py")
    marks = [issue["fingerprint"] for issue in json.loads(written("gitlab", [COMMIT, BROKEN, elsewhere]))]
    assert (len(set(marks)), marks[2]) == (3, f"{marks[0]}-2")


def test_what_moves_keeps_its_mark() -> None:
    """Else a merge request would show it as mended and brought anew."""
    moved = replace(COMMIT, location=Location(9, 9), end_location=Location(9, 25))
    texts = [written("gitlab", [COMMIT]), written("gitlab", [moved], f"import os\n\n{JOB}")]
    assert len({json.loads(text)[0]["fingerprint"] for text in texts}) == 1


def test_nothing_found() -> None:
    """An empty list, which GitLab takes for a report; not an empty file, which it does not."""
    assert json.loads(written("gitlab", [])) == []


def test_it_is_ascii_without_halves_of_characters() -> None:
    """GitLab refuses a byte order mark, and half a surrogate pair."""
    text = written("gitlab", [replace(COMMIT, filename="é\udcff.py")])
    assert (text.isascii(), json.loads(text)[0]["location"]["path"]) == (True, r"service/é\udcff.py")
