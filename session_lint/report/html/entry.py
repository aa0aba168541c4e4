"""One finding on the page, as plain values: the template only puts them in their places."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Location
from session_lint.fixes import CannotFix, rewritten
from session_lint.mend import attempt
from session_lint.report.concise import shown
from session_lint.report.html.excerpt import LONGEST, Excerpt, excerpts
from session_lint.report.html.ink import inked
from session_lint.report.html.picture import Picture, picture
from session_lint.report.numbered import numbered
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding, Step
    from session_lint.report.html.ink import Ink
    from session_lint.report.run import Run
    from session_lint.source import Source


@dataclass(frozen=True)
class Repair:
    """What a fix would do.

    :param diff: the lines of its difference: ``+``, ``-``, a space, or ``@`` between two places, and the text.
    """

    safe: bool
    message: str
    reason: str
    diff: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """One finding on the page.

    :param mark: by which the page links to it; the same in a later report, as far as the code is.
    :param file: its file, as people read it; ``steps`` has that of each step.
    :param refusal: why there is no fix.
    """

    mark: str
    finding: Finding
    file: str
    steps: tuple[tuple[Step, str], ...]
    excerpts: tuple[Excerpt, ...]
    repair: Repair | None
    refusal: str
    picture: Picture | None

    @property
    def fixable(self) -> str:
        """``safe``, ``unsafe``, or nothing."""
        return "" if self.repair is None else "safe" if self.repair.safe else "unsafe"


def entries(run: Run) -> list[Entry]:
    """All findings of a run, in its order; what several of them need is worked out once."""
    facts, colours = cache(run.facts), cache(lambda name: inked(run.lines(name), LONGEST))
    return [
        _entry(finding, f"f-{mark}", run, facts(finding.filename), colours)
        for finding, mark in zip(run.findings, numbered(run), strict=True)
    ]


def _entry(
    finding: Finding,
    mark: str,
    run: Run,
    facts: ModuleFacts | None,
    colours: Callable[[str], Sequence[Sequence[Ink]]],
) -> Entry:
    repair, refusal = _repair(finding, run.source(finding.filename))
    flat = _flat(finding, run)
    return Entry(
        mark=mark,
        finding=finding,
        file=shown(finding.filename),
        steps=tuple((step, shown(step.filename)) for step in finding.trace),
        excerpts=tuple(excerpts(flat, run.lines, colours)),
        repair=repair,
        refusal=refusal,
        picture=picture(flat, facts) if facts is not None else None,
    )


def _flat(finding: Finding, run: Run) -> Finding:
    """A finding with all its places in the text of its file, those in a notebook's cells too."""

    def place(filename: str, location: Location) -> Location:
        source = run.source(filename)
        return location if source is None else source.in_text(location)

    return replace(
        finding,
        location=place(finding.filename, finding.location),
        end_location=place(finding.filename, finding.end_location),
        trace=tuple(replace(s, location=place(s.filename, s.location)) for s in finding.trace),
    )


def _repair(finding: Finding, source: Source | None) -> tuple[Repair | None, str]:
    """What the fix of a finding does, or why it does nothing."""
    fix = finding.fix
    if fix is None or source is None:
        return None, finding.refusal
    try:
        after = attempt(source, lambda: rewritten(source, fix))
    except CannotFix as error:
        return None, error.reason
    diff = tuple(_diff(physical_lines(source.text), physical_lines(after)))
    return Repair(fix.applicability is Applicability.SAFE, fix.message, fix.reason, diff), ""


def _diff(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in list(difflib.unified_diff(before, after, n=2))[2:]:
        text = line[1:].rstrip("\r\n")
        more = len(text) - LONGEST
        yield line[0], f"{text[:LONGEST]}\u2026 {more} more characters" if more > 0 else text
