"""Errors of the database that somebody catches and passes over, while the session still waits for a rollback."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.decorating import decorated
from session_lint.analysis.scopes import begun_on_borrowed
from session_lint.analysis.state import Mark, SiteKind
from session_lint.flow import PointKind
from session_lint.python.names import own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.values import dataclass

_STATEMENTS = ("execute", "scalar", "scalars", "exec")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site


@dataclass(frozen=True, eq=False)
class Swallowed:
    """An ``except`` after which a failed session goes on.

    :param site: the session, or the scope.
    :param code: the code that holds the clause.
    :param handler: the clause.
    :param failed: the operation whose error it catches.
    :param then: what happens next: another operation, or the end of the scope.
    """

    site: Site
    code: ast.AST
    handler: ast.ExceptHandler
    failed: ast.AST
    then: ast.AST
    name: str


def in_scopes(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause after which a scope commits what a failed operation left."""
    if facts.module is None:
        return
    seen: set[ast.AST] = set()
    for solved in (*facts.solved, *begun_on_borrowed(facts)):
        for point, fact in solved.visits(PointKind.EXIT):
            if fact.site is None or fact.flying is not None or not _commits(fact, point.node):
                continue
            for mark in _failed(facts, fact, seen):
                yield _swallowed(fact.site, solved, mark, point.node, facts.variable_of(fact.site, solved))
    for code, _ in facts.module.codes:
        for solved in decorated(facts.module, code):
            (parameter,) = solved.problem.start.names
            for fact in solved.exits:
                for mark in _failed(facts, fact, seen) if fact.flying is None and fact.site is not None else ():
                    yield _swallowed(fact.site, solved, mark, code, str(parameter))  # type: ignore[arg-type]


def _commits(fact: Fact, item: ast.AST) -> bool:
    assert fact.site is not None
    own = ("with", item) in fact.names and fact.site.kind is SiteKind.SCOPE and fact.site.commits
    return own or Mark("begun", item) in fact.marks


def _failed(facts: ModuleFacts, fact: Fact, seen: set[ast.AST]) -> Iterator[Mark]:
    """The clauses of this module that passed over a failure which nobody has undone yet."""
    for mark in fact.marked("failed"):
        if mark.node not in seen and _stands_in(facts, mark.node) and not _alone(facts, mark):
            seen.add(mark.node)  # type: ignore[arg-type]  # it stands in the module
            yield mark


def _alone(facts: ModuleFacts, mark: Mark) -> bool:
    """Whether only a statement has failed, and the transaction goes on: SQLite's do, which a ``PRAGMA`` gives away.

    Source: https://sqlite.org/lang_conflict.html (``ABORT``, the default); a failed flush ends it there, too.
    """
    call = mark.other
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or call.func.attr not in _STATEMENTS:
        return False
    return call in facts.module.calls and _on_sqlite(facts.module.code_of(facts.module.calls.scope(call)))  # type: ignore[union-attr]


@remembered
def _on_sqlite(code: ast.AST) -> bool:
    texts = (n.value for n in own_nodes(code) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    return any(text.lstrip()[:7].lower() == "pragma " for text in texts)


def _stands_in(facts: ModuleFacts, node: ast.AST | None) -> bool:
    assert facts.module is not None
    return isinstance(node, ast.ExceptHandler) and node in facts.module.nodes


def _swallowed(site: Site, solved: Solved, mark: Mark, then: ast.AST, name: str) -> Swallowed:
    assert isinstance(mark.node, ast.ExceptHandler)
    assert mark.other is not None
    return Swallowed(site, solved.code, mark.node, mark.other, then, name)


def gone_on(facts: ModuleFacts) -> Iterator[Swallowed]:
    """Every clause after which a session is used again that nobody has rolled back."""
    if facts.module is None or "except" not in facts.source.text:
        return
    seen: set[ast.AST | None] = {one.handler for one in in_scopes(facts)}  # a rule of its own speaks of these
    for solved in _solutions(facts):
        there = [fact for facts_there in solved.solution.facts.values() for fact in facts_there]
        failures = {mark for fact in there for mark in fact.marked("failed")}
        harmless = {mark for mark in failures if _alone(facts, mark)}
        passed_over = {mark.node for mark in harmless} - {mark.node for mark in failures - harmless}
        for fact in there:
            for mark in fact.marked("stale"):
                if mark.node in seen | passed_over or not _stands_in(facts, mark.node) or mark.other is None:
                    continue
                assert isinstance(mark.node, ast.ExceptHandler)
                assert fact.site is not None
                failed = next((m.other for m in fact.marked("failed") if m.node is mark.node), None)
                if failed is solved.code or mark.other is solved.code:
                    continue  # too many ways to tell which
                seen.add(mark.node)
                name = facts.variable_of(fact.site, solved)
                yield Swallowed(fact.site, solved.code, mark.node, failed or mark.node, mark.other, name)


def _solutions(facts: ModuleFacts) -> Iterator[Solved]:
    assert facts.module is not None
    yield from facts.solved
    for one in facts.borrowed:
        if any(_may_swallow(n, one.names) for n in own_nodes(one.code)) and one.solved is not None:
            yield one.solved


def _may_swallow(node: ast.AST, names: set[str]) -> bool:
    """Whether a ``try`` has something to do with a session, and a clause that does more than raise again."""
    if not isinstance(node, ast.Try) or all(
        len(h.body) == 1 and isinstance(h.body[0], ast.Raise) for h in node.handlers
    ):
        return False
    inner = (n for statement in node.body for n in own_nodes(statement))
    return any(isinstance(n, (ast.Name, ast.Attribute)) and path(n) in names for n in inner)
