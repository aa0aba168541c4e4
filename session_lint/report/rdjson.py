"""The report for reviewdog, which writes it to a review with the fixes as suggestions: its Diagnostic Format.

reviewdog refuses a report with a field that it does not know, and counts columns in bytes of UTF-8.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from session_lint.finding import Edit, Location, Severity
from session_lint.fixes import apply
from session_lint.report.concise import shown
from session_lint.report.json import entry
from session_lint.report.place import in_file, told
from session_lint.report.plain import as_json
from session_lint.report.way import steps
from session_lint.rule import DOCS
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.finding import Finding
    from session_lint.report.run import Run

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.STYLE: "INFO"}


def report(run: Run) -> str:
    """All findings as one ``DiagnosticResult``, with paths from the current folder, as reviewdog runs in it."""
    source = {"name": "session-lint", "url": DOCS}
    return as_json({"source": source, "diagnostics": [_diagnostic(finding, run) for finding in run.findings]})


def _diagnostic(finding: Finding, run: Run) -> dict[str, Any]:
    found: dict[str, Any] = {
        "message": "\n".join([told(finding), *steps(finding, shown)]),
        "location": {"path": shown(finding.filename), "range": _range(finding, run)},
        "severity": _SEVERITIES[finding.severity],
        "code": {"value": finding.code, **({"url": finding.url} if finding.url else {})},
    }
    suggestions = _suggestions(finding, run)
    return {**found, "suggestions": suggestions} if suggestions else found


def _range(finding: Finding, run: Run) -> dict[str, Any]:
    lines = run.lines(finding.filename)
    start, end = in_file(finding.location), in_file(finding.end_location)
    return {"start": _position(start, lines), **({"end": _position(end, lines)} if end > start else {})}


def _position(location: Location, lines: Sequence[str]) -> dict[str, int]:
    line = lines[location.row - 1] if location.row <= len(lines) else ""
    before = line[: location.column - 1]
    beyond = location.column - 1 - len(before)
    return {"line": location.row, "column": len(before.encode("utf-8", "surrogatepass")) + beyond + 1}


def _suggestions(finding: Finding, run: Run) -> list[dict[str, Any]]:
    """A fix as whole lines in the place of whole lines, which is what reviews can carry out.

    It is one, from the first line that changes to the last: half of a fix would be worse than none.
    """
    source = run.source(finding.filename)
    fix = entry(finding, run.source)["fix"]
    if fix is None or source is None:
        return []
    edits = [Edit(e["content"], Location(**e["location"]), Location(**e["end_location"])) for e in fix["edits"]]
    before, after = physical_lines(source.text), physical_lines(apply(source.text, edits))
    first, last = edits[0].location.row, edits[-1].end_location.row - 1
    if last < first:  # nothing is replaced: the line before, or the first one, is there again
        first = last = max(1, last)
    text = re.sub(r"(\r\n|\n|\r)\Z", "", "".join(after[first - 1 : len(after) - (len(before) - last)]))
    return [{"range": {"start": {"line": first}, "end": {"line": last}}, "text": text}]
