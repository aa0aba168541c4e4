"""The report for other programs' eyes: one line a finding."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Severity
from session_lint.report.columns import harmless
from session_lint.report.paint import Paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.baseline import Comparison
    from session_lint.finding import Finding, Location
    from session_lint.report.run import Run


def report(run: Run) -> str:
    """All findings, a line each, and how many there are."""
    paint = Paint(run.look)
    lines = [f"{headline(finding, paint)} {harmless(finding.message)}" for finding in run.findings]
    return "\n".join([*lines, summary(run.findings, run.checked, run.baseline)]) + "\n"


def headline(finding: Finding, paint: Paint) -> str:
    """Where a finding is and of which rule: ``users.py:5:15: SES101 [*]``, which editors and terminals can jump to."""
    code = paint.link(paint(finding.code, finding.severity.value), finding.url)
    place = paint(f"{address(finding.filename, finding.location)}:", "bold")
    return f"{place} {code}{paint(finding.mark, 'help')}"


def address(filename: str, location: Location) -> str:
    """A place, as editors and terminals read it."""
    return f"{harmless(shown(filename))}:{spot(location)}"


def line_of(location: Location) -> str:
    """The line of a place within its file: ``2``, in a notebook ``cell 3:2``."""
    return f"cell {location.cell}:{location.row}" if location.cell else str(location.row)


def spot(location: Location) -> str:
    """A place within a file: ``2:5``, in a notebook ``cell 3:2:5``."""
    return f"{line_of(location)}:{location.column}"


def shown(filename: str) -> str:
    """A path as people want to read it: relative where that is shorter."""
    try:
        relative = os.path.relpath(filename, Path.cwd())
    except ValueError:
        return filename
    return filename if relative.split(os.sep, 1)[0] == os.pardir else relative


def summary(findings: Sequence[Finding], checked: int, baseline: Comparison | None = None) -> str:
    """The last line of a report: what was found in how many files.

    :param baseline: what of it is new, where that was asked for.
    """
    if baseline is None:
        return _total(findings, checked)
    known = f"{len(baseline.new)} new, {len(baseline.known)} known (baseline), {baseline.number_gone} gone"
    return f"{_total(findings, checked) if findings else f'Nothing new: {_checked(checked)}'}; {known}"


def _checked(number: int) -> str:
    return f"{many(number, 'file')} checked"


def _total(findings: Sequence[Finding], checked: int) -> str:
    if not findings:
        return f"All clear: {_checked(checked)}"
    counts = Counter(finding.severity for finding in findings)
    kinds = [many(counts[s], word) for s, word in _WORDS.items() if counts[s]]
    listed = " and ".join(kinds) if len(kinds) < 3 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"  # noqa: PLR2004
    where = many(len({finding.filename for finding in findings}), "file")
    safe = sum(f.fix is not None and f.fix.applicability is Applicability.SAFE for f in findings)
    fixable = f", {safe} fixable with `session-lint fix`" if safe else ""
    return f"Found {listed} in {where} ({_checked(checked)}){fixable}"


_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.STYLE: "style finding"}


def many(number: int, word: str) -> str:
    """A number of things: "1 file", "2 files"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
