"""GitHub: commands that the runner understands, and a summary that stays a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from session_lint.finding import Location, Severity
from session_lint.report.markdown import MOST
from tests.report.readers import command
from tests.report.samples import BROKEN, COMMIT, URL, written


def test_a_command() -> None:
    """The path from the top of the repository, the last column of the place, the way in the text."""
    assert command(written("github", [COMMIT]).removesuffix("\n")) == (
        "warning",
        {
            "file": "service/job.py",
            "line": "7",
            "endLine": "7",
            "col": "9",
            "endColumn": "24",
            "title": "SES301 commit-in-scope",
        },
        f"{COMMIT.message}\n1. service/job.py:5 this scope commits\n2. lib/gone.py:3 is passed on\n{URL}",
    )


@pytest.mark.parametrize(
    ("severity", "expected"), [(Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.STYLE, "notice")]
)
def test_severity(severity: Severity, expected: str) -> None:
    """A matter of style is a notice."""
    assert command(written("github", [replace(COMMIT, severity=severity)]).rstrip())[0] == expected


def test_a_place_of_several_lines() -> None:
    """The runner drops columns there, and says so; they are not given."""
    _, properties, _ = command(written("github", [replace(COMMIT, end_location=Location(9, 2))]).rstrip())
    assert [properties.get(name) for name in ("line", "endLine", "col", "endColumn")] == ["7", "9", None, None]


def test_a_place_of_no_length() -> None:
    """It is one column."""
    _, properties, data = command(written("github", [BROKEN]).rstrip())
    assert ([properties[n] for n in ("col", "endColumn")], data) == (["5", "5"], BROKEN.message)


def test_characters_that_mean_something() -> None:
    """They are escaped, in the text fewer than in a property."""
    odd = replace(COMMIT, filename="50%,a:b\n.py", message="100%: a,\r\nb::c", trace=(), url="")
    line = written("github", [odd])
    assert (line.count("\n"), "file=service/50%25%2Ca%3Ab%0A.py" in line) == (1, True)
    assert line.endswith("::100%25: a,%0D%0Ab::c\n")
    assert command(line.rstrip())[2] == odd.message


def test_summary() -> None:
    """A table that nothing in a message breaks."""
    odd = replace(COMMIT, message="a | b <i> [x](y)\n*c*", filename="d_e.py", url="")
    assert written("markdown", [COMMIT, odd]) == (
        "## session-lint\n"
        "\n"
        "Found 2 warnings in 2 files (2 files checked), 2 fixable with `session-lint fix`\n"
        "\n"
        "| rule | place | finding |\n"
        "| --- | --- | --- |\n"
        f"| [SES301]({URL}) | service/job.py\\:7 | commit\\(\\) on 'session' inside a scope |\n"
        r"| SES301 | service/d\_e.py\:7 | a \| b \<i\> \[x\]\(y\)\\n\*c\* |" + "\n"
    )


def test_summary_of_nothing() -> None:
    """No table."""
    assert written("markdown", []) == "## session-lint\n\nAll clear: 0 files checked\n"


def test_summary_of_very_much() -> None:
    """It is cut before GitHub refuses it, and says so."""
    long = replace(COMMIT, filename=f"{'deep/' * 30}job.py", message="x" * 400)
    text = written("markdown", [long] * (MOST + 2))
    assert (text.count("| [SES301]"), text.endswith("\n\nAnd 2 findings more.\n")) == (MOST, True)
    assert len(text.encode()) < 1024 * 1024
