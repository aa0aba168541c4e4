"""The map of a code base's sessions: which modules get them in which way, through what, and who closes them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.analysis import inventory, patterns
from session_lint.analysis.entries import reaches
from session_lint.analysis.glossary import glossary
from session_lint.analysis.inventory import LENT, OPEN, RAISING
from session_lint.analysis.places import is_test
from session_lint.engine import ask
from session_lint.python.modules import absolute, module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.entries import Reach
    from session_lint.analysis.glossary import Entry
    from session_lint.analysis.inventory import Closing, Use
    from session_lint.analysis.origins import Origin
    from session_lint.finding import Finding
    from session_lint.settings import Settings


class Pattern(str, Enum):
    """A way in which code gets its sessions."""

    MANUAL = "manual"
    SCOPE = "scope"
    SINGLETON = "singleton"
    REQUEST = "request"


_PATTERNS = {
    patterns.MANUAL: Pattern.MANUAL,
    patterns.SCOPE: Pattern.SCOPE,
    patterns.GLOBAL: Pattern.SINGLETON,
    patterns.REQUEST: Pattern.REQUEST,
}


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


@dataclass(frozen=True)
class _Facts:
    """What the facts of one module say."""

    name: str
    uses: list[Use]
    closings: list[Closing]
    entries: list[Entry]
    reaches: list[Reach]
    given: int


def session_map(
    found: Iterable[tuple[Settings, Sequence[Path]]], step: Callable[[], None] = lambda: None
) -> tuple[SessionMap, list[Finding]]:
    """The map of some files, each with the settings it goes by, and why some of them could not be read.

    :param step: is called after each file.
    """
    told: dict[str, _Facts] = {}
    failures: list[Finding] = []
    checked = 0
    for settings, files in found:
        for path in files:
            checked += 1
            facts, failed = ask(path, settings, _told)
            failures += failed
            if facts is not None:
                told[str(path)] = facts
            step()
    return _assembled(dict(sorted(told.items(), key=lambda pair: Path(pair[0]).parts)), checked), failures


def _told(facts: ModuleFacts) -> _Facts:
    path = Path(facts.source.filename)
    name = facts.module.names.module if facts.module is not None else module_name(path)
    given = {one.code for one in facts.borrowed if not one.managed}
    return _Facts(name, inventory.uses(facts), inventory.closings(facts), glossary(facts), reaches(facts), len(given))


def _assembled(told: dict[str, _Facts], checked: int) -> SessionMap:
    names = _names(told)
    definitions = _defined(told, names)
    nodes = [_node(filename, facts, names, definitions) for filename, facts in told.items()]
    entries = [one for facts in told.values() for one in _entrances(facts, names, definitions)]
    entering = {one.module for one in entries}
    return SessionMap(
        tuple(sorted((n for n in nodes if n.concerned or n.name in entering), key=lambda n: n.name.split("."))),
        tuple(sorted(definitions.values(), key=lambda d: (d.module == "", d.module, d.row, d.name))),
        tuple(sorted(dict.fromkeys(entries), key=lambda e: (e.module, e.row, e.way))),
        checked,
    )


def _node(filename: str, facts: _Facts, names: dict[str, str], definitions: dict[str, Definition]) -> Node:
    sites = []
    for use in facts.uses:
        through = _key(use.through, names, definitions, use.pattern)
        sites.append(Site(use.row, use.symbol, _PATTERNS[use.pattern], use.text, through, use.ending))
    closes = [Close(one.row, one.symbol, _key(one.through, names, definitions, "")) for one in facts.closings]
    return Node(names[_place(filename)], filename, tuple(sites), tuple(closes), facts.given, is_test(filename))


def _names(told: dict[str, _Facts]) -> dict[str, str]:
    """What the module of each file, by its absolute path, is called: by its path where several have one name."""
    counts = Counter(facts.name for facts in told.values())
    return {
        _place(filename): facts.name if counts[facts.name] == 1 else _by_path(filename)
        for filename, facts in told.items()
    }


def _place(filename: str) -> str:
    return str(absolute(Path(filename)))


def _by_path(filename: str) -> str:
    return ".".join(Path(filename).with_suffix("").parts).strip("./")


def _defined(told: dict[str, _Facts], names: dict[str, str]) -> dict[str, Definition]:
    found: dict[str, Definition] = {}
    for filename, facts in told.items():
        module = names[_place(filename)]
        for one in facts.entries:
            key = f"{module}:{one.name}"
            found.setdefault(key, Definition(key, one.name, module, filename, one.row, one.role, one.known))
    return found


_ROLES = {
    patterns.MANUAL: "factory",
    patterns.SCOPE: "scope",
    patterns.GLOBAL: "singleton",
    patterns.REQUEST: "managed",
    "": "closer",
}
"""What a definition is taken for that only its uses tell of."""


def _key(through: Origin | None, names: dict[str, str], definitions: dict[str, Definition], pattern: str) -> str:
    """The key of what a place goes through; where only its uses tell of it, it is added to the definitions."""
    if through is None:
        return ""
    if through.filename is None:
        role = "managed" if pattern == patterns.REQUEST else "library"
        known = Definition(through.name, through.name, "", "", 0, role, "of a library")
        return definitions.setdefault(through.name, known).key
    module = names.get(_place(through.filename), through.module)
    key = f"{module}:{through.name}"
    known = Definition(key, through.name, module, through.filename, through.row, _ROLES[pattern], "told by its uses")
    return definitions.setdefault(key, known).key


def _entrances(facts: _Facts, names: dict[str, str], definitions: dict[str, Definition]) -> Iterable[Entrance]:
    for reach in facts.reaches:
        first = reach.stops[0]
        use = next((u for u in facts.uses if u.row == reach.row and u.pattern == patterns.GLOBAL), None)
        way = tuple((f"{names.get(_place(s.filename), s.module)}:{s.symbol}".rstrip(":"), s.row) for s in reach.stops)
        getter = _key(use.through, names, definitions, patterns.GLOBAL) if use is not None else ""
        home = names.get(_place(first.filename), first.module)
        yield Entrance(home, first.filename, first.symbol, first.row, way, getter, reach.request, reach.ending)
