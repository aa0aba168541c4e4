"""The map of a code base's sessions, in plain values: modules, places, definitions, entries."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum

from session_lint.analysis.inventory import LENT, OPEN, RAISING


class Pattern(str, Enum):
    """A way in which code gets its sessions."""

    MANUAL = "manual"
    SCOPE = "scope"
    SINGLETON = "singleton"
    REQUEST = "request"


@dataclass(frozen=True)
class Site:
    """A place that gets a session.

    :param symbol: the function, dotted, empty for the module body.
    :param text: what stands there.
    :param through: the key of the definition that it goes through; empty where that is not known.
    :param ending: what becomes of the session, in words.
    """

    row: int
    symbol: str
    pattern: Pattern
    text: str
    through: str
    ending: str

    @property
    def open(self) -> bool:
        """Whether the session stays open on some way."""
        return self.ending in (OPEN, RAISING)

    @property
    def uses(self) -> bool:
        """Whether the place uses the pattern, and does not define one for others."""
        return self.ending != LENT


@dataclass(frozen=True)
class Close:
    """A call that closes the global session.

    :param through: the key of the closer.
    """

    row: int
    symbol: str
    through: str


@dataclass(frozen=True)
class Node:
    """A module that has to do with sessions, or holds an entry that reaches the global one.

    :param name: its dotted name; its path where another file has the same name.
    :param filename: its file, as it was named.
    :param given: how many of its functions are passed a session by their callers.
    """

    name: str
    filename: str
    sites: tuple[Site, ...]
    closes: tuple[Close, ...]
    given: int
    test: bool

    @property
    def concerned(self) -> bool:
        """Whether anything in the module has to do with a session."""
        return bool(self.sites or self.closes or self.given)

    @property
    def patterns(self) -> dict[Pattern, int]:
        """How many places of the module use each pattern; those that define one for others do not count."""
        counts = Counter(site.pattern for site in self.sites if site.uses)
        return {pattern: counts[pattern] for pattern in Pattern if counts[pattern]}

    @property
    def mixed(self) -> bool:
        """Whether the module uses more than one pattern, and is no test."""
        return len(self.patterns) > 1 and not self.test

    @property
    def open(self) -> int:
        """How many of its places leave a session open on some way."""
        return sum(site.open for site in self.sites)


@dataclass(frozen=True)
class Definition:
    """Something that opens, lends, keeps or closes sessions.

    :param key: what sites name it by: ``module:name``, or a library's dotted name.
    :param module: the dotted name of its module; empty for a library's.
    :param role: as ``session-lint vocabulary`` has it; ``managed`` for what a framework or a library keeps,
        ``library`` for what else a library defines.
    :param known: what that rests on.
    """

    key: str
    name: str
    module: str
    filename: str
    row: int
    role: str
    known: str


@dataclass(frozen=True)
class Entrance:
    """An entry that reaches the global session.

    :param module: of the entry.
    :param symbol: the entry; empty for the module body.
    :param way: the codes from the entry to the one that calls the getter, each ``module:symbol`` and its line.
    :param getter: the key of what is called there.
    :param ending: what becomes of the session when the entry ends, in words.
    """

    module: str
    filename: str
    symbol: str
    row: int
    way: tuple[tuple[str, int], ...]
    getter: str
    request: bool
    ending: str


@dataclass(frozen=True)
class SessionMap:
    """A code base's sessions.

    :param checked: how many files were looked at.
    """

    modules: tuple[Node, ...]
    definitions: tuple[Definition, ...]
    entries: tuple[Entrance, ...]
    checked: int

    def within(self, package: str) -> SessionMap:
        """The map of one package or module, and what its modules go through."""
        inside = tuple(node for node in self.modules if is_within(node.name, package))
        entries = tuple(one for one in self.entries if is_within(one.module, package))
        named = {key for node in inside for key in keys(node)} | {one.getter for one in entries}
        told = tuple(one for one in self.definitions if one.key in named or is_within(one.module, package))
        return replace(self, modules=inside, definitions=told, entries=entries)


def is_within(name: str, package: str) -> bool:
    """Whether a dotted name is that of a package, or of something in it."""
    return name == package or name.startswith(f"{package}.")


def keys(node: Node) -> set[str]:
    """The definitions that a module goes through."""
    named = [*(site.through for site in node.sites), *(close.through for close in node.closes)]
    return {key for key in named if key}
