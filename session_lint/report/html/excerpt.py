"""The source that a finding's way goes through, with the steps at the lines where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.report.columns import columns
from session_lint.report.concise import shown
from session_lint.report.html.ink import shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.finding import Finding, Location, Step
    from session_lint.report.html.ink import Ink

CONTEXT = 2
"""How many lines are shown around a step."""
BRIDGE = 2
"""A gap of so few lines is shown rather than left out."""
LONGEST = 400
"""Characters of a line that are shown."""


@dataclass(frozen=True)
class Mark:
    """A step at a line.

    :param number: which step; 0 for the finding itself, where no step stands at its place.
    :param indent: how many columns of the terminal stand before its place.
    """

    number: int
    indent: int
    message: str


@dataclass(frozen=True)
class Row:
    """A line of an excerpt; ``number`` 0 stands for lines that are left out."""

    number: int
    inks: tuple[Ink, ...] = ()
    marks: tuple[Mark, ...] = ()
    here: bool = False


@dataclass(frozen=True)
class Excerpt:
    """What is shown of one file, by the name that people read."""

    filename: str
    rows: tuple[Row, ...]


def excerpts(
    finding: Finding, lines: Callable[[str], Sequence[str]], inked: Callable[[str], Sequence[Sequence[Ink]]]
) -> list[Excerpt]:
    """The excerpts that show a finding's way, one a file, in the order of the way; none of what cannot be read.

    :param lines: the lines of a file, by its name.
    :param inked: the same lines, coloured.
    """
    steps: dict[str, list[tuple[int, Step]]] = {}
    for number, step in enumerate(finding.trace, 1):
        steps.setdefault(step.filename, []).append((number, step))
    steps.setdefault(finding.filename, [])
    found = (_excerpt(name, stops, finding, lines(name), inked) for name, stops in steps.items())
    return [excerpt for excerpt in found if excerpt.rows]


def _excerpt(
    filename: str,
    steps: Sequence[tuple[int, Step]],
    finding: Finding,
    lines: Sequence[str],
    inked: Callable[[str], Sequence[Sequence[Ink]]],
) -> Excerpt:
    marks: dict[int, list[Mark]] = {}
    for number, step in steps:
        _mark(marks, lines, step.location, number, step.message)
    here = finding.location.row if filename == finding.filename else 0
    if here and here not in marks:
        _mark(marks, lines, finding.location, 0, finding.message)
    if not marks:
        return Excerpt(filename, ())
    ink = inked(filename)
    rows = [
        Row(row, tuple(ink[row - 1]), tuple(marks.get(row, ())), row == here) if row else Row(0)
        for row in _shown(sorted(marks), lines)
    ]
    return Excerpt(shown(filename), tuple(rows))


def _mark(marks: dict[int, list[Mark]], lines: Sequence[str], place: Location, number: int, message: str) -> None:
    if 1 <= place.row <= len(lines):
        indent = columns(shape(lines[place.row - 1][: place.column - 1]))
        marks.setdefault(place.row, []).append(Mark(number, min(indent, LONGEST // 4), message))


def _shown(marked: Sequence[int], lines: Sequence[str]) -> list[int]:
    """The numbers of the lines around marked ones; 0 where some are left out between."""
    near = {row + shift for row in marked for shift in range(-CONTEXT, CONTEXT + 1)}
    rows = sorted(row for row in near if 1 <= row <= len(lines))
    while len(rows) > 1 and rows[0] not in marked and not lines[rows[0] - 1].strip():
        rows.pop(0)
    while len(rows) > 1 and rows[-1] not in marked and not lines[rows[-1] - 1].strip():
        rows.pop()
    found = rows[:1]
    for row in rows[1:]:
        gap = range(found[-1] + 1, row)
        found += [*(gap if len(gap) <= BRIDGE else [0]), row]
    return found
