"""The tables of names: reading them, and looking a dotted name up.

A name is written as :mod:`session_lint.python.names` writes it, ``()`` for a call. ``prefix.*`` stands
for every attribute, or those in ``methods``. An alias renames the front of a name. A user's tables, of the same
form, lie over those of the libraries.
"""

from __future__ import annotations

from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from session_lint.values import dataclass
from session_lint.vocabulary.compiled import CONTENT
from session_lint.vocabulary.said import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TABLES = (
    "sqlalchemy",
    "reference",
    "sqlmodel",
    "flask_sqlalchemy",
    "oslo_db",
    "airflow",
    "applications",
    "web",
    "stdlib",
    "running",
    "slow",
)


MOST_ALIASES = 4
"""How many times a name may be another name for something; tables that go round in a circle end there."""


class Role(str, Enum):
    """What a name is to a session; the tables' own words."""

    FACTORY = "factory"
    FACTORY_MAKER = "factory-maker"
    ENGINE_MAKER = "engine-maker"
    SCOPE = "scope"
    SINGLETON = "singleton"
    CLOSER = "closer"
    CLOSES_ALL = "closes-all"
    REGISTRY_MAKER = "registry-maker"
    MANAGED = "managed"
    TAKES = "takes"
    CLOSING = "closing"
    TRANSPARENT = "transparent"
    SAME = "same"
    SWALLOWS = "swallows"
    CONTEXT_MANAGER = "context-manager"
    FIXTURE = "fixture"
    MEMOISED = "memoised"
    CONTEXT_LOCAL = "context-local"
    REQUEST_HANDLER = "request-handler"
    REQUEST_CLASS = "request-class"
    DEPENDENCY = "dependency"
    TEARDOWN = "teardown"
    REQUEST_SESSION = "request-session"
    COMMAND = "command"
    WRITE_STATEMENT = "write-statement"
    CALLS = "calls"
    ADVANCES = "advances"
    RUNS = "runs"
    SLOW = "slow"
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
    :param argument: for something that calls what it is given, now, later or elsewhere: which argument that is.
    :param runs: where it runs what it is given: ``thread``, ``process``, ``task``, ``gather`` (several tasks),
        ``background`` (after the response), ``stream`` (while the response is sent), ``fork`` (a copy of this process).
    :param queued: for a decorator that runs functions elsewhere: calling one only puts it into a queue.
    :param slow: what it waits for outside of the program, in a word or two; empty where it does not.
    :param gives: for what gives each request a session: the name by which requests know it.
    :param methods: for ``prefix.*``: the attributes that are meant; empty means all.
    """

    role: Role
    commits: bool = False
    closer: str = ""
    closes: str = ""
    scope: str = ""
    raises: str = ""
    argument: int = 0
    runs: str = ""
    queued: bool = False
    slow: str = ""
    gives: str = ""
    methods: tuple[str, ...] = ()

    @property
    def waits_for(self) -> str:
        """What a call of it waits for, in a word or two; empty where it waits for nothing that is known."""
        return self.slow or ("something outside" if self.role is Role.SLOW else "")


class Vocabulary:
    """Meanings by dotted name.

    :param names: meaning by name or ``prefix.*``.
    :param aliases: other names for the front of a name.
    :param said: the names and aliases that are the user's own.
    """

    def __init__(self, names: dict[str, Meaning], aliases: dict[str, str], said: frozenset[str] = frozenset()) -> None:
        self.names = names
        self.aliases = aliases
        self.said = said
        self._cache: dict[str, Meaning | None] = {}

    def meaning(self, name: str) -> Meaning | None:
        """What a dotted name means, or ``None``."""
        if name not in self._cache:
            canonical = self.canonical(name)
            self._cache[name] = self.names.get(self._key(canonical))
        return self._cache[name]

    def of(self, names: Iterable[str]) -> Meaning | None:
        """What the first name with a meaning means."""
        return next((m for m in map(self.meaning, sorted(names)) if m is not None), None)

    def told(self, names: Iterable[str]) -> Meaning | None:
        """What the user says that one of some names means."""
        return self.of(n for n in names if {self._key(self.canonical(n)), self._front(n)} & self.said)

    def extended(self, tables: Tables) -> Vocabulary:
        """The vocabulary with a user's tables over it: where both speak of a name, the user's count.

        The closer of a singleton that is not spoken of is one because the singleton names it.
        """
        own = dict(tables.names)
        aliases = {**{a: n for a, n in self.aliases.items() if a not in own}, **dict(tables.aliases)}
        joined = Vocabulary(self.names, aliases)
        said = {joined.canonical(name): meaning for name, meaning in own.items()}
        joined = Vocabulary({**self.names, **said}, aliases, frozenset(said))
        closers = {
            joined.canonical(meaning.closer): Meaning(Role.CLOSER, closes=name)
            for name, meaning in said.items()
            if meaning.role is Role.SINGLETON and joined.meaning(meaning.closer) is None
        }
        return Vocabulary({**joined.names, **closers}, aliases, frozenset({*said, *closers, *dict(tables.aliases)}))

    @cached_property
    def opening_words(self) -> tuple[str, ...]:
        """The words of which a text holds one if it opens a session by a name that the tables know."""
        opening = {name.removesuffix("()"): meaning for name, meaning in self.names.items() if meaning.role in OPENING}
        renamed = {alias for alias, name in self._meant.items() if name in opening}
        families = {m for name, meaning in opening.items() if name.endswith(".*") for m in meaning.methods}
        plain = {name for name in opening if not name.endswith(".*")} | renamed
        homes = {name.rpartition(".")[0] for name, m in self.names.items() if m.role is Role.REQUEST_SESSION}
        return tuple(sorted({_word(name) for name in plain} | families | homes))

    @cached_property
    def sources(self) -> frozenset[str]:
        """The packages, and what the user names, of which one has to be named for a session to come from anywhere."""
        giving = {_package(name) for name, meaning in self.names.items() if meaning.role in GIVING or meaning.closes}
        return frozenset(giving | {_package(alias) for alias, name in self._meant.items() if _package(name) in giving})

    @cached_property
    def running_words(self) -> frozenset[str]:
        """The last words of all names of what runs elsewhere what it is given."""
        return self._last_words(lambda meaning: bool(meaning.runs))

    @cached_property
    def thread_words(self) -> frozenset[str]:
        """Those of them that may run it in a thread."""
        return self._last_words(lambda meaning: meaning.runs == "thread")

    @cached_property
    def serving_words(self) -> frozenset[str]:
        """The last words of all names of what makes a function serve requests."""
        return self._last_words(lambda meaning: meaning.role in SERVING)

    @cached_property
    def making_words(self) -> frozenset[str]:
        """The last words of all names of what makes engines and factories of sessions."""
        return self._last_words(lambda meaning: meaning.role in MAKING)

    def _last_words(self, wanted: Callable[[Meaning], bool]) -> frozenset[str]:
        """The last words of all names of some meanings; of a family, the methods that it lists."""
        found = {name.removesuffix("()"): meaning for name, meaning in self.names.items() if wanted(meaning)}
        renamed = {alias for alias, name in self._meant.items() if name in found}
        families = {m for name, meaning in found.items() if name.endswith(".*") for m in meaning.methods}
        return frozenset({name.rpartition(".")[2] for name in {*found, *renamed}} - {"*"} | families)

    @cached_property
    def libraries(self) -> frozenset[str]:
        """The packages of which the built-in tables say what they do with sessions."""
        return frozenset(
            name.partition(".")[0]
            for name, meaning in self.names.items()
            if name not in self.said and meaning.role is not Role.SLOW
        )

    @cached_property
    def _meant(self) -> dict[str, str]:
        """What each alias is another name for in the end, called or not."""
        return {alias: self.canonical(alias).removesuffix("()") for alias in self.aliases}

    @cached_property
    def _markers(self) -> tuple[str, ...]:
        words = self.opening_words
        return tuple(w for w in words if not any(o != w and o in w for o in words))

    def mentions(self, text: str) -> bool:
        """Whether a text can open a session at all: it holds a word that every way to one ends in."""
        return any(marker in text for marker in self._markers)

    def canonical(self, name: str) -> str:
        """The name with its front replaced by what it is an alias of."""
        for _ in range(MOST_ALIASES):
            renamed = self.renamed(name)
            if renamed == name:
                break
            name = renamed
        return name

    def renamed(self, name: str) -> str:
        """The name after one step, with the longest front that is an alias replaced."""
        front = self._front(name)
        return self.aliases[front] + name[len(front) :] if front else name

    def _front(self, name: str) -> str:
        """The longest front of a name that is an alias; empty where none is."""
        end = len(name)
        while end > 0 and name[:end] not in self.aliases:
            end = max(name.rfind(".", 0, end), name.rfind("(", 0, end))
        return name[: max(end, 0)]

    def _key(self, name: str) -> str:
        """The entry that speaks of a name: its own, or that of its family."""
        if name in self.names:
            return name
        prefix, _, last = name.rpartition(".")
        meaning = self.names.get(f"{prefix}.*")
        return "" if meaning is None or (meaning.methods and last not in meaning.methods) else f"{prefix}.*"


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
    """The content of one TOML file of this folder, from the module that is made of them."""
    return CONTENT[name]


def _meaning(entry: dict[str, Any]) -> Meaning:
    return _meant(tuple(entry.items()))


@cache
def _meant(said: tuple[tuple[str, Any], ...]) -> Meaning:
    """A meaning; of what hundreds of entries say there is one."""
    entry = dict(said)
    return Meaning(**{**entry, "role": Role(entry["role"])})


MAKING = frozenset({Role.ENGINE_MAKER, Role.FACTORY_MAKER})
"""The roles of what makes engines and factories of sessions."""
SERVING = frozenset({Role.REQUEST_HANDLER, Role.DEPENDENCY, Role.TEARDOWN})
"""The roles of what makes a function one that requests, or the end of each, run."""
GIVING = frozenset(
    {
        *(Role.FACTORY, Role.FACTORY_MAKER, Role.ENGINE_MAKER, Role.REGISTRY_MAKER, Role.SCOPE, Role.SINGLETON),
        *(Role.CLOSER, Role.MANAGED, Role.REQUEST_SESSION, Role.DEPENDENCY),
    }
)
"""What gives sessions, or what sessions are made of."""
OPENING = frozenset({Role.FACTORY, Role.FACTORY_MAKER, Role.REGISTRY_MAKER, Role.SCOPE, Role.SINGLETON})


def _package(name: str) -> str:
    return name.partition(".")[0].removesuffix("()")


def _word(name: str) -> str:
    """The word of a name that a text cannot do without; ``begin`` is too common, and what it is called on is there."""
    return name.removesuffix(".begin").removesuffix("()").rpartition(".")[2]


@cache
def vocabulary(tables: Tables) -> Vocabulary:
    """The built-in vocabulary with a user's tables over it; one and the same for equal tables."""
    return builtin().extended(tables) if tables != Tables() else builtin()
