"""SARIF: valid by the schema, and all in it that viewers and code scanning show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import session_lint
from session_lint.finding import Location, Severity
from session_lint.report.sarif_rules import descriptors
from session_lint.rules import catalogue
from tests.report.samples import BROKEN, COMMIT, JOB, UNSAFE, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.finding import Finding
    from session_lint.rule import Rule


def place(uri: str, **region: int) -> dict[str, Any]:
    """A physical location in the repository."""
    return {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}, "region": region}


def results(valid: Callable[[str], dict[str, Any]], *findings: Finding, text: str = JOB) -> list[dict[str, Any]]:
    """The results of a log that has been held against the schema."""
    found: list[dict[str, Any]] = valid(written("sarif", findings, text))["runs"][0]["results"]
    return found


def test_a_result(valid: Callable[[str], dict[str, Any]]) -> None:
    """Rule, place, function, the way in order, the mark and the fix."""
    (result,) = results(valid, COMMIT)
    mark = result.pop("partialFingerprints")
    opened = {
        "physicalLocation": place("service/job.py", startLine=5, startColumn=10),
        "message": {"text": "this scope commits"},
    }
    passed = {
        "physicalLocation": place("lib/gone.py", startLine=3, startColumn=1),
        "message": {"text": "is passed on"},
    }
    assert ([*mark], len(mark["sessionLint/v1"])) == (["sessionLint/v1"], 16)
    assert result == {
        "ruleId": "SES301",
        "ruleIndex": [*catalogue()].index("SES301"),
        "level": "warning",
        "message": {"text": "commit() on 'session' inside a scope"},
        "locations": [
            {
                "physicalLocation": place("service/job.py", startLine=7, startColumn=9, endLine=7, endColumn=25),
                "logicalLocations": [{"fullyQualifiedName": "save"}],
            }
        ],
        "codeFlows": [
            {
                "threadFlows": [
                    {
                        "locations": [
                            {"location": opened, "executionOrder": 1, "importance": "essential"},
                            {"location": passed, "executionOrder": 2, "importance": "essential"},
                        ]
                    }
                ]
            }
        ],
        "relatedLocations": [{"id": 1, **opened}, {"id": 2, **passed}],
        "fixes": [
            {
                "description": {"text": "Delete the commit (safe)"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": "service/job.py", "uriBaseId": "%SRCROOT%"},
                        "replacements": [
                            {
                                "deletedRegion": {"startLine": 7, "startColumn": 1, "endLine": 8, "endColumn": 1},
                                "insertedContent": {"text": ""},
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_a_run(valid: Callable[[str], dict[str, Any]]) -> None:
    """The tool with all rules, where paths begin, and how columns are counted."""
    (run,) = valid(written("sarif", []))["runs"]
    driver = run.pop("tool")["driver"]
    rules = driver.pop("rules")
    assert [rule["id"] for rule in rules] == [*catalogue()]
    assert driver == {
        "name": "session-lint",
        "version": session_lint.__version__,
        "semanticVersion": session_lint.__version__,
        "informationUri": "https://session-lint.readthedocs.io/en/stable/",
    }
    assert run == {
        "automationDetails": {"id": "session-lint/"},
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": []}],
        "originalUriBaseIds": {
            "%SRCROOT%": {"uri": f"{Path.cwd().parent.as_uri()}/", "description": {"text": "The top of the repository"}}
        },
        "columnKind": "unicodeCodePoints",
        "newlineSequences": ["\r\n", "\n", "\r"],
        "results": [],
    }


@pytest.mark.parametrize("rule", catalogue().values(), ids=lambda rule: rule.code)
def test_a_rule(rule: Rule) -> None:
    """What code scanning shows of it, within its limits."""
    (shown,) = [one for one in descriptors() if one["id"] == rule.code]
    described = shown["fullDescription"]["text"]
    problems = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "recommendation"}
    said = [shown["name"], shown["helpUri"], shown["shortDescription"]["text"]]
    assert said == [rule.name, rule.url, f"{rule.summary}."]
    assert 0 < len(described) <= 1024
    assert "#" not in described.split(" ", 1)[0]
    assert (shown["help"]["text"], rule.doc in shown["help"]["markdown"]) == (rule.doc, True)
    assert shown["defaultConfiguration"] == {
        "enabled": rule.default,
        "level": {Severity.STYLE: "note"}.get(rule.severity, rule.severity.value),
    }
    assert shown["properties"]["problem.severity"] == problems[rule.severity]
    assert shown["properties"]["precision"] == ("medium" if rule.young else "high")


def test_an_unsafe_fix_says_why(valid: Callable[[str], dict[str, Any]]) -> None:
    """Whoever carries it out has to know."""
    (result,) = results(valid, replace(COMMIT, fix=UNSAFE))
    assert result["fixes"][0]["description"]["text"] == "Delete the commit (unsafe: others may wait for it)"


def test_a_fix_that_cannot_be_carried_out(valid: Callable[[str], dict[str, Any]]) -> None:
    """There is none then."""
    (result,) = results(valid, COMMIT, text="changed = 1\n")
    assert "fixes" not in result


def test_a_last_line_without_an_end(valid: Callable[[str], dict[str, Any]]) -> None:
    """What is deleted ends where the file does: no viewer has a line behind it."""
    (result,) = results(valid, COMMIT, text=JOB.rstrip("\n"))
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"][-1]["deletedRegion"]["endLine"] == 7


def test_a_file_that_was_not_analysed(valid: Callable[[str], dict[str, Any]]) -> None:
    """It is told as a result, where people look, and as what happened to the tool."""
    (run,) = valid(written("sarif", [BROKEN]))["runs"]
    where = {"physicalLocation": place("service/broken.py", startLine=2, startColumn=5)}
    assert [result["locations"] for result in run["results"]] == [[where]]
    assert run["invocations"][0]["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {"text": "file not analysed: syntax error: invalid syntax"},
            "locations": [where],
            "associatedRule": {"id": "SES900", "index": [*catalogue()].index("SES900")},
        }
    ]


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a b.py", {"uri": "service/a%20b.py", "uriBaseId": "%SRCROOT%"}),
        ("50%#1?.py", {"uri": "service/50%25%231%3F.py", "uriBaseId": "%SRCROOT%"}),
        ("é\udcff.py", {"uri": "service/%C3%A9%FF.py", "uriBaseId": "%SRCROOT%"}),
        ("../c:d.py", {"uri": "c%3Ad.py", "uriBaseId": "%SRCROOT%"}),
        ("<stdin>", {"uri": "%3Cstdin%3E", "uriBaseId": "%SRCROOT%"}),
        ("/else/a b.py", {"uri": "file:///else/a%20b.py"}),
    ],
)
def test_names_of_files(valid: Callable[[str], dict[str, Any]], filename: str, expected: dict[str, str]) -> None:
    """They are URIs from the top of the repository; what lies elsewhere is named whole."""
    (result,) = results(valid, replace(COMMIT, filename=filename, trace=(), fix=None))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == expected


def test_without_a_repository(valid: Callable[[str], dict[str, Any]]) -> None:
    """Paths begin at the current folder."""
    Path("../.git").rmdir()
    (result,) = results(valid, replace(COMMIT, trace=(), fix=None))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "job.py"


def test_the_schema_refuses_what_is_wrong(valid: Callable[[str], dict[str, Any]]) -> None:
    """Else the other tests would say nothing."""
    with pytest.raises(AssertionError):
        results(valid, replace(COMMIT, location=Location(0, 1)))


def test_the_same_findings_give_the_same_log() -> None:
    """Byte by byte."""
    assert written("sarif", [COMMIT, BROKEN]) == written("sarif", [COMMIT, BROKEN])
