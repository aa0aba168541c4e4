"""The typestate protocol: what each method of a session does to it (``protocol.toml``)."""

from __future__ import annotations

from functools import cache

from session_lint.values import dataclass
from session_lint.vocabulary.tables import read_table


@dataclass(frozen=True)
class Effect:
    """What a method of a session does.

    :param effect: what it is for: ``close``, ``commit``, ``rollback``, ``flush``, ``write``, ``read``,
        ``begin``, ``nested``, ``build`` or ``none``.
    :param to: the state it moves the session to (``closed``, ``idle``, ``active``); empty leaves it.
    :param raises: whether it may raise an ``SQLAlchemyError``.
    """

    effect: str
    to: str = ""
    raises: bool = True


@dataclass(frozen=True)
class QueryMethods:
    """Methods of a query: ``builders`` only make another query, ``writers`` change rows."""

    builders: frozenset[str]
    writers: frozenset[str]


@cache
def effects() -> dict[str, Effect]:
    """The effect of each method of a session, by its name."""
    return {name: Effect(**entry) for name, entry in read_table("protocol")["session"].items()}


@cache
def query_methods() -> QueryMethods:
    """The methods of a query, by what they do."""
    query = read_table("protocol")["query"]
    return QueryMethods(frozenset(query["builders"]), frozenset(query["writers"]))
