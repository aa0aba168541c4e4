"""The report for people: each finding with its code, the way that leads to it, and its cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Severity
from session_lint.report.concise import line_of, shown, spot, summary
from session_lint.report.frame import Lines, frame, shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_lint.finding import Finding, Step
    from session_lint.report.run import Run

_CODES = {"error": "1;31", "warning": "1;33", "style": "1;36", "dim": "2", "mark": "1;31", "bold": "1", "help": "32"}


def painter(*, colour: bool) -> Callable[[str, str], str]:
    """A function that gives a text a style, or leaves it as it is."""
    return (lambda text, style: f"\x1b[{_CODES[style]}m{text}\x1b[0m") if colour else (lambda text, _style: text)


def report(run: Run) -> str:
    """All findings, and how many there are."""
    paint = painter(colour=run.look.colour)
    parts = ["\n".join(_finding(finding, run.lines, paint)) for finding in run.findings]
    return "\n\n".join([*parts, summary(run.findings, run.checked, run.baseline)]) + "\n"


def _finding(finding: Finding, lines: Lines, paint: Callable[[str, str], str]) -> Iterable[str]:
    yield (paint(shown(finding.filename), "bold") + f":{spot(finding.location)}: " + _headline(finding, paint))
    yield from frame(lines(finding.filename, finding.location.cell), finding.location, finding.end_location, paint)
    for number, step in enumerate(finding.trace, 1):
        yield _step(number, step, lines, paint)
    if finding.fix is not None:
        trust = "" if finding.fix.applicability is Applicability.SAFE else f" (unsafe: {finding.fix.reason})"
        yield f"  {paint('help:', 'help')} {finding.fix.message}{trust}"
    elif finding.refusal:
        yield f"  {paint('no fix:', 'dim')} {finding.refusal}"


def _headline(finding: Finding, paint: Callable[[str, str], str]) -> str:
    kind = "" if finding.severity is Severity.ERROR else f" ({finding.severity.value})"
    return f"{paint(finding.code, finding.severity.value)}{finding.mark} {finding.message}{kind}"


def _step(number: int, step: Step, lines: Lines, paint: Callable[[str, str], str]) -> str:
    text = lines(step.filename, step.location.cell)
    source = shape(text[step.location.row - 1]).strip() if 1 <= step.location.row <= len(text) else ""
    said = f"  {number}. {shown(step.filename)}:{line_of(step.location)} {step.message}"
    return f"{said}{paint(':', 'dim')} {paint(source, 'dim')}" if source else said
