"""From files to their map: each file is asked for its facts, and what they name is brought together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.analysis import inventory, patterns
from session_lint.analysis.entries import reaches
from session_lint.analysis.glossary import glossary
from session_lint.analysis.places import is_test
from session_lint.engine import ask, forget
from session_lint.mapping.model import Close, Definition, Entrance, Node, Pattern, SessionMap, Site
from session_lint.python.modules import absolute, module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.entries import Reach
    from session_lint.analysis.glossary import Entry
    from session_lint.analysis.inventory import Closing, Use
    from session_lint.analysis.origins import Origin
    from session_lint.finding import Finding
    from session_lint.settings import Settings

_PATTERNS = {
    patterns.MANUAL: Pattern.MANUAL,
    patterns.SCOPE: Pattern.SCOPE,
    patterns.GLOBAL: Pattern.SINGLETON,
    patterns.REQUEST: Pattern.REQUEST,
}
_ROLES = {
    patterns.MANUAL: "factory",
    patterns.SCOPE: "scope",
    patterns.GLOBAL: "singleton",
    patterns.REQUEST: "managed",
    "": "closer",
}
"""What a definition is taken for that only its uses tell of."""


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
    """The map of some files as they stand now, each with the settings it goes by, and why some could not be read.

    :param step: is called after each file.
    """
    forget()
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
    ordered = sorted(told, key=lambda filename: Path(filename).parts)
    return _Assembly({filename: told[filename] for filename in ordered}, checked).map, failures


def _told(facts: ModuleFacts) -> _Facts:
    path = Path(facts.source.filename)
    name = facts.module.names.module if facts.module is not None else module_name(path)
    given = {one.code for one in facts.borrowed if not one.managed}
    return _Facts(name, inventory.uses(facts), inventory.closings(facts), glossary(facts), reaches(facts), len(given))


@dataclass
class _Assembly:
    """The map in the making.

    :param told: the facts of each file.
    :param checked: how many files were looked at.
    :param definitions: by their keys; those that only uses tell of are added as they are met.
    """

    told: dict[str, _Facts]
    checked: int
    definitions: dict[str, Definition] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Name the modules, and take up what they define."""
        self.names = _names(self.told)
        for filename, facts in self.told.items():
            module = self.names[_place(filename)]
            for one in facts.entries:
                key = f"{module}:{one.name}"
                defined = Definition(key, one.name, module, filename, one.row, one.role, one.known)
                self.definitions.setdefault(key, defined)

    @property
    def map(self) -> SessionMap:
        """The map, in the order of names."""
        nodes = [self._node(filename, facts) for filename, facts in self.told.items()]
        entries = dict.fromkeys(one for facts in self.told.values() for one in self._entrances(facts))
        entering = {one.module for one in entries}
        shown = [node for node in nodes if node.concerned or node.name in entering]
        return SessionMap(
            tuple(sorted(shown, key=lambda node: node.name.split("."))),
            tuple(sorted(self.definitions.values(), key=lambda d: (d.module == "", d.module, d.row, d.name))),
            tuple(sorted(entries, key=lambda e: (e.module, e.row, e.way))),
            self.checked,
        )

    def _node(self, filename: str, facts: _Facts) -> Node:
        sites = [
            Site(u.row, u.symbol, _PATTERNS[u.pattern], u.text, self._key(u.through, u.pattern), u.ending)
            for u in facts.uses
        ]
        closes = [Close(one.row, one.symbol, self._key(one.through, "")) for one in facts.closings]
        name = self.names[_place(filename)]
        return Node(name, filename, tuple(sites), tuple(closes), facts.given, is_test(filename))

    def _entrances(self, facts: _Facts) -> Iterator[Entrance]:
        for reach in facts.reaches:
            first = reach.stops[0]
            use = next((u for u in facts.uses if u.row == reach.row and u.pattern == patterns.GLOBAL), None)
            way = tuple((f"{self._module(s.filename, s.module)}:{s.symbol}".rstrip(":"), s.row) for s in reach.stops)
            getter = self._key(use.through, patterns.GLOBAL) if use is not None else ""
            home = self._module(first.filename, first.module)
            yield Entrance(home, first.filename, first.symbol, first.row, way, getter, reach.request, reach.ending)

    def _key(self, through: Origin | None, pattern: str) -> str:
        """The key of what a place goes through, which is among the definitions from then on."""
        if through is None:
            return ""
        if through.filename is None:
            role = "managed" if pattern == patterns.REQUEST else "library"
            known = Definition(through.name, through.name, "", "", 0, role, "of a library")
        else:
            module = self._module(through.filename, through.module)
            key, role = f"{module}:{through.name}", _ROLES[pattern]
            known = Definition(key, through.name, module, through.filename, through.row, role, "told by its uses")
        return self.definitions.setdefault(known.key, known).key

    def _module(self, filename: str, name: str) -> str:
        """What a module is called on the map; by its own name where it is none of the files."""
        return self.names.get(_place(filename), name)


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
