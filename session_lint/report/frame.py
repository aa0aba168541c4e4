"""A piece of source with what matters in it underlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.report.columns import columns, wrapped
from session_lint.report.window import Window, windows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.report.marks import Mark
    from session_lint.report.paint import Paint

AROUND_MAIN, AROUND_STEP = 2, 1
"""How many lines are shown before and after what a finding is about, and around a step."""
SPAN = 4
"""How many lines a mark may have for all of them to be shown."""
LONGEST = 160
"""The columns of source that are shown where no terminal says how many there are."""
NARROWEST = 24
"""The columns that a label gets at least; where there are fewer behind its mark, it stands below."""


def frame(lines: Sequence[str], marks: Sequence[Mark], paint: Paint, style: str, digits: int) -> list[str]:
    """The lines around some marks, numbered, with what is said of them under them.

    :param marks: all within the lines; where several stand on one line they are told in this order.
    :param style: how the main mark is painted.
    :param digits: how many a line number has.
    """
    limit = LONGEST if paint.look.width is None else max(NARROWEST, paint.look.width - digits - 3)
    found: list[str] = []
    before = 0
    for row in rows(lines, marks):
        if before and row > before + 1:
            found.append(paint(f"{'':>{digits}} {paint.glyphs.gap}", "dim"))
        before = row
        here = [mark for mark in marks if mark.start.row == row]
        number = str(row)
        for window, told in windows(lines[row - 1], here, limit, paint):
            found.append(_line(number, digits, window.text, paint))
            below = [line for mark in told for line in _marked(window, mark, paint, style)]
            found += [_line("", digits, line, paint) for line in below]
    return found


def rows(lines: Sequence[str], marks: Sequence[Mark]) -> list[int]:
    """The numbers of the lines that a frame shows: no blank one at the edge of a piece, no gap of one line."""
    chosen: set[int] = set()
    marked: set[int] = set()
    for mark in marks:
        around = AROUND_MAIN if mark.main else AROUND_STEP
        last = mark.end.row if mark.end.row - mark.start.row < SPAN else mark.start.row
        chosen.update(range(mark.start.row - around, max(last, mark.start.row + around) + 1))
        marked.update(range(mark.start.row, last + 1))
    chosen = {row for row in chosen if 1 <= row <= len(lines)}
    chosen |= {row + 1 for row in chosen if row + 2 in chosen}
    while edges := {r for r in chosen - marked if not lines[r - 1].strip() and not {r - 1, r + 1} <= chosen}:
        chosen -= edges
    return sorted(chosen)


def _line(number: str, digits: int, text: str, paint: Paint) -> str:
    gutter = paint(f"{number:>{digits}} {paint.glyphs.bar}", "dim")
    return f"{gutter} {text}" if text else gutter


def _marked(window: Window, mark: Mark, paint: Paint, style: str) -> list[str]:
    """The lines below a line: a mark, and behind it, or below where there is no room, what is said of it."""
    kind, character = (style, "^") if mark.main else ("step", paint.glyphs.under)
    start, end = window.reach(mark)
    under = character * (end - start)
    room = None if paint.look.width is None else window.limit
    at = end + 1
    needed = max(map(columns, mark.labels), default=0)
    if room is not None and room - at < min(NARROWEST, needed):
        at = max(0, min(start, room - needed))
    said = [part for label in mark.labels for part in _told(label, room, at)]
    if not said or at <= start:
        return [" " * start + paint(under, kind), *(" " * column + paint(text, kind) for column, text in said)]
    (_, first), *others = said
    return [
        " " * start + paint(f"{under} {first}", kind),
        *(" " * column + paint(text, kind) for column, text in others),
    ]


def _told(label: str, room: int | None, at: int) -> list[tuple[int, str]]:
    """A label in lines, each with the column that it begins at: behind its number where it goes on."""
    indent = at + (label.find(": ") + 2 if label[:1].isdigit() else 0)
    first, *others = wrapped(label, room, at, indent)
    return [(at, first), *((indent, other) for other in others)]
