"""The tables of names: reading them, and looking a dotted name up.

A name is written as :mod:`session_lint.python.names` writes it, ``()`` for a call. ``prefix.*`` stands
for every attribute, or those in ``methods``. An alias renames the front of a name.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable

TABLES = ("sqlalchemy", "reference", "sqlmodel", "flask_sqlalchemy", "web", "stdlib")


_MOST_ALIASES = 4
"""How many times a name may be another name for something; tables that go round in a circle end there."""


class Role(str, Enum):
    """What a name is to a session; the tables' own words."""

    FACTORY = "factory"
    FACTORY_MAKER = "factory-maker"
    SCOPE = "scope"
    SINGLETON = "singleton"
    CLOSER = "closer"
    REGISTRY_MAKER = "registry-maker"
    MANAGED = "managed"
    TAKES = "takes"
    CLOSING = "closing"
    TRANSPARENT = "transparent"
    SWALLOWS = "swallows"
    CONTEXT_MANAGER = "context-manager"
    FIXTURE = "fixture"
    MEMOISED = "memoised"
    CONTEXT_LOCAL = "context-local"
    REQUEST_HANDLER = "request-handler"
    REQUEST_CLASS = "request-class"
    WRITE_STATEMENT = "write-statement"
    CALLS = "calls"
    NO_RETURN = "no-return"
    NO_RAISE = "no-raise"


@dataclass(frozen=True)
class Meaning:
    """What a name means.

    :param commits: for a scope: it commits when its body ends normally.
    :param closer: for a singleton: the name of the function that closes it.
    :param closes: for a closer: the name of the singleton's getter.
    :param scope: for a factory: the committing scope over the same factory.
    :param raises: for a call that does not return: the exception that it raises, if any.
    :param argument: for something that calls what it is given and gives back what that gave: which argument it is.
    :param methods: for ``prefix.*``: the attributes that are meant; empty means all.
    """

    role: Role
    commits: bool = False
    closer: str = ""
    closes: str = ""
    scope: str = ""
    raises: str = ""
    argument: int = 0
    methods: tuple[str, ...] = ()


class Vocabulary:
    """Meanings by dotted name.

    :param names: meaning by name or ``prefix.*``.
    :param aliases: other names for the front of a name.
    """

    def __init__(self, names: dict[str, Meaning], aliases: dict[str, str]) -> None:
        self.names = names
        self.aliases = aliases
        self._cache: dict[str, Meaning | None] = {}

    def meaning(self, name: str) -> Meaning | None:
        """What a dotted name means, or ``None``."""
        if name not in self._cache:
            canonical = self.canonical(name)
            self._cache[name] = self.names.get(canonical) or self._family(canonical)
        return self._cache[name]

    def of(self, names: Iterable[str]) -> Meaning | None:
        """What the first name with a meaning means."""
        return next((m for m in map(self.meaning, sorted(names)) if m is not None), None)

    def canonical(self, name: str) -> str:
        """The name with its front replaced by what it is an alias of."""
        for _ in range(_MOST_ALIASES):
            renamed = self._renamed(name)
            if renamed == name:
                break
            name = renamed
        return name

    def _renamed(self, name: str) -> str:
        end = len(name)
        while end > 0:
            if name[:end] in self.aliases:
                return self.aliases[name[:end]] + name[end:]
            end = max(name.rfind(".", 0, end), name.rfind("(", 0, end))
        return name

    def _family(self, name: str) -> Meaning | None:
        prefix, _, last = name.rpartition(".")
        meaning = self.names.get(f"{prefix}.*")
        if meaning is None or (meaning.methods and last not in meaning.methods):
            return None
        return meaning


@cache
def builtin() -> Vocabulary:
    """The vocabulary of the libraries that the tool knows."""
    names: dict[str, Meaning] = {}
    aliases: dict[str, str] = {}
    for table in TABLES:
        content = read_table(table)
        names.update({name: _meaning(entry) for name, entry in content["names"].items()})
        aliases.update(content.get("aliases", {}))
    return Vocabulary(names, aliases)


def read_table(name: str) -> dict[str, Any]:
    """The content of one TOML file of this folder."""
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8"))


def _meaning(entry: dict[str, Any]) -> Meaning:
    return Meaning(**{**entry, "role": Role(entry["role"]), "methods": tuple(entry.get("methods", ()))})


_OPENING = {Role.FACTORY, Role.FACTORY_MAKER, Role.SCOPE, Role.SINGLETON}


@cache
def opening_words() -> tuple[str, ...]:
    """The words of which a text holds one if it opens a session by a name that the tables know."""
    opening = {name.removesuffix("()") for name, meaning in builtin().names.items() if meaning.role in _OPENING}
    renamed = {alias for alias, name in builtin().aliases.items() if name in opening}
    return tuple(sorted({name.rpartition(".")[2] for name in opening | renamed} - {"begin"}))


@cache
def _markers() -> tuple[str, ...]:
    words = opening_words()
    return tuple(w for w in words if not any(o != w and o in w for o in words))


def mentions(text: str) -> bool:
    """Whether a text can open a session at all: it holds a word that every way to one ends in."""
    return any(marker in text for marker in _markers())
