"""The comment that silences one finding, where :mod:`session_lint.suppress` hears it."""

from __future__ import annotations

import tokenize
from typing import TYPE_CHECKING

from session_lint.finding import Edit, Location
from session_lint.suppress.comments import IGNORE

if TYPE_CHECKING:
    from session_lint.finding import Finding
    from session_lint.source import Source


def silenced(source: Source, finding: Finding) -> Edit | None:
    """The edit that silences a finding; ``None`` where no comment can stand on its line.

    The code joins those of a comment that is there already.
    """
    row = _last_row(source, finding.location.row)
    if row is None:
        return None
    line = source.lines[row - 1].rstrip("\r\n")
    known = next((match for match in IGNORE.finditer(line) if match["codes"] and not match["file"]), None)
    if known is not None:
        return _inserted(f", {finding.code}", row, known.end("codes"))
    gap = "" if line.endswith("  ") else " " if line.endswith(" ") else "  "
    return _inserted(f"{gap}# session-lint: ignore[{finding.code}]", row, len(line))


def code_at(source: Source, location: Location) -> str:
    """The code or name that a place in a suppression comment stands on; empty where it does not."""
    line = source.lines[location.row - 1] if location.row <= len(source.lines) else ""
    comment = line.find("#")
    before, _, rest = line[: location.column - 1], "", line[location.column - 1 :]
    word = before[len(before.rstrip(_LETTERS)) :] + rest[: len(rest) - len(rest.lstrip(_LETTERS))]
    lowered = line[max(comment, 0) :].lower()
    in_comment = -1 < comment < location.column and ("session-lint" in lowered or "noqa" in lowered)
    return word if in_comment else ""


_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"


def _inserted(content: str, row: int, column: int) -> Edit:
    place = Location(row, column + 1)
    return Edit(content, place, place)


def _last_row(source: Source, row: int) -> int | None:
    """The last of the rows that a comment speaks for together with one: a string or a backslash joins them."""
    lines = iter(source.lines)
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            if token.type in (tokenize.NL, tokenize.NEWLINE) and token.end[0] >= row:
                return token.start[0]
    except (tokenize.TokenError, SyntaxError, SystemError):  # the last is Python 3.12's answer to a null byte
        return None
    return None
