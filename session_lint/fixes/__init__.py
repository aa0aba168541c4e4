"""Codemods: from a finding's plan and a module's text to edits. libcst is imported only when one is carried out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from session_lint.finding import Edit, Location
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.finding import Fix
    from session_lint.source import Source


class CannotFix(Exception):  # noqa: N818  # what it says is what a caller reads
    """A codemod that found the text other than its plan says.

    :param reason: in words the author can act on.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def rewritten(source: Source, fix: Fix) -> str:
    """The module's text with a fix carried out.

    :raises CannotFix: where the codemod refuses the text.
    """
    codemod = importlib.import_module(f"{__name__}.{fix.codemod}")
    parsing = importlib.import_module(f"{__name__}.parsing")
    text: str = parsing.faithful(source.text, codemod.rewrite(source.text, dict(fix.plan)))
    return text


def edits(source: Source, fix: Fix) -> tuple[Edit, ...]:
    """What a fix changes, as text to put between locations.

    :raises CannotFix: where the codemod refuses the text.
    """
    return differing(source.text, rewritten(source, fix))


def differing(text: str, other: str) -> tuple[Edit, ...]:
    """What makes one text of another, line by line."""
    import difflib  # noqa: PLC0415  (only what is shown or written is compared)

    before, after = physical_lines(text), physical_lines(other)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return tuple(
        Edit("".join(after[c:d]), Location(a + 1, 1), Location(b + 1, 1))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    )


def apply(text: str, changes: Iterable[Edit]) -> str:
    """The text with edits carried out, the last first; they do not overlap."""
    lines = physical_lines(text)
    for edit in sorted(changes, key=lambda e: e.location, reverse=True):
        start, end = edit.location, edit.end_location
        head = lines[start.row - 1][: start.column - 1] if start.row <= len(lines) else ""
        tail = lines[end.row - 1][end.column - 1 :] if end.row <= len(lines) else ""
        lines[start.row - 1 : end.row] = physical_lines(head + edit.content + tail)
    return "".join(lines)
