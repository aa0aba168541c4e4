"""A comment that silences says what it does, or goes: with the blanks before it, or with its line where it is alone."""

from __future__ import annotations

import re
from typing import Any

from session_lint.fixes import CannotFix
from session_lint.source import physical_lines

_CODING = re.compile(r"[ \t\f]*#.*?coding[:=]")
_CODING_ROWS = 2  # only there a comment names the encoding
_END = re.compile(r"[\r\n]*\Z")


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with ``plan["new"]`` for ``plan["old"]``, a comment that begins at ``plan["at"]``.

    :raises CannotFix: where it does not stand there.
    """
    row, column = plan["at"]
    lines = physical_lines(text)
    line = lines[row - 1] if row <= len(lines) else ""
    head, tail = line[: column - 1], line[column - 1 :]
    if not tail.startswith(plan["old"]):
        raise CannotFix("the comment was not found")
    tail = tail.removeprefix(plan["old"])
    if not plan["new"]:
        head, tail = _closed(head, tail)
    lines[row - 1] = head + plan["new"] + tail
    if not lines[row - 1].strip():
        if row <= _CODING_ROWS < len(lines) and _CODING.match(lines[_CODING_ROWS]):
            raise CannotFix("the line below would become the one that names the encoding")
        del lines[row - 1]
    return "".join(lines)


def _closed(head: str, tail: str) -> tuple[str, str]:
    """What stood around a comment that is gone, without the blanks between."""
    further = tail.lstrip(" \t")
    end = _END.search(tail)
    if further.startswith("#"):  # another comment takes its place
        return head, further
    return head.rstrip(" \t"), end[0] if end else ""
