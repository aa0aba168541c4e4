"""The report for GitHub Actions: workflow commands that become annotations in a pull request.

GitHub shows ten errors, ten warnings and ten notices of a step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Severity
from session_lint.report.place import in_file, path, told, top
from session_lint.report.plain import sayable
from session_lint.report.way import steps

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.report.run import Run

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "notice"}


def report(run: Run) -> str:
    """All findings, a command each, with paths from the top of the repository."""
    root = top()
    return "".join(f"{_command(finding, root)}\n" for finding in run.findings)


def _command(finding: Finding, root: Path) -> str:
    properties = {
        "file": path(finding.filename, root),
        **_place(finding),
        "title": f"{finding.code} {finding.name}",
    }
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(_message(finding, root))}"


def _place(finding: Finding) -> dict[str, int]:
    """Rows and columns; GitHub takes columns only where the rows are the same, and the last column for a part."""
    start, end = in_file(finding.location), in_file(finding.end_location)
    if end.row > start.row:
        return {"line": start.row, "endLine": end.row}
    last = max(start.column, end.column - 1)
    return {"line": start.row, "endLine": start.row, "col": start.column, "endColumn": last}


def _message(finding: Finding, root: Path) -> str:
    lines = [told(finding), *steps(finding, lambda name: path(name, root)), finding.url]
    return "\n".join(line for line in lines if line)


def _data(text: str) -> str:
    return sayable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
