"""The report for GitLab: Code Quality, which a merge request shows as what it brings and what it mends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_lint.finding import Severity
from session_lint.report.numbered import numbered
from session_lint.report.place import in_file, path, told, top
from session_lint.report.plain import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.report.run import Run

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.STYLE: "info"}


def report(run: Run) -> str:
    """All findings as a JSON list of what GitLab calls issues, with paths from the top of the repository."""
    root = top()
    return as_json([_issue(finding, mark, root) for finding, mark in zip(run.findings, numbered(run), strict=True)])


def _issue(finding: Finding, mark: str, root: Path) -> dict[str, Any]:
    start, end = in_file(finding.location), in_file(finding.end_location)
    return {
        "description": f"{finding.code} {told(finding)}",
        "check_name": finding.name,
        "fingerprint": mark,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": path(finding.filename, root),
            "lines": {"begin": start.row, "end": max(start.row, end.row)},
        },
    }
