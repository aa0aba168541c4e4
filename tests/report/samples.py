"""Findings for the reports to tell, and the files that they are in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.report import render
from session_lint.report.run import Run
from session_lint.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

URL = "https://session-lint.readthedocs.io/en/stable/rules/commit-in-scope.html"
JOB = """\
from database.session import scoped_session


def save(row):
    with scoped_session() as session:
        é = 'あ'; session.add(row)
        session.commit()
"""
SAFE = Fix(Applicability.SAFE, "Delete the commit", "drop_statement", (("at", (7, 9)),))
UNSAFE = replace(SAFE, applicability=Applicability.UNSAFE, reason="others may wait for it")
TRACE = (
    Step("job.py", Location(5, 10), "this scope commits"),
    Step("../lib/gone.py", Location(3, 1), "is passed on"),
)
COMMIT = Finding(
    "SES301",
    "commit-in-scope",
    "commit() on 'session' inside a scope",
    "job.py",
    Location(7, 9),
    Location(7, 25),
    "save",
    Severity.WARNING,
    TRACE,
    SAFE,
    url=URL,
)
BROKEN = Finding(
    "SES900",
    "file-not-analysed",
    "file not analysed: syntax error: invalid syntax",
    "broken.py",
    Location(2, 5),
    Location(2, 5),
    "",
    Severity.ERROR,
)


def written(form: str, findings: Sequence[Finding], text: str = JOB) -> str:
    """A report in a format, of findings in files that all hold the same text."""
    return render(form, Run(findings, len(findings), lambda name: Source(name, text)))
