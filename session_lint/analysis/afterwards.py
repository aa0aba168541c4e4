"""What becomes of a session after it was closed: it is used again, or was let out of the block that closes it.

SQLAlchemy opens a closed session anew at its next use, without a word. That is legal where it is closed again.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, arguments, held, is_part, query_of
from session_lint.analysis.keyed import is_keyed
from session_lint.analysis.reach import after, escapes
from session_lint.analysis.state import Fact, SiteKind, State
from session_lint.analysis.surrounding import Surrounding
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, path
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts, Obligation
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.flow import Point


@dataclass(frozen=True, eq=False)
class Reopening:
    """A session that is used after it was closed, and open at the end of some way from there.

    :param node: the use, or the call of what uses it.
    :param use: the use itself.
    :param closed: what closed it: a call, or a ``with``.
    """

    obligation: Obligation
    node: ast.AST
    use: ast.AST
    closed: ast.AST


@dataclass(frozen=True, eq=False)
class Way:
    """A way on which a session, or what asks it later, leaves the ``with`` that closes it.

    :param node: the ``return``, or the assignment's target.
    :param closing: the ``with``, or the call in a ``finally`` that closes it.
    :param what: ``session``, ``query`` or ``object``: what leaves.
    :param kept: whether it is stored, not returned.
    """

    site: Site
    code: ast.AST
    node: ast.AST
    closing: ast.AST
    name: str
    what: str
    kept: bool = False

    @property
    def by_block(self) -> bool:
        """Whether a ``with`` closes it."""
        return isinstance(self.closing, ast.withitem)


def reopenings(facts: ModuleFacts) -> Iterator[Reopening]:
    """The first use of each closed session that leaves it open in the end, on a way that no exception takes."""
    for kind in (SiteKind.OWNED, SiteKind.SCOPE):
        for obligation in facts.obligations(kind):
            found = list(_reopened(obligation))
            if found:
                yield min(found, key=lambda one: getattr(one.node, "lineno", 0))


def _reopened(obligation: Obligation) -> Iterator[Reopening]:
    for ending in obligation.endings:
        if not (ending.normal and ending.leaks and ending.fact.marked("reopened")):
            continue
        solved = ending.solved
        closed = [
            one
            for m in ending.fact.marked("closed")
            if m.node is not None and (one := solved.here(m.node, lambda fact, m=m: m in fact.marks)) is not None  # type: ignore[misc]
        ]
        for mark in ending.fact.marked("reopened") if closed else ():
            if mark.node is not None and mark.node is not obligation.site.code:
                node = solved.here(mark.node, lambda fact, mark=mark: mark in fact.marks)  # type: ignore[misc]
                by_block = next((one for one in closed if isinstance(one, ast.withitem)), None)
                yield Reopening(obligation, node or obligation.site.node, mark.node, by_block or closed[0])


def escaping(facts: ModuleFacts) -> Iterator[Way]:
    """Every way on which a session leaves the block that closes it, in the order of the text."""
    if facts.module is None:
        return
    for solved in facts.solved:
        seen: set[ast.AST] = set()
        for point, fact in solved.visits(PointKind.RETURN, PointKind.STORE):
            if fact.site is None or point.node in seen:
                continue
            kept, item = point.kind is PointKind.STORE, closing_block(fact)
            closing: ast.AST | None = item
            what = ""
            if item is not None:
                what = (
                    _stored(facts.module, solved, point.node, fact) if kept else _given(facts.module, point.value, fact)
                )
            elif not kept and _given(facts.module, point.value, fact) in ("query", "object"):
                what, closing = _given(facts.module, point.value, fact), _closed_after(solved, point, fact)
            if what and closing is not None:
                seen.add(point.node)
                yield Way(fact.site, solved.code, point.node, closing, _name(facts, fact, solved.code), what, kept)


def _closed_after(solved: Solved, point: Point, fact: Fact) -> ast.AST | None:
    """What closes an open session on every way from a ``return``: the call in a ``finally`` around it."""
    site = fact.site
    if site is None or site.kind is not SiteKind.OWNED or fact.state in (State.CLOSED, State.GIVEN):
        return None
    closing = {m.node for f in solved.exits if f.site is site and f.flying is None for m in f.marked("closed")}
    done = {p for b in solved.graph.blocks for p in b.points if p.kind is PointKind.CALL and p.node in closing}
    if not done or escapes(solved.graph, [point], done.__contains__):
        return None
    return next((p.node for p in after(solved.graph, [point], done.__contains__) if p in done), None)


def _name(facts: ModuleFacts, fact: Fact, code: ast.AST) -> str:
    assert fact.site is not None
    return facts.variable(fact.site.node, code)


def closing_block(fact: Fact) -> ast.withitem | None:
    """The ``with`` that will close the session on every way out of it."""
    owned = fact.site is not None and fact.site.kind in (SiteKind.OWNED, SiteKind.SCOPE)
    if not owned or fact.state is State.GIVEN:
        return None
    return next((n[1] for n in fact.names if isinstance(n, tuple) and _closes(n)), None)


def _closes(name: tuple[object, ...]) -> bool:
    """Whether a name of a session is that of a ``with`` around it, which closes it."""
    if name[0] != "around" or not isinstance(name[1], ast.withitem):
        return name[0] == "with"
    return isinstance(name[2], Surrounding) and name[2].always


def _given(module: Module, value: ast.AST | None, fact: Fact) -> str:
    """What a ``return`` lets out: the session itself, a query that was not run yet, an object that keeps it."""
    hold = held(value, fact)
    if hold is Hold.WHOLE:
        return "session"
    if isinstance(value, (ast.Tuple, ast.List, ast.Dict)) and any(
        held(e, fact) is Hold.WHOLE for e in _elements(value)
    ):
        return "session"
    if isinstance(value, ast.Lambda):
        return "object" if hold is Hold.INSIDE else ""
    if hold is Hold.INSIDE and any(_is_object(module, one, fact) for one in (value, *_elements(value))):
        return "object"
    lazy = isinstance(value, (ast.Call, ast.Name)) and query_of(value, fact) and not is_part(value)
    return "query" if lazy else ""


def _is_object(module: Module, value: ast.AST | None, fact: Fact) -> bool:
    """Whether an expression makes an object of the project that holds the session."""
    made = isinstance(value, ast.Call) and module.calls.callee(value).owner is not None
    return made and held(value, fact) is Hold.INSIDE


def _elements(value: ast.AST | None) -> list[ast.expr]:
    """What a collection is made of that is written there."""
    if isinstance(value, ast.Dict):
        return value.values
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return value.elts
    if isinstance(value, ast.DictComp):
        return [value.value]
    return [value.elt] if isinstance(value, (ast.ListComp, ast.SetComp)) else []


def _stored(module: Module, solved: Solved, target: ast.AST, fact: Fact) -> str:
    """Whether an assignment keeps the session where the block, which ends right there, has closed it."""
    above = module.parents.get(target)
    given = assigned_at(above)
    if above is None or given is None or held(given.value, fact) is not Hold.WHOLE:
        return ""
    block = module.parents.get(above)
    last = isinstance(block, (ast.With, ast.AsyncWith)) and block.body[-1] is above
    inside = isinstance(block, (ast.With, ast.AsyncWith)) and any(("with", i) in fact.names for i in block.items)
    if not last or not inside:
        return ""
    if isinstance(target, ast.Subscript):
        kept = _handed_on(module, solved, target, block)
    else:
        kept = isinstance(target, ast.Attribute) or _outlives(solved, target)
    return "session" if kept else ""


def _handed_on(module: Module, solved: Solved, target: ast.Subscript, block: ast.AST | None) -> bool:
    """Whether what has the session under a key is passed to somebody after the block, as it is."""
    holder, code = path(target.value), solved.code
    if not holder or is_keyed(module, code, holder):  # of which every use is followed anyway
        return False

    def changes(point: Point) -> bool:
        node = point.node
        if point.kind in (PointKind.STORE, PointKind.DELETE):
            return path(node.value if isinstance(node, ast.Subscript) else node) == holder
        return point.kind is PointKind.CALL and path(getattr(node, "func", node)).rpartition(".")[0] == holder

    items = getattr(block, "items", ())
    ends = [p for b in solved.graph.blocks for p in b.points if p.kind is PointKind.EXIT and p.node in items]
    return any(
        point.kind is PointKind.CALL and isinstance(point.node, ast.Call) and _passes(module, point.node, holder)
        for point in after(solved.graph, ends, changes)
    )


def _passes(module: Module, call: ast.Call, holder: str) -> bool:
    """Whether a call gives something to somebody who may ask it for what it holds: not to a logger, or to ``len()``."""
    if not any(path(given) == holder for given in arguments(call)):
        return False
    callee = module.calls.callee(call)
    return bool(callee.raises) and not any(name.startswith("builtins.") for name in callee.names)


def _outlives(solved: Solved, target: ast.AST) -> bool:
    return isinstance(target, ast.Name) and target.id in solved.problem.scope.elsewhere
