"""A piece of source with what matters in it underlined."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.finding import Location

Lines = Callable[[str, int], Sequence[str]]
"""The lines of a file, or of a cell of a notebook, by its name and number; empty where it cannot be read."""

CONTEXT = 2
TAB = 4


def frame(lines: Sequence[str], start: Location, end: Location, paint: Callable[[str, str], str]) -> list[str]:
    """The lines around a place, numbered, with carets under it.

    :param paint: a text and the name of a style in, the text as the terminal should get it out.
    """
    if not 1 <= start.row <= len(lines):
        return []
    first, last = max(1, start.row - CONTEXT), min(len(lines), start.row + CONTEXT)
    width = len(str(last))
    shown = []
    for row in range(first, last + 1):
        text = shape(lines[row - 1])
        if row != start.row and not text.strip() and row in (first, last):
            continue
        shown.append(f"{paint(f'{row:>{width}} |', 'dim')} {text}".rstrip())
        if row == start.row:
            shown.append(f"{' ' * width} {paint('|', 'dim')} {paint(_carets(lines[row - 1], start, end), 'mark')}")
    return shown


def _carets(line: str, start: Location, end: Location) -> str:
    body = line.rstrip("\r\n")
    stop = end.column - 1 if end.row == start.row else len(body)
    indent = columns(body[: start.column - 1])
    return " " * indent + "^" * max(1, columns(body[: max(stop, start.column)]) - indent)


def shape(line: str) -> str:
    """A line as it is shown: tabs widened, nothing that moves the cursor."""
    text = line.rstrip("\r\n").expandtabs(TAB)
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    zero = sum(unicodedata.category(c) in ("Mn", "Me") for c in text)
    return len(text.expandtabs(TAB)) + wide - zero
