"""The typestate analysis of one function or module body, as a problem for the solver.

What the kinds of points do stands in three parts: :mod:`~session_lint.analysis.storing`,
:mod:`~session_lint.analysis.entering` and :mod:`~session_lint.analysis.raising`; what a call does in
:mod:`~session_lint.analysis.calling`. Here is what the solver asks, and what a test teaches.
"""

# ruff: noqa: SLF001  (the tables at the end of the file name the methods of the class)

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards, kinds
from session_lint.analysis.calling import Calling
from session_lint.analysis.effects import alike, close, is_statement, recovered
from session_lint.analysis.holding import Hold, held, slot
from session_lint.analysis.raising import Raising, leaving
from session_lint.analysis.results import NOTHING_RETURNED
from session_lint.analysis.state import Fact, Mark, Raised, SiteKind, State, give, settled
from session_lint.flow import EdgeKind, PointKind
from session_lint.python.nodes import path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind, below, parameters
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from session_lint.analysis.liveness import Liveness
    from session_lint.analysis.module import Module
    from session_lint.flow import Block, Edge, Graph, Point


_MOST_GUARDS = 40
_TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))  # from Python 3.11 on
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SOMEWHERE = ("closed", "reopened", "failing", "raised", "asking", "failed", "stale")
"""Marks whose place nobody asks for where a code has too many ways to tell."""
_OF_FAILURES = ("failing", "raised", "asking", "failed", "stale")
_PILING = ("ended", "split")
"""Marks of which every turn of a loop adds some more: each was told on the ways that came first."""


_OF_OWNERS = ("commit", "split", "lost", "reopened", "taken")
_ENDED = ("committed", "ended", "closed", "exposed")
"""Marks of which each says that what went before is over; :mod:`~session_lint.analysis.calling` asks no more."""


@remembered
def essential(marks: frozenset[Mark]) -> frozenset[Mark]:
    """The marks that count where only what a code does to somebody else's session is asked.

    Who commits and closes it, and whether it is used after that, is its owner's business. That a transaction has ended
    matters, for it takes an earlier failure with it; that a failed session was used tells nothing more once it has.
    Inside ``with session.begin()`` all of it counts: the code itself is the owner of the transaction. So it does inside
    a context manager that commits the session which it was given.
    """
    if any(m.what in ("begun", "scope") for m in marks):
        return marks
    failed = {m.node for m in marks if m.what == "failed"}
    kept = {m for m in marks if m.what not in (*_OF_OWNERS, *_ENDED) and (m.what != "stale" or m.node in failed)}
    return frozenset(kept | {Mark("ended")} if any(m.what in _ENDED for m in marks) else kept)


@remembered
def apart(marks: frozenset[Mark]) -> list[frozenset[Mark]]:
    """The marks, once for each clause that passed over a failure: what becomes of one hangs on no other.

    A way through ``n`` of them would else be one of ``2 ** n``.
    """
    clauses = list(dict.fromkeys(m.node for m in marks if m.what in _PASSED_OVER))
    if len(clauses) < 2:  # noqa: PLR2004
        return [marks]
    rest = frozenset(m for m in marks if m.what not in _PASSED_OVER)
    return [rest | {m for m in marks if m.what in _PASSED_OVER and m.node is clause} for clause in clauses]


_PASSED_OVER = ("failed", "stale")


def _kind(raised: Raised) -> Hashable:
    """An exception without its place, but for whether somebody threw it into a generator (SES503 asks)."""
    return raised.type, raised.also, raised.undoing, raised.passed, isinstance(raised.node, (ast.Yield, ast.YieldFrom))


def _with_last(fact: Fact, raised: Raised) -> Fact:
    """A copy with another exception in the place of the one on its way, or of the one that is being handled."""
    if fact.flying is not None:
        return fact.with_flying(raised)
    return fact._replace(caught=(*fact.caught[:-1], raised))


def _with_owners(names: frozenset[object]) -> frozenset[str]:
    """The paths among some names, and those of the objects that have them in a field."""
    paths = {name for name in names if isinstance(name, str)}
    return frozenset(paths | {name.rpartition(".")[0] for name in paths} - {""})


def together(facts: Iterable[Fact]) -> list[Fact]:
    """Facts of which those that differ only in the classes of the exception are one."""
    same: dict[Fact, set[str]] = {}
    for fact in facts:
        last = fact.flying or (fact.caught[-1] if fact.caught else None)
        blank = fact if last is None else _with_last(fact, last._replace(type="", also=frozenset()))
        same.setdefault(blank, set()).update(() if last is None else last.kinds)
    return [
        _with_last(fact, (fact.flying or fact.caught[-1]).of(frozenset(kinds))) if kinds else fact
        for fact, kinds in same.items()
    ]


_TELLING_APART = (EdgeKind.CATCH, EdgeKind.UNCAUGHT, EdgeKind.SWALLOW, EdgeKind.UNWIND)
_OF_WITH = (EdgeKind.SWALLOW, EdgeKind.UNWIND)


def _compared(test: ast.Compare, operator: ast.cmpop, right: ast.expr, fact: Fact) -> bool | None:
    """The outcome of a comparison of the session, with ``None`` or with a variable, or of ``key in options``."""
    if isinstance(operator, (ast.In, ast.NotIn)):
        return isinstance(operator, ast.In) if slot(test) in fact.names else None
    if not isinstance(operator, (ast.Is, ast.Eq, ast.IsNot, ast.NotEq)):
        return None
    wanted = isinstance(operator, (ast.Is, ast.Eq))
    if isinstance(right, ast.Constant):
        return not wanted if right.value is None and held(test.left, fact) is Hold.WHOLE else None
    same = _same(test.left, right, fact)
    return None if same is None else same is wanted


def _same(left: ast.expr, right: ast.expr, fact: Fact) -> bool | None:
    """Whether two variables are one session: one that the code has opened is in none but those that hold it."""
    sides = [held(side, fact) for side in (left, right)]
    if Hold.WHOLE not in sides or not path(left) or not path(right):
        return None
    if sides == [Hold.WHOLE, Hold.WHOLE]:
        return True
    fresh = fact.site is not None and fact.site.kind is SiteKind.OWNED
    return False if fresh and None in sides else None


_ASKING = (ast.Call, ast.Compare, ast.Subscript)
"""What a test of something under a key is: ``own in session.info``."""


@remembered
def _asked_of_info(test: ast.expr) -> ast.expr | None:
    """What a test asks for something in its ``info``, where anybody may put anything; ``None`` where it does not."""
    return next((n.value for n in below(test) if isinstance(n, ast.Attribute) and n.attr == "info"), None)


@remembered
def _transaction_asked(test: ast.expr) -> tuple[ast.expr, bool] | None:
    """What a test asks for a transaction, and the outcome that means that it has one; ``None`` for another test.

    ``session.in_transaction()``, ``session.get_transaction() is None``
    """
    if isinstance(test, ast.Compare):
        nothing = isinstance(last := test.comparators[-1], ast.Constant) and last.value is None
        found = _transaction_asked(test.left) if nothing and isinstance(test.ops[0], (ast.Is, ast.IsNot)) else None
        return None if found is None else (found[0], isinstance(test.ops[0], ast.IsNot))
    if not isinstance(test, ast.Call) or not isinstance(test.func, ast.Attribute):
        return None
    return (test.func.value, True) if test.func.attr in _TRANSACTION else None


_TRANSACTION = ("in_transaction", "get_transaction")


class Lifecycle(Raising):
    """The problem: where does each obligation of a code end, and in which state.

    :param module: what is known of the module around it.
    :param graph: the graph of the function or module body.
    :param start: the fact that holds at its entry.
    :param hops: how many modules away calls are followed that no session goes into or comes out of.
    :param liveness: which tests of the code may still be asked where.
    :param tells: whether what the code returns tells its caller how it has ended.
    """

    def __init__(
        self, module: Module, graph: Graph, start: Fact, hops: int, liveness: Liveness, *, tells: bool = False
    ) -> None:
        super().__init__(module, graph, tells=tells)
        code = graph.code
        self.start = start
        self.liveness = liveness
        self.calling = Calling(module, code, hops)
        self._unplaced: dict[Raised, Raised] = {}
        self._alike_marks: dict[frozenset[Mark], frozenset[Hashable]] = {}
        self._tries: dict[ast.AST, ast.AST] = {}
        self._coarse_marks: dict[frozenset[Mark], frozenset[Mark]] = {}
        self._coarse_guards: dict[guards.Guards, guards.Guards] = {}
        self._groups: dict[tuple[Block, ast.AST | None, frozenset[str]], list[frozenset[str]]] = {}
        if hops == 0:
            names = _with_owners(start.names)
            anywhere = any(name.partition(".")[0] not in self.scope.bindings for name in names)
            self.relevant &= guards.around_failures(code, names, anywhere=anywhere) | self.flags
            own = parameters(code) if isinstance(code, _FUNCTIONS) else ()
            self.calling.telling = self.relevant.union(arg.arg for arg in own)

    def entry(self) -> Iterable[Fact]:
        """What holds before the first point."""
        known = self.start.guards | {(name, False) for name in guards.asked_for_existence(self.code)}
        return [self.start.with_guards(known | NOTHING_RETURNED if self.tells else known)]

    def transfer(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """The facts after a point has completed."""
        handler = _TRANSFER.get(point.kind)
        if handler is None or (settled(fact) and point.kind is not PointKind.CALL):
            return (fact,)
        return handler(self, point, fact)

    def transfer_raise(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """The facts after a point has raised; none where it cannot."""
        handler = _RAISES.get(point.kind)
        if handler is None:
            return ()
        found = handler(self, point, fact)
        if self.calling.hops == 0:  # nobody asks where it was raised
            found = [f if f.flying is None else f.with_flying(self._anywhere(f.flying)) for f in found]
        return map(leaving, found) if fact.caught else found

    def _call(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return self.calling.outcomes(point.node, fact)[0]  # type: ignore[arg-type]  # a call

    def _call_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return self.calling.outcomes(point.node, fact)[1]  # type: ignore[arg-type]

    def _read(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return self.calling.read(point.node, fact)  # type: ignore[arg-type]  # an expression

    def _anywhere(self, raised: Raised) -> Raised:
        """The exception without the place where it was raised."""
        if raised.node is self.code:
            return raised
        found = self._unplaced.get(raised)
        if found is None:
            found = self._unplaced[raised] = raised._replace(node=self.code)
        return found

    def follow(self, edge: Edge, fact: Fact) -> Iterable[Fact]:
        """The facts at the far end of an edge; none where the way is impossible."""
        flying = fact.flying
        if flying is not None and flying.also and edge.kind in _TELLING_APART:
            ways = (self._follow(edge, fact.with_flying(one)) for one in self._told_by(edge, flying))
            return together(one for way in ways for one in way)
        return self._follow(edge, fact)

    def _told_by(self, edge: Edge, flying: Raised) -> list[Raised]:
        """An exception, once for each set of classes that what an edge leaves cannot tell from each other."""
        place = edge.source, edge.node if edge.kind in _OF_WITH else None, flying.kinds
        groups = self._groups.get(place)
        if groups is None:
            if edge.kind in _OF_WITH:
                told = self.module.swallowed(edge.node.context_expr, self.scope)  # type: ignore[union-attr]
            else:
                told = self._of_clauses(edge.source.edges)
            catches = self.module.exceptions.catches
            same: dict[Hashable, list[str]] = {}
            for kind in sorted(flying.kinds):
                same.setdefault(tuple(catches(kind, one) for one in told), []).append(kind)
            groups = self._groups[place] = [frozenset(kinds) for kinds in same.values()]
        return [flying.of(kinds) for kinds in groups]

    def _follow(self, edge: Edge, fact: Fact) -> Iterable[Fact]:
        kind = edge.kind
        found: Fact | None = fact
        if kind in (EdgeKind.TRUE, EdgeKind.FALSE):
            found = self._test(edge.node, kind is EdgeKind.TRUE, fact)  # type: ignore[arg-type]
        elif kind in _FOLLOW:
            found = _FOLLOW[kind](self, edge, fact)
        if found is None:
            return ()
        depth = edge.target.depth
        if len(found.caught) > depth:
            found = found._replace(caught=found.caught[:depth])
        if found.guards:
            living = self.liveness.living(edge.target, found.guards)
            if living is not found.guards:
                found = found.with_guards(living)
        return self._told_apart(found) if found.marks else (found,)

    def _unwound(self, edge: Edge, fact: Fact) -> Fact | None:
        return None if self._swallows(edge.node, fact) else fact  # type: ignore[arg-type]  # an item

    def _exhausted(self, edge: Edge, fact: Fact) -> Fact:
        """A generator that is gone through has taken back what it has lent."""
        return close(fact, edge.node) if edge.node is not None and ("told", edge.node) in fact.names else fact

    def _told_apart(self, fact: Fact) -> Iterable[Fact]:
        marks = essential(fact.marks) if self.calling.hops == 0 else fact.marks
        ways = apart(marks)
        return (fact,) if len(ways) == 1 and ways[0] == fact.marks else [fact.with_marks(way) for way in ways]

    def group(self, fact: Fact) -> Hashable:
        """Facts of one site share a block's budget, but for those of each clause that passed over a failure of its."""
        for mark in fact.marks:
            if mark.what == "failed":
                return fact.site, mark.node
        return fact.site

    def fresh(self, fact: Fact, seen: dict[Hashable, set[str]]) -> Fact | None:
        """The fact with those classes of its exception with which nothing like it has been at a place before.

        :param seen: the classes of those that were there.
        """
        flying, caught = fact.flying, fact.caught
        if self.calling.hops or (flying is None and not caught):
            return fact
        last = flying or caught[-1]
        key = self._key_alone(_with_last(fact, last._replace(type="", also=frozenset())))
        known = seen.get(key)
        if known is None:
            seen[key] = {*last.kinds}
            return fact
        new = last.kinds - known
        known |= new
        if not new:
            return None
        return fact if len(new) == len(last.also) + 1 else _with_last(fact, last.of(new))

    def key(self, fact: Fact) -> Hashable:
        """All of a fact but which of several points raised: nothing that happens afterwards hangs on that."""
        if self.calling.hops == 0:
            return self._key_alone(fact)
        if fact.flying is None and not fact.caught:
            return fact
        return (*fact[:6], fact.flying and _kind(fact.flying), *map(_kind, fact.caught))

    def _key_alone(self, fact: Fact) -> Hashable:
        """The same where only what is done to the session counts: of several operations that fail, or go on, one."""
        site, names, state, pending, marks, known, flying, caught = fact
        alike = self._alike_marks.get(marks)
        if alike is None:
            alike = self._alike_marks[marks] = frozenset(map(self._alike, marks)) if marks else marks
        rest = site, names, state, pending and self._tried(pending), alike, known
        return rest if flying is None and not caught else (*rest, flying and _kind(flying), *map(_kind, caught))

    def _alike(self, mark: Mark) -> Hashable:
        """What counts of a mark: the clause, and the ``try`` of what was written, but no operation."""
        what, node, other, key = mark
        if what in ("failing", "raised", "asking"):
            tried = other and self._tried(other) if what == "failing" else other
            return what, is_statement(node), tried, key
        return alike(mark)

    def _tried(self, node: ast.AST) -> Hashable:
        """The innermost ``try`` that something is tried in: which clauses tell of it, no more (see ``_met``)."""
        if node not in self._tries:
            self._tries[node] = self._try_around(node)
        return self._tries[node]

    def _try_around(self, node: ast.AST) -> ast.AST:
        above = self.module.parents
        while node is not self.code and node in above and not isinstance(node, _FUNCTIONS):
            tried, node = node, above[node]
            if isinstance(node, _TRIES) and tried in node.body:
                return node
        return self.code

    def widen(self, fact: Fact, *, more: bool = False) -> Fact:
        """The fact with only the guards that decide about closing, and without where things happened.

        :param more: whether what became of failures is to be forgotten, too, so that nobody is told of them.
        """
        site, names, state, pending, marks, known, flying, caught = fact
        if more:
            marks = frozenset(m for m in marks if m.what not in _OF_FAILURES)
        return Fact(
            site,
            names,
            state,
            pending and self.code,
            self._widened_marks(marks),
            self._widened_guards(known),
            flying and self._anywhere(flying),
            tuple(map(self._anywhere, caught)),
        )

    def _widened_marks(self, marks: frozenset[Mark]) -> frozenset[Mark]:
        found = self._coarse_marks.get(marks)
        if found is None:
            kept = (m for m in marks if m.what not in _PILING)
            found = frozenset(m._replace(node=self.code) if m.what in _SOMEWHERE else m for m in kept)
            self._coarse_marks[marks] = found
        return found

    def _widened_guards(self, known: guards.Guards) -> guards.Guards:
        found = self._coarse_guards.get(known)
        if found is None:
            around = guards.around_closing(self.code)
            found = frozenset(g for g in known if guards.variables(g[0]) & around)
            self._coarse_guards[known] = found
        return found

    def _about_session(self, test: ast.expr, fact: Fact) -> bool | None:
        """The outcome of a test on the session itself, which is never ``None``, always true, and a session."""
        if held(test, fact) is Hold.WHOLE:
            return True
        if isinstance(test, ast.Attribute) and test.attr == "is_active" and held(test.value, fact) is Hold.WHOLE:
            return None if fact.marked("failed") else True  # false only between a failure and its rollback
        if (asked := _transaction_asked(test)) is not None:
            stays = bool(fact.marked("failed")) and held(asked[0], fact) is Hold.WHOLE  # until its rollback
            return asked[1] if stays else None
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            if (kind := kinds.asked(test)) is not None:  # type(session) is dict
                other = kinds.none_of_the_built_in(kinds.atom("", kind[1])) and held(kind[0], fact) is Hold.WHOLE
                return not kind[2] if other else None
            return _compared(test, test.ops[0], test.comparators[0], fact)
        return self._asked(test, fact) if isinstance(test, ast.Call) else None

    def _asked(self, test: ast.Call, fact: Fact) -> bool | None:
        """The outcome of what is called for the session: ``isinstance(session, Session)``."""
        if len(test.args) != 2 or held(test.args[0], fact) is not Hold.WHOLE:  # noqa: PLR2004
            return None
        if path(test.func) == "hasattr":
            return True
        if path(test.func) != "isinstance":
            return None
        kind = kinds.asked(test)
        if kind is not None and kinds.none_of_the_built_in(kinds.atom("", kind[1])):
            return False
        found = self.module.calls.meaning(self.module.names.qualify(test.args[1], self.scope))
        return True if found is not None and found.role is Role.FACTORY else None

    def _constant(self, test: ast.Name) -> bool | None:
        """The outcome of a constant of the module, where that decides about closing."""
        if test.id in self.scope.bindings or test.id not in guards.around_closing(self.code):
            return None
        owner = self.module.names.owner(test.id, self.scope)
        bindings = owner.bindings[test.id] if owner is not None and owner.parent is None else ()
        values = [b.node.value for b in bindings if b.kind is BindingKind.VALUE and isinstance(b.node, ast.Constant)]
        return bool(values[0]) if len(bindings) == len(values) == 1 else None

    def _told_by_session(self, test: ast.expr, fact: Fact) -> bool:
        """Whether the session itself tells who closes it: ``if session.info.get("own"): session.close()``."""
        asked = _asked_of_info(test)
        if asked is None or path(asked).partition(".")[0] not in guards.around_closing(self.code):
            return False
        return held(asked, fact) is Hold.WHOLE

    def _test(self, test: ast.expr, wanted: bool, fact: Fact) -> Fact | None:  # noqa: FBT001
        if isinstance(test, ast.Attribute) and test.attr == "is_active" and wanted:
            fact = _active(test.value, fact)
        asked = _transaction_asked(test)
        if asked is not None and asked[1] is not wanted and held(asked[0], fact) is Hold.WHOLE:
            if isinstance(fact.pending, ast.Yield):
                return None  # the block of a ``with`` has written something: there is one
            open_ = fact.state in (State.ACTIVE, State.NEW)  # of a parameter, what it was left as
            fact = fact._replace(state=State.IDLE, pending=None) if open_ and not fact.marked("failed") else fact
        known = self._about_session(test, fact)
        if known is None:
            known = guards.outcome(test, fact.guards)
        if known is None and isinstance(test, ast.Name):
            known = self._constant(test)
        if known is not None:
            return fact if known is wanted else None
        if isinstance(test, _ASKING) and self._told_by_session(test, fact):
            return give(fact)
        atom = guards.atom(test)
        if atom is None or not guards.variables(atom[0]) & self.relevant:
            return fact
        if len(fact.guards) >= _MOST_GUARDS and not guards.variables(atom[0]) & guards.around_closing(self.code):
            return fact  # a way that has passed so many tests hardly comes back to one of them
        session = atom[0] in self.sessions  # false of a variable for sessions means that there is none
        assumed = guards.assume(fact.guards, atom[0], atom[1] is wanted, object_or_none=session)
        return None if assumed is None else fact.with_guards(assumed)


def _active(session: ast.expr, fact: Fact) -> Fact:
    """The fact where a session says that it is active: after a failure it would not be, nor would the caller's."""
    if fact.marked("failed"):
        return recovered(fact)
    given = fact.site is not None and fact.site.kind is SiteKind.PARAMETER and fact.state is State.NEW
    return fact.mark("active") if given and held(session, fact) is Hold.WHOLE else fact


_TRANSFER: dict[PointKind, Callable[[Lifecycle, Point, Fact], Iterable[Fact]]] = {
    PointKind.CALL: Lifecycle._call,
    PointKind.AWAIT: Lifecycle._await,
    PointKind.YIELD: Lifecycle._yield,
    PointKind.ENTER: Lifecycle._enter,
    PointKind.EXIT: Lifecycle._exit,
    PointKind.NEXT: Lifecycle._next,
    PointKind.STATEMENT: Lifecycle._statement,
    PointKind.STORE: Lifecycle._store,
    PointKind.DELETE: Lifecycle._delete,
    PointKind.PHI: Lifecycle._phi,
    PointKind.RETURN: Lifecycle._return,
    PointKind.READ: Lifecycle._read,
}
"""What becomes of a fact at each kind of point that completes."""
_RAISES: dict[PointKind, Callable[[Lifecycle, Point, Fact], Iterable[Fact]]] = {
    PointKind.CALL: Lifecycle._call_raises,
    PointKind.AWAIT: Lifecycle._await_raises,
    PointKind.YIELD: Lifecycle._yield_raises,
    PointKind.EXIT: Lifecycle._exit_raises,
    PointKind.NEXT: Lifecycle._next_raises,
    PointKind.LOOKUP: Lifecycle._lookup_raises,
    PointKind.RAISE: Lifecycle._raises,
    PointKind.RERAISE: Lifecycle._reraises,
}
"""And where it raises."""
_FOLLOW: dict[EdgeKind, Callable[[Lifecycle, Edge, Fact], Fact | None]] = {
    EdgeKind.CATCH: Lifecycle._catch,
    EdgeKind.UNCAUGHT: Lifecycle._passes,
    EdgeKind.SWALLOW: lambda one, edge, fact: one._swallowed(edge.node, fact),  # type: ignore[arg-type]
    EdgeKind.UNWIND: Lifecycle._unwound,
    EdgeKind.EXHAUSTED: Lifecycle._exhausted,
}
"""And along the edges that leave more than the way open; ``None`` where the way is impossible."""
