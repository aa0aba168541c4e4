r"""Places in a text as the protocol counts them: lines from 0, columns in the units that were agreed on.

The protocol ends a line where Python does: at ``\n``, ``\r\n`` and ``\r``, and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types

from session_lint.finding import Location

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = re.compile(r"\r\n|\n|\r")


def line_starts(text: str) -> list[int]:
    """Where each line of a text begins, in characters."""
    return [0, *(match.end() for match in _END.finditer(text))]


@dataclass(frozen=True)
class Columns:
    """The units in which columns are counted: bytes of UTF-8, words of UTF-16, or characters."""

    encoding: types.PositionEncodingKind | str = types.PositionEncodingKind.Utf16

    def offset(self, text: str, starts: Sequence[int], position: types.Position) -> int:
        """How many characters of a text stand before a position; one beyond a line's or the text's end is the end."""
        if position.line >= len(starts):
            return len(text)
        start = starts[position.line]
        line = _END.split(text[start : _end(text, starts, position.line)], maxsplit=1)[0]
        return start + self._characters(line, position.character)

    def location(self, lines: Sequence[str], position: types.Position) -> Location:
        """A position as findings tell places."""
        line = lines[position.line].rstrip("\r\n") if position.line < len(lines) else ""
        return Location(position.line + 1, self._characters(line, position.character) + 1)

    def position(self, lines: Sequence[str], location: Location) -> types.Position:
        """The place of a finding as the protocol tells it."""
        if location.row > len(lines):
            return types.Position(len(lines), 0) if location.column == 1 else types.Position(location.row - 1, 0)
        line = lines[location.row - 1].rstrip("\r\n")
        return types.Position(location.row - 1, self._units(line[: location.column - 1]))

    def range(self, lines: Sequence[str], start: Location, end: Location) -> types.Range:
        """What stands between two places."""
        return types.Range(self.position(lines, start), self.position(lines, max(start, end)))

    def _units(self, text: str) -> int:
        if text.isascii() or self.encoding == types.PositionEncodingKind.Utf32:
            return len(text)
        if self.encoding == types.PositionEncodingKind.Utf8:
            return len(text.encode(errors="surrogatepass"))
        return len(text.encode("utf-16-le", errors="surrogatepass")) // 2

    def _characters(self, line: str, units: int) -> int:
        """How many characters of a line so many units are; one that is cut into counts whole."""
        if line.isascii() or self.encoding == types.PositionEncodingKind.Utf32:
            return min(units, len(line))
        count = 0
        for index, character in enumerate(line):
            if count >= units:
                return index
            count += self._units(character)
        return len(line)


def _end(text: str, starts: Sequence[int], line: int) -> int:
    return starts[line + 1] if line + 1 < len(starts) else len(text)
