"""JUnit: XML that every parser takes, cases that are told apart, counts that are right."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from tests.report.samples import BROKEN, COMMIT, URL, written


def test_a_finding() -> None:
    """A case of its file that fails, named by its rule, its function and its mark."""
    suites = ET.fromstring(written("junit", [COMMIT]))  # noqa: S314  # our own
    (case,) = suites.iter("testcase")
    (failure,) = case
    *named, mark = case.attrib.pop("name").split()
    assert (named, len(mark)) == (["SES301", "commit-in-scope", "save"], 16)
    assert case.attrib == {"classname": "service/job.py", "file": "service/job.py", "line": "7"}
    assert (failure.tag, failure.attrib) == ("failure", {"type": "SES301", "message": COMMIT.message})
    assert failure.text == (
        "service/job.py:7:9: warning: commit() on 'session' inside a scope\n"
        "1. service/job.py:5 this scope commits\n"
        "2. lib/gone.py:3 is passed on\n"
        f"{URL}"
    )


def test_counts() -> None:
    """Failures are findings; a file that was not analysed is an error."""
    suites = ET.fromstring(written("junit", [COMMIT, COMMIT, BROKEN]))  # noqa: S314  # our own
    (suite,) = suites
    expected = {"name": "session-lint", "tests": "3", "failures": "2", "errors": "1", "skipped": "0"}
    assert (suites.attrib, suite.attrib) == (expected, expected)
    assert [len(list(suites.iter(tag))) for tag in ("testcase", "failure", "error")] == [3, 2, 1]
    assert len({case.attrib["name"] for case in suites.iter("testcase")}) == 3


def test_nothing_found() -> None:
    """One case that passes: servers take a report without any for one that is missing."""
    suites = ET.fromstring(written("junit", []))  # noqa: S314  # our own
    assert (suites.attrib["tests"], [len(case) for case in suites.iter("testcase")]) == ("1", [0])


def test_characters_that_xml_cannot_carry() -> None:
    """They are spelled out, in attributes and texts; the others come through."""
    odd = replace(COMMIT, filename="é<&\udcff.py", message="\x00 \x1b[1m \r ]]> 😀 \ufffe")
    text = written("junit", [odd])
    case = next(ET.fromstring(text).iter("testcase"))  # noqa: S314  # our own
    assert (text.isascii(), case.attrib["file"]) == (True, r"service/é<&\udcff.py")
    assert case[0].attrib["message"] == r"\x00 \x1b[1m \r ]]> 😀 \ufffe"
