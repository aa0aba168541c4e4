"""What is wrong with tables of names: every mistake of a whole table, found in one go.

The built-in tables are held to the same by a test.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import msgspec

from session_lint.vocabulary.said import Tables
from session_lint.vocabulary.tables import MOST_ALIASES, OPENING, Meaning, Role, Vocabulary, builtin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PART = r"[^\W\d]\w*(?:\(\))*"
_DOTTED = re.compile(rf"{_PART}(?:\.{_PART})*")
_KEY = re.compile(rf"{_PART}(?:\.{_PART})+(?:\.\*)?|{_PART}\.\*")
_FIELDS = {
    Role.SCOPE: ("commits",),
    Role.SINGLETON: ("closer",),
    Role.CLOSER: ("closes",),
    Role.FACTORY: ("scope",),
    Role.CALLS: ("argument", "runs", "slow"),
    Role.NO_RETURN: ("raises",),
    Role.NO_RAISE: ("slow",),
    Role.TAKES: ("argument", "runs"),
    Role.RUNS: ("argument", "runs", "queued"),
    Role.SLOW: ("slow",),
    Role.REQUEST_SESSION: ("gives",),
}
"""What an entry of a role may say beside its role and, for ``prefix.*``, its methods."""
_NEEDED = {Role.SINGLETON: "closer", Role.CLOSER: "closes", Role.RUNS: "runs", Role.REQUEST_SESSION: "gives"}
_PLACES = ("thread", "process", "task", "gather", "background", "stream", "fork")
_NAMING = ("closer", "closes", "scope", "raises", "gives")
_TYPES = get_type_hints(Meaning)


class Mistake(NamedTuple):
    """One thing that is wrong.

    :param place: the table and the keys it stands under.
    :param what: in words for the table's author.
    :param word: what was written, where something near it may have been meant.
    :param known: what may be written there.
    """

    place: str
    what: str
    word: str = ""
    known: tuple[str, ...] = ()


def checked(content: dict[str, Any], below: Vocabulary | None = None) -> tuple[Tables, list[Mistake]]:
    """Tables as they stand in a file, and what is wrong with them.

    :param below: the vocabulary that they will lie over; ``None`` for the built-in one.
    :returns: what is right of the tables, and the mistakes in the order of the file.
    """
    below = below or builtin()
    found: list[Mistake] = [
        Mistake(f"] {key}", "there is no such key", key, ("names", "aliases"))
        for key in content
        if key not in ("names", "aliases")
    ]
    names, aliases = (_table(key, content.get(key, {}), found) for key in ("names", "aliases"))
    meanings: dict[str, Meaning] = {}
    for name, entry in names.items():
        wrong = list(_entry_mistakes(name, entry))
        found += wrong
        if not wrong:
            meanings[name] = msgspec.convert(entry, Meaning)
    sound: dict[str, str] = {}
    for alias, target in aliases.items():
        wrong = list(_alias_mistakes(alias, target, names))
        found += wrong
        if not wrong:
            sound[alias] = target
    tables = Tables(tuple(meanings.items()), tuple(sound.items()))
    return tables, [*found, *_together(tables, below.extended(tables), names.keys() - meanings.keys())]


def _table(key: str, table: Any, found: list[Mistake]) -> dict[str, Any]:  # noqa: ANN401  (what TOML holds)
    if isinstance(table, dict):
        return table
    found.append(Mistake(f".{key}]", "expected a table"))
    return {}


def _entry_mistakes(name: str, entry: Any) -> Iterator[Mistake]:  # noqa: ANN401  (what TOML holds)
    place = f".names] {name!r}"
    if not _KEY.fullmatch(name):
        yield Mistake(place, "not a dotted name, such as 'package.module.name', 'package.make()' or 'package.logger.*'")
    if not isinstance(entry, dict):
        yield Mistake(place, "expected a table, such as { role = 'factory' }")
        return
    for key, value in entry.items():
        yield from _field_mistakes(f"{place} {key}", key, value)
    if "role" not in entry:
        yield Mistake(place, "there is no role")
    elif entry["role"] in list(Role):
        yield from _fitting(place, name, entry, Role(entry["role"]))


def _field_mistakes(place: str, key: str, value: Any) -> Iterator[Mistake]:  # noqa: ANN401  (what TOML holds)
    """What is wrong with one field by itself."""
    if key not in _TYPES:
        yield Mistake(place, "there is no such key", key, tuple(_TYPES))
        return
    try:
        msgspec.convert(value, str if key == "role" else _TYPES[key], strict=True)
    except msgspec.ValidationError as error:
        yield Mistake(place, f"{str(error)[0].lower()}{str(error)[1:].partition(' - at ')[0]}")
        return
    if key == "role" and value not in list(Role):
        yield Mistake(place, f"there is no role {value!r}", value, tuple(role.value for role in Role))
    if key == "runs" and value not in _PLACES:
        yield Mistake(place, f"{value!r} is no place to run something", value, _PLACES)
    if key == "argument" and value < 0:
        yield Mistake(place, "arguments are counted from 0")
    if key in _NAMING and not _DOTTED.fullmatch(value):
        yield Mistake(place, f"{value!r} is not a dotted name")


def _fitting(place: str, name: str, entry: dict[str, Any], role: Role) -> Iterator[Mistake]:
    """What does not go with the role."""
    fitting = _FIELDS.get(role, ())
    for key in entry:
        if key == "methods" and not name.endswith(".*"):
            yield Mistake(f"{place} methods", "only a name that ends in '.*' has methods")
        elif key in _TYPES and key not in ("role", "methods", *fitting):
            may = f"; it may have {' and '.join(map(repr, fitting))}" if fitting else ""
            yield Mistake(f"{place} {key}", f"the role {role.value!r} has no {key!r}{may}")
    if role in _NEEDED and _NEEDED[role] not in entry:
        yield Mistake(place, f"the role {role.value!r} needs {_NEEDED[role]!r}")
    if role in OPENING and name.endswith(".*") and not entry.get("methods"):
        yield Mistake(place, "an opener that ends in '.*' needs 'methods': files are looked through for them")


def _alias_mistakes(alias: str, target: Any, names: dict[str, Any]) -> Iterator[Mistake]:  # noqa: ANN401
    place = f".aliases] {alias!r}"
    if not _DOTTED.fullmatch(alias):
        yield Mistake(place, "not a dotted name")
    if not isinstance(target, str):
        yield Mistake(place, f"expected `str`, got `{type(target).__name__}`")
    elif not _DOTTED.fullmatch(target):
        yield Mistake(place, f"{target!r} is not a dotted name")
    elif target == alias:
        yield Mistake(place, "an alias of itself")
    if alias in names:
        yield Mistake(place, "it has a meaning in 'names' already")


def _together(tables: Tables, joined: Vocabulary, unsure: Iterable[str]) -> Iterator[Mistake]:
    """What is wrong between entries that are right by themselves.

    :param joined: the tables over what they lie over.
    :param unsure: names with mistakes of their own, of which nothing can be said.
    """
    doubtful = {joined.canonical(name) for name in unsure}
    for name, meaning in tables.names:
        place = f".names] {name!r}"
        for key in ("closer", "closes", "scope"):
            other = getattr(meaning, key)
            if other and joined.canonical(other) not in doubtful:
                yield from _reference(f"{place} {key}", joined.canonical(name), key, other, joined)
    for alias, _ in tables.aliases:
        way = _way(alias, joined)
        if joined.renamed(way[-1]) != way[-1]:
            yield Mistake(f".aliases] {alias!r}", f"it leads round in a circle, or too far: {' > '.join(way)}")


def _reference(place: str, name: str, key: str, other: str, joined: Vocabulary) -> Iterator[Mistake]:
    """What is wrong with a field that names another entry."""
    found = joined.meaning(other)
    if key == "closer":
        if found is None or found.role is not Role.CLOSER:
            yield Mistake(place, f"{other!r} is no closer")
        elif joined.canonical(found.closes) != name:
            yield Mistake(place, f"{other!r} closes {found.closes!r}")
    elif key == "closes" and (found is None or found.role is not Role.SINGLETON):
        yield Mistake(place, f"{other!r} is no singleton", other, _names(joined, Role.SINGLETON))
    elif key == "scope" and (found is None or found.role is not Role.SCOPE or not found.commits):
        yield Mistake(place, f"{other!r} is no scope that commits", other, _names(joined, Role.SCOPE))


def _names(joined: Vocabulary, role: Role) -> tuple[str, ...]:
    return tuple(name for name, meaning in joined.names.items() if meaning.role is role)


def _way(alias: str, joined: Vocabulary) -> list[str]:
    """The names that an alias leads through, as far as they are followed."""
    way = [alias]
    while (after := joined.renamed(way[-1])) != way[-1] and len(way) <= MOST_ALIASES and after not in way:
        way.append(after)
    return [*way, after] if after in way[:-1] else way
