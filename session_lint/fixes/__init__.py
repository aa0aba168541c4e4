"""Codemods: from a finding's plan and a module's text to edits. libcst is imported only when one is carried out.

What rules ask about the fix of a finding is found here, too, and imported when the first one asks: few files have any.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from session_lint.finding import Edit, Location
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.finding import Fix
    from session_lint.fixes.judge import fix_or_refusal, lending_fix, scoped_fix
    from session_lint.fixes.redundancy import redundant, splitting, superfluous
    from session_lint.fixes.serving import own_session, teardown
    from session_lint.fixes.settling import settle
    from session_lint.fixes.waiting import awaited
    from session_lint.source import Source

__all__ = [
    "CannotFix",
    "apply",
    "awaited",
    "differing",
    "edits",
    "fix_or_refusal",
    "lending_fix",
    "own_session",
    "redundant",
    "rewritten",
    "scoped_fix",
    "settle",
    "splitting",
    "superfluous",
    "teardown",
]
_HOMES = {
    **dict.fromkeys(("fix_or_refusal", "lending_fix", "scoped_fix"), "judge"),
    **dict.fromkeys(("redundant", "splitting", "superfluous"), "redundancy"),
    **dict.fromkeys(("own_session", "teardown"), "serving"),
    **dict.fromkeys(("settle",), "settling"),
    **dict.fromkeys(("awaited",), "waiting"),
}
"""The modules of those that are imported when they are asked for."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


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
