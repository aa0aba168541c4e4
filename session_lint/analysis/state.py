"""The values the analysis computes with: acquire sites, typestates, facts.

A *fact* is one thing that may hold at a point of the program, on some way to it: an obligation with
the names it is known by and the typestate it is in, or, where ``site`` is ``None``, just what the way
has taught about the guards. Facts stay apart where they differ; that keeps correlated guards true.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast


class SiteKind(Enum):
    """What was acquired, hence who owes what."""

    OWNED = "owned"  # a factory call: whoever holds it must close it
    SCOPE = "scope"  # the session of a `with scope()`: the scope closes it
    SINGLETON = "singleton"  # the session of the whole process: somebody on every way out must close it
    PARAMETER = "parameter"  # somebody else's: followed to learn what a function does to it

    __hash__ = object.__hash__  # as good for what there is one of, and nothing is asked more often


class State(Enum):
    """The typestates of a session."""

    NEW = "new"  # never used: no connection was taken
    IDLE = "idle"  # after commit or rollback: the connection is back in the pool
    ACTIVE = "active"  # in a transaction, or perhaps: somebody else has seen it
    CLOSED = "closed"
    GIVEN = "given"  # handed over to an owner that outlives the code

    __hash__ = object.__hash__  # as above


@dataclass(frozen=True, eq=False)
class Site:
    """Where an obligation is born.

    :param node: the call (for a parameter, the ``ast.arg``; for a scope, the ``ast.withitem``).
    :param code: the function or module body that holds it.
    :param commits: for a scope: whether it commits at its end.
    :param key: for a singleton: the qualified name of its getter.
    :param borrowed: it was opened over a connection that somebody else owns: it takes none from the pool.
    :param via: for an obligation that came out of a call: the site inside the callee.
    :param lazy: it is a registry, which opens its session when that is used first.
    """

    kind: SiteKind
    node: ast.AST
    code: ast.AST
    commits: bool = False
    key: str = ""
    via: Site | None = None
    borrowed: bool = False
    lazy: bool = False

    def passes(self, node: ast.AST) -> bool:
        """Whether it came out of a call already, as it does where functions call each other in a circle."""
        return self.node is node or (self.via is not None and self.via.passes(node))

    @property
    def origin(self) -> Site:
        """The site that opened the session in the first place."""
        return self.via.origin if self.via is not None else self


class Raised(NamedTuple):
    """An exception on its way: an instance of ``type`` or of some subclass, raised at ``node``.

    :param undoing: a rollback raised it, which none does while another exception is handled.
    :param passed: the classes of clauses that did not catch it: it is none of these.
    :param also: other classes that it may be of as well, where they come to the same so far.
    """

    type: str
    node: ast.AST
    undoing: bool = False
    passed: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()

    @property
    def kinds(self) -> frozenset[str]:
        """All classes that it may be of."""
        return self.also | {self.type}

    def of(self, kinds: frozenset[str]) -> Raised:
        """The same where it is of some classes only."""
        first = self.type if self.type in kinds else min(kinds)
        return self._replace(type=first, also=kinds - {first})


ANY = "builtins.Exception"
SQLALCHEMY = "sqlalchemy.exc.SQLAlchemyError"


class Mark(NamedTuple):
    """Something that happened to a session on this way.

    =============== =====================================================================================
    ``taken``       by something that was told to close it
    ``yielded``     to somebody who keeps it
    ``kept``        in what outlives the code; node: the field or variable
    ``within``      in an object that is kept in a field; node: the field, other: the call that makes the object
    ``lent``        by a context manager, to its block
    ``begun``       inside ``with session.begin()``; node: the withitem
    ``scope``       inside the ``with`` of a session whose class commits at its end; node: the withitem
    ``nested``      inside a savepoint; node: the withitem
    ``transaction`` one was made by ``begin()`` and not yet entered; node: the call
    ``savepoint``   the same by ``begin_nested()``
    ``commit``      a commit by hand that nothing has followed yet; node: the call
    ``split``       a commit that an operation followed; node: the commit, other: the operation
    ``ended``       a rollback or close by hand; node: the call
    ``committed``   something was committed at all
    ``undone``      rolled back by the code itself, with all that it had loaded, and nothing has been asked since
    ``exposed``     somebody unknown has had it since the last commit
    ``lost``        a write was thrown away; node: the write, other: what threw it away
    ``reopened``    used after it was closed; node: the operation
    ``failing``     an operation that writes has raised; node: the operation, other: the write, of one before a query
    ``asking``      an operation that only reads has raised; node: the operation
    ``raised``      so has the clause that caught it, something else; node: the operation
    ``failed``      that was caught, and not rolled back since; node: the clause, other: the operation, key: ``read`` if
                    it was only that
    ``stale``       and the session was used nevertheless; node: the clause, other: the use
    ``active``      it was asked whether it is, before anything else, and it was
    ``closed``      node: what closed it
    ``dropped``     its last name went while it was open; node: where
    ``open``        on a way without obligation: the singleton ``key`` is open
    =============== =====================================================================================
    """

    what: str
    node: ast.AST | None = None
    other: ast.AST | None = None
    key: str = ""


class Fact(NamedTuple):
    """What may hold at a point.

    :param names: how the session can be reached: variable paths (``"session"``, ``"self.db"``), calls not
        yet bound (``("temp", call)``), and what holds it (``("in", name)``). Empty of paths: nobody can close it.
    :param pending: the last write that was neither committed nor rolled back.
    :param guards: atoms of tests and what they came out as.
    :param flying: the exception on its way, on an exceptional way.
    :param caught: the exceptions being handled, the innermost last.
    """

    site: Site | None
    names: frozenset[object]
    state: State
    pending: ast.AST | None
    marks: frozenset[Mark]
    guards: frozenset[tuple[str, bool]]
    flying: Raised | None
    caught: tuple[Raised, ...]

    def with_marks(self, marks: frozenset[Mark]) -> Fact:
        """A copy with other marks; this and the like are what most of the time goes into, and ``_replace`` is slow."""
        site, names, state, pending, _, guards, flying, caught = self
        return Fact(site, names, state, pending, marks, guards, flying, caught)

    def with_guards(self, guards: frozenset[tuple[str, bool]]) -> Fact:
        """A copy with other guards."""
        site, names, state, pending, marks, _, flying, caught = self
        return Fact(site, names, state, pending, marks, guards, flying, caught)

    def with_flying(self, flying: Raised | None) -> Fact:
        """A copy with another exception on its way."""
        site, names, state, pending, marks, guards, _, caught = self
        return Fact(site, names, state, pending, marks, guards, flying, caught)

    def mark(self, what: str, node: ast.AST | None = None, other: ast.AST | None = None) -> Fact:
        """A copy with something that happened."""
        return self.with_marks(self.marks | {Mark(what, node, other)})

    def unmark(self, *what: str) -> Fact:
        """A copy without the marks of these kinds."""
        return self.with_marks(frozenset(m for m in self.marks if m.what not in what))

    def marked(self, what: str) -> list[Mark]:
        """The marks of one kind."""
        return [m for m in self.marks if m.what == what]


NOTHING: Fact = Fact(None, frozenset(), State.NEW, None, frozenset(), frozenset(), None, ())
"""The way on which nothing has happened yet."""


def settled(fact: Fact) -> bool:
    """Whether the story of the session is over for the code: handed over, or lost."""
    if fact.state is State.GIVEN:
        return True
    for mark in fact.marks:  # noqa: SIM110  (asked at every point; most facts have few marks)
        if mark.what == "dropped":
            return True
    return False


def give(fact: Fact) -> Fact:
    """The fact of a session that an owner has taken, who outlives the code."""
    if fact.site is not None and fact.site.kind is SiteKind.SINGLETON:
        return fact
    return fact._replace(state=State.GIVEN, names=frozenset(), pending=None)
