"""What a session's own methods do to a fact."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes, query_of
from session_lint.analysis.state import Fact, Mark, SiteKind, State
from session_lint.vocabulary import Effect, effects, query_methods

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

UNKNOWN = Effect("read", "active")
"""A method that the protocol does not list, of a subclass perhaps: taken to use the session."""


def effect_of(methods: list[str], call: ast.Call, writes: Callable[[ast.expr], bool]) -> Effect:
    """What the last call of a chain that starts at a session does.

    :param methods: the methods of the chain, the session's own first.
    :param writes: whether an argument is a statement that changes rows.
    """
    if len(methods) == 1:
        found = effects()["close"] if closes(methods[0]) else effects().get(methods[0], UNKNOWN)
        if found.effect == "read" and call.args and writes(call.args[0]):
            return Effect("write", found.to)
        return found
    return query_effect(methods[-1]) if methods[0] == "query" else Effect("none", raises=methods[0] != "begin")


def is_statement(node: ast.AST | None) -> bool:
    """Whether an operation sends one statement, and nothing that was added before."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _STATEMENTS


_STATEMENTS = ("execute", "scalar", "scalars", "exec")


def alike(mark: Mark) -> Hashable:
    """What counts of a mark of a failure that was passed over: which operation it was, and where it went on, do not."""
    what, node, other, key = mark
    return (what, node, what == "failed" and is_statement(other), key) if what in ("failed", "stale") else mark


def query_effect(method: str) -> Effect:
    """What a method of a query does to the session it was made from."""
    known = query_methods()
    if method in known.builders:
        return Effect("build", raises=False)
    return Effect("write" if method in known.writers else "read", "active")


def apply(fact: Fact, effect: Effect, node: ast.AST) -> Fact:
    """The fact after a method of its session completed at ``node``."""
    after = _APPLY.get(effect.effect, _nothing)(fact, node)
    sent = effect.effect in ("read", "flush") or (effect.effect == "write" and effect.to)
    if sent and after.pending is not None and fact.site is not None and fact.site.origin.borrowed:
        return after.mark("exposed")  # whoever has the connection may commit what was sent over it
    return after


def _nothing(fact: Fact, _node: ast.AST) -> Fact:
    return fact


def operate(fact: Fact, node: ast.AST) -> Fact:
    """A database operation: a transaction is open from here on; a commit before it was not the last word."""
    marks = fact.marks
    for m in fact.marks:
        if m.what == "commit":
            marks = (marks - {m}) | {Mark("split", m.node, node)}
        elif m.what == "undone":
            marks -= {m}
    if fact.state is State.CLOSED:
        marks |= {Mark("reopened", node)}
    return fact._replace(state=State.ACTIVE, marks=_gone_on(marks, node))


def _gone_on(marks: frozenset[Mark], node: ast.AST) -> frozenset[Mark]:
    """The marks once a session is used again of which an error was caught and not rolled back."""
    failed = [m for m in marks if m.what == "failed"]
    known = {m.node for m in marks if m.what == "stale"} if failed else ()
    return marks | {Mark("stale", m.node, node) for m in failed if m.node not in known} if failed else marks


def fail(fact: Fact, effect: Effect, node: ast.AST, before: Fact) -> Fact:
    """The fact where an operation of the session raises: from here on the transaction waits for a rollback.

    That goes for what writes, and for all that writes beforehand what was only added so far. A query that fails by
    itself has most often just found nothing, or too much.

    :param before: what held before the operation.
    """
    writes = effect.effect in ("commit", "flush") or (effect.effect == "write" and effect.to)
    if not writes and not (fact.pending is not None and effect.effect == "read"):
        return fact
    if _untouched(before) and effect.effect in ("commit", "flush"):
        return fact
    return fact.unmark("failing").mark("failing", node, None if writes else fact.pending)


def _untouched(fact: Fact) -> bool:
    """Whether a session that was opened here has not been used yet, so that there is nothing which could fail."""
    mine = fact.site is not None and fact.site.kind in (SiteKind.OWNED, SiteKind.SCOPE)
    return mine and fact.pending is None and (fact.state is State.NEW or fact.state is State.CLOSED)


def recovered(fact: Fact) -> Fact:
    """The fact once somebody has rolled the session back, or may have."""
    return fact.unmark(*_WAITING) if any(m.what in _WAITING for m in fact.marks) else fact


def _write(fact: Fact, node: ast.AST) -> Fact:
    return operate(fact, node)._replace(pending=node)


def without_queries(fact: Fact) -> Fact:
    """The fact at a commit, which ends the transaction of a query that has failed as a rollback does."""
    if not any(m.what == "failed" and m.key for m in fact.marks):
        return fact
    return fact.with_marks(frozenset(m for m in fact.marks if m.what != "failed" or not m.key))


def _commit(fact: Fact, node: ast.AST) -> Fact:
    if fact.state is State.CLOSED:
        return fact
    fact = without_queries(fact)
    borrowed = fact.site is not None and fact.site.kind is SiteKind.PARAMETER
    ended = _SENT if borrowed else _WAITING  # it ends no failure, which is all that one asks of somebody else's session
    marks = frozenset(m for m in _gone_on(fact.marks, node) if m.what not in ("exposed", "undone", *ended)) | {
        Mark("committed")
    }
    if not free(fact):
        marks |= {Mark("commit", node)}
    return fact._replace(state=State.IDLE, pending=None, marks=marks)


def _rollback(fact: Fact, node: ast.AST) -> Fact:
    if fact.state is State.CLOSED:
        return fact
    ended = _by_hand(recovered(fact), node)
    ended = ended.mark("undone") if _expires(fact) else ended
    return ended._replace(state=State.IDLE, pending=None)


def _expires(fact: Fact) -> bool:
    """Whether a rollback surely expires what a session has loaded, and stands on no way of an error.

    Where no transaction is open it does nothing: one that somebody unknown has had may be committed by then.
    """
    mine = fact.site is not None and fact.site.kind in (SiteKind.OWNED, SiteKind.SCOPE)
    if not mine or fact.state is not State.ACTIVE or fact.caught or fact.flying is not None:
        return False
    return not any(m.what in ("exposed", "closed") for m in fact.marks)


_SENT = ("failing", "raised", "asking")
_WAITING = (*_SENT, "failed")
"""Marks of a session that waits for a rollback."""
_OVER = ("reopened", *_WAITING)
"""Marks that say nothing any more once a session is closed."""


def close(fact: Fact, node: ast.AST) -> Fact:
    """The session is closed at ``node``; what it had written and not committed is lost."""
    lost = fact.pending is not None and not fact.caught and fact.flying is None
    marks = fact.marks | {Mark("lost", fact.pending, node)} if lost else fact.marks
    marks = frozenset(m for m in marks if m.what not in _OVER)
    return _by_hand(fact._replace(state=State.CLOSED, pending=None, marks=marks | {Mark("closed", node)}), node)


def _by_hand(fact: Fact, node: ast.AST) -> Fact:
    own = fact.site is not None and fact.site.kind is SiteKind.SINGLETON
    if ((own or free(fact)) and not _inside(fact)) or fact.marked("nested"):
        return fact
    return fact.mark("ended", node)


def free(fact: Fact) -> bool:
    """Whether the code that does something to a session has opened it, and nothing else ends what it does."""
    return (fact.site is None or fact.site.kind is SiteKind.OWNED) and not _inside(fact)


def _inside(fact: Fact) -> bool:
    return any(m.what in ("begun", "scope") for m in fact.marks)


def commits_at(fact: Fact, item: ast.AST) -> bool:
    """Whether the end of a ``with`` commits what was written in it, because that is what it is for."""
    scope = fact.site is not None and fact.site.kind is SiteKind.SCOPE and fact.site.commits
    return (scope and ("with", item) in fact.names) or Mark("scope", item) in fact.marks


def _transaction(fact: Fact, node: ast.AST) -> Fact:
    return fact.mark("transaction", node)


def _nested(fact: Fact, node: ast.AST) -> Fact:
    return operate(fact, node).mark("savepoint", node)


_APPLY: dict[str, Callable[[Fact, ast.AST], Fact]] = {
    "close": close,
    "commit": _commit,
    "rollback": _rollback,
    "flush": operate,
    "write": _write,
    "read": operate,
    "begin": _transaction,
    "nested": _nested,
}


def leave(fact: Fact, item: ast.AST, *, commits: bool) -> Fact:
    """The ``with`` block that owns the session has ended: closed, and committed where the scope does that."""
    normal = fact.flying is None
    marks = {m for m in fact.marks if m.what not in _OVER}
    if normal and commits:
        marks.add(Mark("committed"))
    elif normal and fact.pending is not None and not fact.caught:
        marks.add(Mark("lost", fact.pending, item))
    marks.add(Mark("closed", item))
    return fact._replace(state=State.CLOSED, pending=None, marks=frozenset(marks))


def end_transaction(fact: Fact, item: ast.AST, what: str) -> Fact:
    """A ``with session.begin()`` or ``begin_nested()`` has ended; the session stays open."""
    left = fact.with_marks(frozenset(m for m in fact.marks if m != Mark(what, item)))
    left = left if fact.flying is None else recovered(left)
    if what == "nested":
        return left
    pending = left._replace(state=State.IDLE, pending=None)
    return pending.mark("committed") if fact.flying is None else pending


def iterates(node: ast.AST, fact: Fact) -> bool:
    """Whether a loop over ``node`` asks the database through the session of the fact."""
    return query_of(node, fact)


def from_query(node: ast.AST, fact: Fact) -> bool:
    """Whether a variable holds a query that was made from the session."""
    return query_of(node, fact) if isinstance(node, (ast.Name, ast.Attribute)) else False


_KNOWN_QUERY = frozenset(
    [
        "all",
        "first",
        "one",
        "one_or_none",
        "scalar",
        "scalars",
        "count",
        "get",
        "get_or_404",
        "exists",
        "update",
        "delete",
        "fetchall",
        "fetchone",
        "fetchmany",
        "mappings",
        "unique",
        "partitions",
        "scalar_one",
        "scalar_one_or_none",
        "columns",
        "keys",
        "tuples",
        "freeze",
        "merge",
        "yield_per",
    ]
)


def knows(methods: list[str]) -> bool:
    """Whether all methods of a chain are SQLAlchemy's own, so that it raises SQLAlchemy's own exceptions."""
    first = methods[0] in effects() and methods[0] != "run_sync"
    return first and all(m in _KNOWN_QUERY or m in query_methods().builders for m in methods[1:])
