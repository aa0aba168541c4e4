"""The report for people: each finding with its code, the way that leads to it, and its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Severity
from session_lint.report.columns import columns, harmless, wrapped
from session_lint.report.concise import address, headline, summary
from session_lint.report.frame import frame, rows
from session_lint.report.marks import Mark, marks
from session_lint.report.paint import PLAIN, Paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.finding import Finding
    from session_lint.report.run import Run


def report(run: Run) -> str:
    """All findings, and how many there are.

    The first finding of each rule has the address of the rule's page, unless its code is a link to it.
    """
    paint = Paint(run.look)
    parts: list[str] = []
    told: set[str] = set()
    for finding in run.findings:
        lines = [*_headline(finding, paint), *_frames(finding, run, paint), *_cure(finding, paint)]
        if finding.url and finding.code not in told and not run.look.links:
            lines.append(f"  {paint('see:', 'dim')} {finding.url}")
        told.add(finding.code)
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, summary(run.findings, run.checked, run.baseline)]) + "\n"


def _headline(finding: Finding, paint: Paint) -> list[str]:
    kind = "" if finding.severity is Severity.ERROR else f" ({finding.severity.value})"
    begun = columns(headline(finding, PLAIN)) + 1
    first, *others = wrapped(f"{harmless(finding.message)}{kind}", paint.look.width, begun, 4)
    return [f"{headline(finding, paint)} {first}".rstrip(), *(f"    {line}" for line in others)]


def _frames(finding: Finding, run: Run, paint: Paint) -> Iterator[str]:
    """The finding's file first, without a heading: that is the line above; then the other files of its way."""
    parts = [(place, run.lines(*place), of_file) for place, of_file in marks(finding).items()]
    there = {place: [mark for mark in of_file if mark.start.row <= len(lines)] for place, lines, of_file in parts}
    digits = max((len(str(row)) for place, lines, _ in parts for row in rows(lines, there[place])[-1:]), default=1)
    for place, lines, of_file in parts:
        if there[place] and place != (finding.filename, finding.location.cell):
            yield paint(f"{'':>{digits}}{paint.glyphs.head} {address(place[0], there[place][0].start)}", "dim")
        yield from frame(lines, there[place], paint, finding.severity.value, digits)
        for mark in of_file:
            if mark not in there[place]:
                yield from _unseen(place[0], mark, paint)


def _unseen(name: str, mark: Mark, paint: Paint) -> Iterator[str]:
    """A mark on a line that cannot be shown."""
    for label in mark.labels:
        yield f"  {paint('-->', 'dim')} {address(name, mark.start)} {paint(label, 'step')}"


def _cure(finding: Finding, paint: Paint) -> Iterator[str]:
    if finding.fix is not None:
        trust = "" if finding.fix.applicability is Applicability.SAFE else f" (unsafe: {finding.fix.reason})"
        yield _noted("help:", "help", f"{finding.fix.message}{trust}", paint)
    elif finding.refusal:
        yield _noted("no fix:", "dim", finding.refusal, paint)


def _noted(word: str, style: str, text: str, paint: Paint) -> str:
    indent = len(word) + 3
    first, *others = wrapped(harmless(text), paint.look.width, indent, indent)
    return "\n".join([f"  {paint(word, style)} {first}", *(" " * indent + line for line in others)])
