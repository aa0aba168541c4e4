"""The report for machines: a list of findings, in ruff's shape where ruff has the field."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from session_lint.fixes import CannotFix, edits
from session_lint.mend import attempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.finding import Edit, Finding, Location
    from session_lint.report.run import Run
    from session_lint.source import Source


def report(run: Run) -> str:
    """All findings as JSON, in ASCII: whatever the output's encoding, it stays JSON."""
    return json.dumps([entry(finding, run.source) for finding in run.findings], indent=2) + "\n"


def entry(finding: Finding, source: Callable[[str], Source | None]) -> dict[str, Any]:
    """One finding as plain values.

    :param source: the text of a file by its name, for the edits of fixes; ``None`` where it is gone.
    """
    fix, refusal = _fix(finding, source)
    return {
        "code": finding.code,
        "name": finding.name,
        "message": finding.message,
        "filename": _absolute(finding.filename),
        "cell": finding.location.cell or None,
        "location": _location(finding.location),
        "end_location": _location(finding.end_location),
        "symbol": finding.symbol,
        "severity": finding.severity.value,
        "trace": [
            {
                "filename": _absolute(s.filename),
                "cell": s.location.cell or None,
                "location": _location(s.location),
                "message": s.message,
            }
            for s in finding.trace
        ],
        "fix": fix,
        "fix_refusal": refusal or None,
        "url": finding.url,
    }


def _fix(finding: Finding, source: Callable[[str], Source | None]) -> tuple[dict[str, Any] | None, str]:
    fix = finding.fix
    text = source(finding.filename) if fix is not None else None
    if fix is None or text is None:
        return None, finding.refusal
    try:
        changes = [_edit(edit) for edit in attempt(text, lambda: edits(text, fix))]
    except CannotFix as error:
        return None, error.reason
    return {
        "applicability": fix.applicability.value,
        "message": fix.message,
        "edits": changes,
        "reason": fix.reason or None,
    }, ""


def _edit(edit: Edit) -> dict[str, Any]:
    return {"content": edit.content, "location": _location(edit.location), "end_location": _location(edit.end_location)}


def _location(location: Location) -> dict[str, int]:
    return {"row": location.row, "column": location.column}


def _absolute(filename: str) -> str:
    return filename if filename.startswith("<") else os.path.abspath(filename)  # noqa: PTH100  # links stay as they are
