"""The transfer of ``with`` and ``yield``: scopes that open and end, and context managers that swallow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.analysis import effects
from session_lint.analysis.app_context import ends_context, given_back
from session_lint.analysis.classes import AtEnd, at_end
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.inference import commits
from session_lint.analysis.state import ANY, SQLALCHEMY, Fact, Mark, Raised, SiteKind, State, give, settled
from session_lint.analysis.storing import Storing
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable

    from session_lint.analysis.surrounding import Surrounding
    from session_lint.flow import Point


"""Methods of Flask's and Quart's applications: the extension's session, and mostly any registry, ends with these."""


class Entering(Storing):
    """The part of the lifecycle that knows context managers and generators."""

    def _enter(self, point: Point, fact: Fact) -> Iterable[Fact]:
        item: ast.withitem = point.node  # type: ignore[assignment]
        expr = item.context_expr
        if fact.site is None:
            return self._open_scope(item, fact)
        hold = held(expr, fact)
        if hold is Hold.WHOLE:
            entered = fact._replace(names=fact.names | {("with", item), ("temp", item)})
            own = fact.site.kind is SiteKind.OWNED and self._end(fact) is AtEnd.COMMITS
            return (entered.mark("scope", item) if own else entered,)
        if hold is Hold.INSIDE:
            return (give(fact),)
        around = next((n[2] for n in fact.names if isinstance(n, tuple) and n[:2] == ("around", expr)), None)
        if around is not None:
            return (_surround(fact, item, around),)
        if ("bare", expr) in fact.names:
            return (fact._replace(names=fact.names | {("temp", item)}),)
        return (self._begin(item, fact),)

    def _begin(self, item: ast.withitem, fact: Fact) -> Fact:
        calls = [item.context_expr, *self.module.bound_calls(item.context_expr, self.scope)]
        for what, inside in (("transaction", "begun"), ("savepoint", "nested")):
            if any(m.node in calls for m in fact.marked(what)):
                return fact.unmark(what).mark(inside, item)
        return fact

    def _open_scope(self, item: ast.withitem, fact: Fact) -> Iterable[Fact]:
        meaning = self.module.context(item.context_expr, self.scope)
        if meaning is None or meaning.role is not Role.SCOPE:
            return self._open_unit(item, fact)
        site = self.module.site(SiteKind.SCOPE, item, self.code, commits=commits(self.module, item, meaning))
        names = frozenset({("with", item), ("temp", item)})
        return (fact, fact._replace(site=site, names=names, marks=frozenset()))

    def _open_unit(self, item: ast.withitem, fact: Fact) -> Iterable[Fact]:
        """The facts once an object is entered that keeps a session in a field until it is left."""
        unit = self.module.unit(item.context_expr)
        if unit is None:
            return (fact,)
        site = self.module.site(SiteKind.SCOPE, item, self.code, commits=bool(unit.commits))
        names = frozenset({("with", item), ("in", item), ("under", item, unit.field)})
        return (fact, fact._replace(site=site, names=names, marks=frozenset()))

    def _exit(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (self._left(point.node, fact),)  # type: ignore[arg-type]

    def _left(self, item: ast.withitem, fact: Fact) -> Fact:
        if settled(fact):
            return fact
        if ("with", item) in fact.names:
            left = fact._replace(names=fact.names - {("with", item), ("temp", item)})
            end = self._end(fact)
            if end in (AtEnd.MAY_COMMIT, AtEnd.UNKNOWN):
                left = left._replace(pending=None)
            return effects.leave(left.unmark("scope"), item, commits=end is AtEnd.COMMITS)
        around = next((n[2] for n in fact.names if isinstance(n, tuple) and n[:2] == ("around", item)), None)
        if around is not None:
            return _left_around(fact, item, around)
        for what in ("begun", "nested"):
            if Mark(what, item) in fact.marks:
                return effects.end_transaction(fact, item, what)
        return given_back(self.module, fact, self.scope) if ends_context(item, self.scope) else fact

    def _end(self, fact: Fact) -> AtEnd:
        """What the end of the ``with`` around a session does to it."""
        if fact.site is not None and fact.site.kind is SiteKind.OWNED:
            return at_end(self.module, fact.site.node)
        scope = fact.site is not None and fact.site.kind is SiteKind.SCOPE and fact.site.commits
        return AtEnd.COMMITS if scope else AtEnd.CLOSES

    def _exit_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        item: ast.withitem = point.node  # type: ignore[assignment]
        begins = fact.flying is None and self.module.commits_at_exit(item, self.scope)
        return (self._left(item, fact).with_flying(Raised(SQLALCHEMY, item.context_expr)),) if begins else ()

    def _swallows(self, item: ast.withitem, fact: Fact) -> bool | None:
        """Whether a context manager ends the exception on its way: surely, never, or perhaps."""
        if fact.flying is None:
            return False
        kinds = self.module.swallowed(item.context_expr, self.scope)
        found = [self.module.exceptions.catches(fact.flying.type, kind) for kind in kinds]
        return True if True in found else None if None in found else False

    def _yield(self, point: Point, fact: Fact) -> Iterable[Fact]:
        value = point.node.value  # type: ignore[attr-defined]
        if settled(fact) or not held(value, fact):
            passed = fact.site is not None and fact.site.kind is SiteKind.PARAMETER
            lends = passed and fact.state is not State.CLOSED and self.module.is_context_manager(self.code)
            return (fact._replace(state=State.ACTIVE, pending=point.node) if lends else fact,)  # the block may use it
        given = fact.mark("lent" if self.module.is_context_manager(self.code) else "yielded")
        return (given._replace(state=State.ACTIVE, pending=point.node) if self.module.hands_over(self.code) else given,)

    def _yield_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """What a ``with`` body raises comes out of the ``yield``; what a fixture's test raises does not."""
        kind = ANY if self.module.is_context_manager(self.code) else "builtins.GeneratorExit"
        (after,) = self._yield(point, fact)
        return (after.with_flying(Raised(kind, point.node)),)


def _surround(fact: Fact, item: ast.withitem, around: Surrounding) -> Fact:
    """The fact in the block of a context manager that was given the session."""
    names = fact.names - {("around", item.context_expr, around)} | {("around", item, around)}
    entered = fact._replace(names=names | {("temp", item)} if around.yields else names)
    return entered.mark("scope", item) if around.commits else entered


def _left_around(fact: Fact, item: ast.withitem, around: Surrounding) -> Fact:
    """The fact once that block has ended."""
    names = fact.names - {("around", item, around), ("temp", item)}
    left = fact._replace(names=names, marks=fact.marks - {Mark("scope", item)})
    if around.always or (around.closes and fact.flying is None):
        return effects.leave(left, item, commits=around.commits)
    if fact.flying is None:
        return left._replace(state=State.IDLE, pending=None).mark("committed") if around.commits else left
    return effects.recovered(left)._replace(state=State.IDLE, pending=None) if around.undoes else left
