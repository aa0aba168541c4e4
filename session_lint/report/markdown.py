"""The report for the summary of a job: a heading with the sum and a table of the findings.

GitHub refuses a summary of more than a mebibyte, so the table ends after the first thousand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from session_lint.report.concise import line_of, many, summary
from session_lint.report.place import path, top
from session_lint.report.plain import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.report.run import Run

MOST = 1000


def report(run: Run) -> str:
    """The findings as Markdown, with paths from the top of the repository."""
    root = top()
    parts = ["## session-lint", summary(run.findings, run.checked, run.baseline)]
    if run.findings:
        rows = [_row(finding, root) for finding in run.findings[:MOST]]
        parts.append("\n".join(["| rule | place | finding |", "| --- | --- | --- |", *rows]))
    if len(run.findings) > MOST:
        parts.append(f"And {many(len(run.findings) - MOST, 'finding')} more.")
    return "\n\n".join(parts) + "\n"


def _row(finding: Finding, root: Path) -> str:
    code = f"[{finding.code}]({finding.url})" if finding.url else finding.code
    place = f"{path(finding.filename, root)}:{line_of(finding.location)}"
    return f"| {code} | {_escaped(place)} | {_escaped(finding.message)} |"


def _escaped(text: str) -> str:
    """A text that Markdown takes for nothing but text."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~&$@:-])", r"\\\1", one_line(text))
