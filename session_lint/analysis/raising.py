"""The transfer of exceptions: what raises, which handler meets it, what goes on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import effects
from session_lint.analysis.each import closes_each
from session_lint.analysis.entering import Entering
from session_lint.analysis.exceptions import BASE
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.lasting import lasting
from session_lint.analysis.state import ANY, SQLALCHEMY, Fact, Mark, Raised, give

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.flow import Edge, Point


class Raising(Entering):
    """The part of the lifecycle that throws and catches."""

    def _await_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        if isinstance(point.node.value, ast.Call):  # type: ignore[attr-defined]
            return ()  # the call has raised already, as far as this analysis tells the two apart
        return (fact.with_flying(Raised(ANY, point.node)),)

    def _next(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """A loop over a query runs it; one over some sessions, that closes each, takes them all."""
        loop = point.node
        if fact.site is not None and effects.iterates(loop.iter, fact):  # type: ignore[attr-defined]
            return (effects.operate(fact, loop.iter),)  # type: ignore[attr-defined]
        if isinstance(loop, (ast.For, ast.AsyncFor)) and isinstance(loop.iter, _DISPLAYS):
            return (give(fact) if closes_each(loop) and held(loop.iter, fact) is Hold.INSIDE else fact,)
        return (fact,)

    def _next_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        if fact.site is not None and effects.iterates(point.node.iter, fact):  # type: ignore[attr-defined]
            return (effects.operate(fact, point.node.iter).with_flying(Raised(SQLALCHEMY, point.node.iter)),)  # type: ignore[attr-defined]
        return (fact.with_flying(Raised(ANY, point.node)),) if isinstance(point.node, ast.AsyncFor) else ()

    def _lookup_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """An attribute or item that somebody expects not to be there: only the handler around it can see that."""
        return (fact.with_flying(Raised(ANY, point.node)),)

    def _raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        node = point.node
        if isinstance(node, ast.Assert):
            return (fact.with_flying(Raised("builtins.AssertionError", node)),)
        return (fact.with_flying(self._raised(node, fact)),)  # type: ignore[arg-type]

    def _raised(self, node: ast.Raise, fact: Fact) -> Raised:
        again = node.exc is None or (
            isinstance(node.exc, ast.Name) and node.exc.id in self.module.caught_names(self.code)
        )
        if again:
            last = fact.caught[-1] if fact.caught else None
            return Raised(last.type, node, also=last.also, undoing=last.undoing) if last else Raised(ANY, node)
        return Raised(self.module.exceptions.raised(node.exc, self.scope), node)  # type: ignore[arg-type]

    def _reraises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        flying = fact.caught[-1] if fact.caught else Raised(ANY, point.node)
        return (fact.with_flying(flying),)

    def _catch(self, edge: Edge, fact: Fact) -> Fact | None:
        flying = fact.flying
        if flying is None:
            return None
        caught = fact.caught[: edge.target.depth - 1]
        if edge.source.edges[-1].node not in self.module.inside_finally(self.code):
            fact = self._called_off(fact)
        if not isinstance(edge.node, ast.ExceptHandler):  # a finally body, on the way of an exception
            return fact._replace(flying=None, caught=(*caught, flying))
        earlier = edge.source.edges[: edge.source.edges.index(edge)]
        if self._surely_caught(earlier, fact):
            return None
        kinds = self._listed(edge.node)
        taken = [*flying.passed, *self._of_clauses(earlier)]
        for kind in kinds:
            if any(self.module.exceptions.below(kind, other) for other in taken if other):
                continue  # an earlier clause takes all of these
            found = self.module.exceptions.catches(flying.type, kind)
            if found is not False:
                met = flying if found else flying.of(frozenset({kind or ANY}))
                after = self._met(edge.node, kinds, fact, taken, sure=found)
                return after._replace(flying=None, caught=(*caught, met), pending=None)
        return None

    def _swallowed(self, item: ast.withitem, fact: Fact) -> Fact | None:
        """The fact behind a ``with`` that ends the exception on its way; ``suppress()`` does so as a clause does."""
        sure = self._swallows(item, fact)
        if fact.flying is None or sure is False:
            return None
        kinds = self.module.suppressed(item.context_expr, self.scope)
        after = self._met(item.context_expr, kinds, fact, [*fact.flying.passed], sure=sure) if kinds else fact
        return after.with_flying(None)

    def _met(self, clause: ast.AST, kinds: list[str], fact: Fact, taken: list[str], *, sure: bool | None) -> Fact:
        """The fact in a clause: whether the session waits for a rollback from here on, as far as anybody can tell.

        :param kinds: the classes that the clause names.
        :param taken: the classes of the clauses before, and of those around what was left already.
        :param sure: whether the exception on its way is surely one of the clause's.
        """
        failing = [m for m in fact.marks if m.what in ("failing", "raised", "asking")]
        if not failing:
            return fact
        left = fact.unmark("failing", "raised", "asking")
        if any(m.what in ("savepoint", "nested") for m in fact.marks):  # which may take the failure on itself
            return left
        if failing[0].what == "asking":
            meant = any(map(self.module.exceptions.of_reads, kinds)) or (
                clause in lasting(self.code) and not {ANY, BASE}.isdisjoint(kinds)
            )
            return left.with_marks(left.marks | {Mark("failed", clause, failing[0].node, "read")}) if meant else left
        if failing[0].what == "failing":
            of_database = [kind for kind in kinds if self.module.exceptions.of_database(kind)]
            apart = any(kind != ANY and self.module.exceptions.of_database(kind) for kind in taken)
            if not of_database or (
                apart and not {ANY, BASE}.isdisjoint(of_database)
            ):  # then such errors go another way
                return left
        other = failing[0].other
        if failing[0].what == "raised":
            met = other if other is not None and self._child(clause, other) is not None else clause
            failed = Mark("failed", met, failing[0].node, failing[0].key)
            return left.with_marks(left.marks | {failed}) if sure else left
        tried = self.module.parents[clause]
        tried = self.module.parents[tried] if isinstance(tried, ast.withitem) else tried
        if other is not None and self._child(other, tried) not in tried.body:  # type: ignore[attr-defined]
            return left  # what was written before is another's
        return left.mark("failed", clause, failing[0].node)

    def _child(self, node: ast.AST, above: ast.AST) -> ast.AST | None:
        """The part of ``above`` that a node stands in, if it does."""
        parents = self.module.parents
        while node in parents and parents[node] is not above:
            node = parents[node]
        return node if node in parents else None

    def _passes(self, edge: Edge, fact: Fact) -> Fact | None:
        """An exception that no clause of a ``try`` has caught, which is remembered: others may meet it."""
        if self._surely_caught(edge.source.edges, fact):
            return None
        if fact.flying is None:
            return fact
        passed = fact.flying.passed.union(k for k in self._of_clauses(edge.source.edges) if k)
        return fact.with_flying(fact.flying._replace(passed=passed))

    def _of_clauses(self, edges: list[Edge]) -> list[str]:
        """The classes that the clauses of some edges name."""
        return [k for e in edges if isinstance(e.node, ast.ExceptHandler) for k in self._listed(e.node)]

    def _listed(self, handler: ast.ExceptHandler) -> list[str]:
        """The classes that a clause names."""
        return self.module.exceptions.listed(handler.type, self.scope)

    def _surely_caught(self, edges: list[Edge], fact: Fact) -> bool:
        catches = self.module.exceptions.catches
        return fact.flying is not None and any(catches(fact.flying.type, kind) for kind in self._of_clauses(edges))


_DISPLAYS = (ast.Tuple, ast.List, ast.Set)


def leaving(fact: Fact) -> Fact:
    """The fact where a clause itself raises: whoever catches that has the failed session."""
    for mark in fact.marked("failed") if fact.caught else ():
        again = fact.flying is not None and fact.flying.kinds == fact.caught[-1].kinds
        left = fact.unmark("failed")
        what = ("asking" if mark.key else "failing") if again else "raised"
        made = Mark(what, mark.other, None if again else mark.node, mark.key)
        fact = left.with_marks(left.marks | {made})
    return fact
