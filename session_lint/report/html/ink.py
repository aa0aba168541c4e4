"""Colours for source text: keywords, strings, comments and numbers of each line."""

from __future__ import annotations

import io
import keyword
import tokenize
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


TAB = 4


def shape(line: str) -> str:
    """A line as it is shown: tabs widened, nothing that moves, turns or ends what is around it."""
    text = line.rstrip("\r\n").expandtabs(TAB)
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


class Ink(NamedTuple):
    """A piece of a line.

    :param kind: ``k`` for a keyword, ``s`` for a string, ``c`` for a comment, ``n`` for a number; empty for the rest.
    """

    kind: str
    text: str


_STRINGS = (
    "STRING",
    "FSTRING_START",
    "FSTRING_MIDDLE",
    "FSTRING_END",
    "TSTRING_START",
    "TSTRING_MIDDLE",
    "TSTRING_END",
)
_KINDS = {getattr(tokenize, name): "s" for name in _STRINGS if hasattr(tokenize, name)}
_KINDS |= {tokenize.COMMENT: "c", tokenize.NUMBER: "n"}


def inked(lines: Sequence[str], longest: int) -> list[tuple[Ink, ...]]:
    """The pieces of each line, as it is shown; all in one colour from where it is not Python.

    :param longest: how many characters of a line are shown.
    """
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for row, start, end, kind in _spans(lines):
        spans.setdefault(row, []).append((start, end, kind))
    return [tuple(_pieces(line, spans.get(row, ()), longest)) for row, line in enumerate(lines, 1)]


def _spans(lines: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """The coloured pieces: row, first character and the one behind the last, kind."""
    try:
        for token in tokenize.generate_tokens(io.StringIO("".join(lines)).readline):
            kind = "k" if token.type == tokenize.NAME and keyword.iskeyword(token.string) else _KINDS.get(token.type)
            if kind is None:
                continue
            (first, start), (last, end) = token.start, token.end
            for row in range(first, last + 1):
                whole = len(lines[row - 1]) if row <= len(lines) else 0
                yield row, start if row == first else 0, end if row == last else whole, kind
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def _pieces(line: str, spans: Sequence[tuple[int, int, str]], longest: int) -> Iterator[Ink]:
    text = line.rstrip("\r\n")
    cut = text[:longest]
    at = 0
    for start, end, kind in sorted(spans):
        if at <= start < min(end, len(cut)):
            yield from _ink("", cut, at, start)
            yield from _ink(kind, cut, start, end)
            at = min(end, len(cut))
    yield from _ink("", cut, at, len(cut))
    if len(text) > longest:
        yield Ink("c", f"… {len(text) - longest} more characters")


def _ink(kind: str, text: str, start: int, end: int) -> Iterator[Ink]:
    if start < end:  # what stands before says how wide a tab is
        yield Ink(kind, shape(text[:end])[len(shape(text[:start])) :])
