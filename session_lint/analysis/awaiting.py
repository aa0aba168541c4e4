"""Asynchronous sessions whose coroutines nobody awaits, and synchronous ones in coroutines."""

from __future__ import annotations

import ast
from types import CoroutineType
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import is_async
from session_lint.analysis.calling import own_effect
from session_lint.analysis.effects import iterates
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.loading import COLLECTING
from session_lint.analysis.state import NOTHING, State
from session_lint.analysis.told import told
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, path
from session_lint.python.scopes import below
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site
    from session_lint.python.scopes import Scope

_COROUTINES = frozenset(
    "execute scalar scalars stream stream_scalars get get_one refresh merge delete commit rollback flush close aclose "
    "reset invalidate connection run_sync exec".split()
)
"""The coroutine methods of ``AsyncSession``; ``begin()`` and ``begin_nested()`` are entered, not awaited."""
_TOUCHING = ("read", "write", "flush", "commit", "rollback")


@dataclass(frozen=True, eq=False)
class Forgotten:
    """A coroutine of a session that was made and is never run.

    :param method: the session's method.
    """

    call: ast.Call
    method: str
    name: str
    code: ast.AST


@dataclass(frozen=True, eq=False)
class Blocking:
    """An operation of a synchronous session in a coroutine.

    :param call: the operation, or the query that is gone through.
    :param name: the variable of the session.
    """

    call: ast.expr
    name: str
    code: ast.AST


def forgotten(facts: ModuleFacts) -> Iterator[Forgotten]:
    """Every call of an asynchronous session's coroutine that is neither awaited nor passed on."""
    if facts.module is None or "async" not in facts.source.text.lower():
        return
    for call, name, kind in _session_calls(facts):
        assert isinstance(call.func, ast.Attribute)
        if kind and call.func.attr in _COROUTINES and _is_dropped(facts.module, call):
            yield Forgotten(call, call.func.attr, name, facts.module.code_of(facts.module.calls.scope(call)))


def blocking(facts: ModuleFacts) -> Iterator[Blocking]:
    """The first operation of each synchronous session in each coroutine of the module."""
    if facts.module is None or "async def" not in facts.source.text:
        return
    seen: set[tuple[ast.AST, str]] = set()
    told_of: set[ast.expr] = set()  # two names of one session have the same operations
    for call, name, code in sorted(_operations(facts), key=_place):
        if (code, name) not in seen:
            seen.add((code, name))
            if call not in told_of:
                told_of.add(call)
                yield Blocking(call, name, code)


def _place(one: tuple[ast.expr, str, ast.AST]) -> tuple[int, int, bool]:
    """Where an operation stands; of the names of its session the one that it is written with comes first."""
    call, name, _ = one
    written = path(call.func.value) if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) else ""
    return call.lineno, call.col_offset, written != name


def _session_calls(facts: ModuleFacts) -> Iterator[tuple[ast.Call, str, bool | None]]:
    """The calls of sessions' own methods, each with the session's variable and whether that is asynchronous."""
    assert facts.module is not None
    seen = {call for one in facts.borrowed for call in one.uses}
    for one in facts.borrowed:
        kind = _awaited_elsewhere(facts.module, one) if one.is_async is None else one.is_async
        yield from ((call, one.called, kind) for call in one.uses)
    for solved in facts.solved:
        for point, fact in solved.visits(PointKind.CALL):
            call = point.node
            if fact.site is None or not isinstance(call, ast.Call) or call in seen:
                continue
            if isinstance(call.func, ast.Attribute) and held(call.func.value, fact) is Hold.WHOLE:
                seen.add(call)
                yield call, path(call.func.value), is_async(facts.module, fact.site)


# what nobody awaits


def _awaited_elsewhere(module: Module, one: Borrowed) -> bool | None:
    """Whether a code awaits another coroutine of a session of which nobody tells the kind: then it is asynchronous."""
    done = (call for call in one.uses if isinstance(call.func, ast.Attribute) and call.func.attr in _COROUTINES)
    return True if any(call in module.names.scopes.awaited for call in done) else None


def _is_dropped(module: Module, call: ast.Call) -> bool:
    """Whether the coroutine that a call makes is lost, or used as if it were the result."""
    above = module.parents[call]
    if isinstance(above, (ast.Expr, ast.Attribute, ast.Subscript)):
        return True
    if isinstance(above, (ast.For, ast.comprehension)):
        return above.iter is call
    given = assigned_at(above)
    if given is not None and len(given.targets) == 1 and isinstance(given.targets[0], ast.Name):
        return _never_awaited(module, given.targets[0])
    return False


def _never_awaited(module: Module, target: ast.Name) -> bool:
    """Whether a variable is read as if what it holds were the result, and nowhere awaited.

    A coroutine has next to no attributes, and no items. One that is only asked whether it is there is not run, either.
    """
    code = module.code_of(_scope_of(module, target))
    reads = [n for n in below(code) if isinstance(n, ast.Name) and n.id == target.id and isinstance(n.ctx, ast.Load)]
    stores = [n for n in below(code) if isinstance(n, ast.Name) and n.id == target.id and n not in reads]
    around = [module.parents[n] for n in reads]
    if len(stores) != 1 or not reads or any(isinstance(node, ast.Await) for node in around):
        return False
    return any(map(_takes_result, around)) or all(_is_tested(module, node) for node in reads)


def _is_tested(module: Module, node: ast.expr) -> bool:
    """Whether of an expression only the truth is asked, or what it is the same as."""
    above = module.parents[node]
    if isinstance(above, ast.BoolOp):
        return _is_tested(module, above)
    if isinstance(above, (ast.If, ast.While, ast.IfExp)):
        return above.test is node
    return isinstance(above, ast.Compare) or (isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.Not))


def _takes_result(node: ast.AST) -> bool:
    """Whether something is read of a variable that a coroutine does not have."""
    return isinstance(node, ast.Subscript) or (isinstance(node, ast.Attribute) and node.attr not in _OF_COROUTINES)


_OF_COROUTINES = frozenset(["send", "throw", "close", *(name for name in dir(CoroutineType) if name.startswith("cr_"))])


def _scope_of(module: Module, node: ast.AST) -> Scope:
    while node not in module.names.scopes.of:
        node = module.parents[node]
    return module.names.scopes.of[node]


# what blocks


def _operations(facts: ModuleFacts) -> Iterator[tuple[ast.expr, str, ast.AST]]:
    """The operations of synchronous sessions in coroutines, each with the session's variable and the coroutine."""
    assert facts.module is not None
    for one in facts.borrowed:
        if one.is_async is False and isinstance(one.code, ast.AsyncFunctionDef) and one.solved is not None:
            yield from ((call, one.called, one.code) for call, _ in _touching(one.solved))
    for solved in facts.solved:
        if isinstance(solved.code, ast.AsyncFunctionDef):
            for call, fact in (*_touching(solved), *_of_given(solved)):
                assert fact.site is not None
                if is_async(facts.module, fact.site) is False:
                    yield call, facts.variable(fact.site.node, solved.code), solved.code
    for code, _ in facts.module.codes:
        if isinstance(code, ast.AsyncFunctionDef):
            yield from ((call, name, code) for call, name in _of_told(facts.module, code))


def _of_given(solved: Solved) -> Iterator[tuple[ast.expr, Fact]]:
    """The operations of sessions that a coroutine opens and gives away, by a variable that it goes on with.

    ``self.db = db = Session()``
    """
    module = solved.problem.module
    for point, fact in solved.visits(PointKind.CALL):
        if fact.state is State.GIVEN and fact.site is not None and fact.site.code is solved.code:
            known = fact._replace(names=_names(module, fact.site))
            if _asks(module, point.node, known):  # type: ignore[arg-type]  # a call
                yield point.node, fact  # type: ignore[misc]


def _names(module: Module, site: Site) -> frozenset[object]:
    """The variables of a code that hold nothing but the session of a site."""
    bindings = module.names.scopes.of[site.code].bindings
    return frozenset(name for name, bound in bindings.items() if len(bound) == 1 and bound[0].node is site.node)


def _of_told(module: Module, code: ast.AsyncFunctionDef) -> Iterator[tuple[ast.expr, str]]:
    """The operations of the sessions that variables of a coroutine are told to hold, each with the variable."""
    for name in (name for name, kind in told(module, code).items() if not kind):
        fact = NOTHING._replace(names=frozenset({name}))
        for call in module.calls_in(code):
            if _asks(module, call, fact):
                yield call, name


def _collects(node: ast.AST, fact: Fact) -> bool:
    """Whether a call makes a collection of what a query gives: ``list(session.query(User))``."""
    named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in COLLECTING
    return named and bool(node.args) and fact.site is not None and iterates(node.args[0], fact)  # type: ignore[attr-defined]


def _touching(solved: Solved) -> Iterator[tuple[ast.expr, Fact]]:
    """The calls of sessions' own methods that ask the database, and are not awaited, and the queries gone through."""
    for point, fact in solved.visits(PointKind.CALL, PointKind.NEXT):
        if point.kind is PointKind.NEXT:
            if not isinstance(point.node, ast.AsyncFor) and iterates(point.node.iter, fact):  # type: ignore[attr-defined]
                yield point.node.iter, fact  # type: ignore[attr-defined]
            continue
        if _collects(point.node, fact):
            yield point.node, fact  # type: ignore[misc]
            continue
        if fact.site is not None and _asks(solved.problem.module, point.node, fact):  # type: ignore[arg-type]
            yield point.node, fact  # type: ignore[misc]


def _asks(module: Module, call: ast.Call, fact: Fact) -> bool:
    """Whether a call is one of a session's own methods that asks the database, and is not awaited."""
    own = own_effect(module, call, fact)
    if own is None or call in module.names.scopes.awaited:
        return False
    return own[0].effect in _TOUCHING and bool(own[0].to or own[0].effect == "commit")
