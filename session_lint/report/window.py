"""What is shown of a line: all of it, or, where it is very long, the parts around what is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.report.columns import Shaped, shape
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.report.marks import Mark
    from session_lint.report.paint import Paint


@dataclass(frozen=True)
class Window:
    """Some columns of a line.

    :param first: the column, from 0, that the window begins with.
    :param limit: how many columns there is room for.
    :param cut: what stands where the line goes on outside.
    """

    line: str
    shaped: Shaped
    first: int
    limit: int
    cut: str

    @property
    def last(self) -> int:
        """The column behind the window."""
        return min(self.shaped.width, self.first + self.limit)

    @property
    def text(self) -> str:
        """What is shown."""
        left = self.cut if self.first > 0 else ""
        right = self.cut if self.last < self.shaped.width else ""
        inner = self.shaped.between(self.first + len(left), self.last - len(right))
        return (left + inner + right).rstrip()

    def reach(self, mark: Mark) -> tuple[int, int]:
        """The columns of the window that a mark is under; one that goes on below ends with its line."""
        start, end = span(self.shaped, self.line, mark)
        return start - self.first, max(start + 1, min(end, self.last)) - self.first

    def holds(self, mark: Mark) -> bool:
        """Whether a mark begins where something of the line is shown."""
        start, _ = span(self.shaped, self.line, mark)
        return (self.first + len(self.cut) if self.first else 0) <= start < self.last - len(self.cut)


def windows(line: str, marks: Sequence[Mark], limit: int, paint: Paint) -> Iterator[tuple[Window, Sequence[Mark]]]:
    """The parts of a line to show, each with the marks to tell under it; several where these are far apart."""
    shaped = shape(line if marks else line[: 4 * limit], paint.look.encoding)  # of the rest nothing would be seen
    cut = paint.glyphs.cut
    if shaped.width <= limit or not marks:
        yield Window(line, shaped, 0, limit, cut), marks
        return
    left = list(marks)
    while left:
        window = Window(line, shaped, _first(shaped, *span(shaped, line, left[0]), limit, len(cut)), limit, cut)
        told = [mark for mark in left if mark is left[0] or window.holds(mark)]
        yield window, told
        left = [mark for mark in left if mark not in told]


def _first(shaped: Shaped, start: int, end: int, limit: int, cut: int) -> int:
    """Where a window around some columns begins: with the line where they are near enough to its beginning."""
    if end + cut <= limit:
        return 0
    return max(0, min(start - max(cut, limit // 4), shaped.width - limit))


def span(shaped: Shaped, line: str, mark: Mark) -> tuple[int, int]:
    """The columns of a whole line that a mark is under."""
    body = len(line.rstrip())
    stop = mark.end.column - 1 if mark.end.row == mark.start.row else body
    start = shaped.column(mark.start.column - 1)
    return start, max(start + 1, shaped.column(min(stop, body)))
