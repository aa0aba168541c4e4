"""What the map's formats call things, and texts that are safe to draw."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from session_lint.mapping import Pattern

if TYPE_CHECKING:
    from session_lint.mapping import Entrance

LETTERS = {Pattern.MANUAL: "M", Pattern.SCOPE: "S", Pattern.SINGLETON: "G", Pattern.REQUEST: "R"}
SAID = {
    Pattern.MANUAL: "opened and closed by hand",
    Pattern.SCOPE: "scope: a with, or a decorator",
    Pattern.SINGLETON: "the global session (singleton)",
    Pattern.REQUEST: "request: a framework keeps it",
}
MIXED, ENTRY, OPEN = "≠", "▸", "!"
MARKS = {
    MIXED: "mixes patterns",
    ENTRY: "an entry that reaches the global session",
    OPEN: "leaves a session open on some way",
}

ROLES = {
    "factory": Pattern.MANUAL,
    "factory-maker": Pattern.MANUAL,
    "opener": Pattern.MANUAL,
    "owner": Pattern.MANUAL,
    "scope": Pattern.SCOPE,
    "decorator": Pattern.SCOPE,
    "singleton": Pattern.SINGLETON,
    "closer": Pattern.SINGLETON,
    "dependency": Pattern.REQUEST,
    "registry": Pattern.REQUEST,
    "managed": Pattern.REQUEST,
}
"""The pattern that a definition serves, by its role."""
_SIGNS = {"singleton": "G", "owner": "K", "decorator": "@", "managed": "R"}


def sign_of(role: str) -> str:
    """The letter of a role: the first, where two roles do not share it."""
    return _SIGNS.get(role, role[0].upper())


def clean(text: str) -> str:
    """A text without what XML and terminals cannot bear: control characters, halves of characters."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Cn", "Cf") else c for c in text)


def columns(text: str) -> int:
    """How many columns of a monospaced font a text takes; what such a font may lack counts as two."""
    return sum(1 if c.isascii() or unicodedata.category(c) == "Mn" else 2 for c in text)


def cut(text: str, most: int) -> str:
    """A text of at most so many columns: the middle goes first."""
    if columns(text) <= most:
        return text
    head, tail = text[: len(text) // 2], text[len(text) // 2 :]
    while head and tail and columns(head) + columns(tail) + 2 > most:
        if columns(head) > columns(tail):
            head = head[:-1]
        else:
            tail = tail[1:]
    return f"{head}…{tail}"


def way(one: Entrance) -> str:
    """A way to the global session, in words: each module once, then what it calls."""
    said, module = [], ""
    for stop, _ in one.way:
        home, _, symbol = stop.partition(":")
        said.append(symbol if home == module else stop)
        module = home
    getter = one.getter.rpartition(":")[2]
    return f"{' → '.join(said)} → {getter}(): {one.ending}"
