"""Text in the columns of a terminal, with nothing in it that moves the cursor or turns the direction of reading."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from session_lint.values import dataclass

TAB = 4
_JOINING = frozenset("\u200c\u200d\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
"""What makes one picture of several: terminals do not agree on its width, and without these they do."""
_VOWELS = range(0x1160, 0x1200)  # of Hangul, which stand in the syllable before them


@dataclass(frozen=True)
class Shaped:
    """A line as it is shown.

    :param pieces: what stands for each of its characters.
    :param starts: the column, from 0, at which each begins, and the one behind the last.
    """

    pieces: tuple[str, ...]
    starts: tuple[int, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)

    @property
    def width(self) -> int:
        """How many columns it takes."""
        return self.starts[-1]

    def column(self, index: int) -> int:
        """The column of the character with an index; of one behind the end, the end's."""
        return self.starts[min(index, len(self.pieces))]

    def between(self, first: int, last: int) -> str:
        """What stands in the columns from ``first`` to before ``last``; half a wide character is a space."""
        found = []
        for piece, start, end in zip(self.pieces, self.starts, self.starts[1:], strict=False):
            whole = first <= start and end <= last
            found.append(piece if whole else " " * max(0, min(end, last) - max(start, first)))
        return "".join(found)


@lru_cache(maxsize=8)  # the lines around a finding; they may be very long
def shape(line: str, encoding: str = "utf-8") -> Shaped:
    """A line, without its end, as an output of some encoding can show it."""
    body = line.rstrip("\r\n")
    if body.isascii() and body.isprintable():
        return Shaped(tuple(body), tuple(range(len(body) + 1)))
    pieces, starts = [], [0]
    for character in body:
        piece, width = _shown(character, starts[-1], encoding)
        pieces.append(piece)
        starts.append(starts[-1] + width)
    return Shaped(tuple(pieces), tuple(starts))


def _shown(character: str, column: int, encoding: str) -> tuple[str, int]:
    """What stands for a character, and how many columns that takes."""
    if character == "\t":
        width = TAB - column % TAB
        return " " * width, width
    category = unicodedata.category(character)
    width = _width(character, category)
    if category == "Zs":
        return " " * width, width
    if character in _JOINING:
        return "", 0
    if not character.isprintable():
        return ("\ufffd" if _carried("\ufffd", encoding) else "?"), 1
    return (character, width) if _carried(character, encoding) else ("?", 1)


def _width(character: str, category: str) -> int:
    if category in ("Mn", "Me") or ord(character) in _VOWELS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _carried(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return shape(text).width


def harmless(text: str) -> str:
    """A text with escapes for what would move the cursor: the name of a file may hold anything."""
    return "".join(c if c.isprintable() or c == " " else ascii(c)[1:-1] for c in text)


def wrapped(text: str, width: int | None, first: int = 0, rest: int = 0) -> list[str]:
    """A text in lines that end at a column; a word that is longer stands alone.

    :param width: of the terminal; ``None`` to leave the text as it is.
    :param first: the column at which the first line begins.
    :param rest: the column at which the others begin; they come without their indent.
    """
    if width is None:
        return [text]
    lines: list[list[str]] = [[]]
    room = width - first
    for word in text.split(" "):
        fits = columns(" ".join([*lines[-1], word])) <= room
        if fits or not (lines[-1] or (len(lines) == 1 and first > rest)):
            lines[-1].append(word)
        else:
            lines.append([word])
            room = width - rest
    return [" ".join(words) for words in lines]
