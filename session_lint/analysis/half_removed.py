"""Sessions of registries that a function asks for and closes itself, but not on each of its ways.

The registry keeps such a session: the next one in the thread who asks for it gets what the failed one has left.

What a function gets by a call of which nobody knows what it calls (``session = self.session_factory()``), uses as a
session and closes, is like that: it may be a registry's, or a new one, and is the function's to close in either case.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import is_registry_call, made_by
from session_lint.analysis.called import may_close
from session_lint.analysis.facts import Ending
from session_lint.analysis.holding import releasing
from session_lint.analysis.registries import handed_on, is_registry, taken_down
from session_lint.analysis.state import State
from session_lint.flow import EdgeKind, SolverLimit
from session_lint.python.nodes import method_of, own_of, path
from session_lint.python.scopes import is_self
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Raised
    from session_lint.flow import Block
    from session_lint.python.scopes import Scope


_DONE = {State.CLOSED, State.IDLE}


@dataclass(frozen=True, eq=False)
class HalfRemoved:
    """A registry's session that a function closes on its normal ways, or some of them, and not on all others.

    :param asked: where the function asks for it, or uses it first.
    :param new: whether it may be a new one.
    :param ending: a way on which it stays as it is.
    :param plain: whether that is a normal way, on which nothing has raised.
    """

    asked: ast.AST
    name: str
    code: ast.AST
    ending: Ending
    plain: bool
    new: bool = False


def half_removed(facts: ModuleFacts) -> Iterator[HalfRemoved]:
    """Every such session of the module."""
    if facts.module is None:
        return
    for one in facts.borrowed:
        if all(releasing(method_of(use)) for use in one.uses) or not (
            is_asked(one) or (one.managed and _is_registry(one))
        ):
            continue  # of one that is only closed here, others ask something
        if not may_close(facts.module, one.code) or one.solved is None:
            continue
        states = _left(one.solved)
        if State.CLOSED not in states or (one.asked is None and _removed_by_others(facts.module, one)):
            continue
        plain = State.ACTIVE in states
        if not plain and not states <= ({*_DONE, State.NEW} if one.asked else _DONE):
            continue
        asked = _asked(one)
        ending = next((way for way in _open(one, plain=plain) if not _before(way, asked)), None)
        if ending is not None:
            yield HalfRemoved(asked, one.called, one.code, ending, plain, one.asked is not None)


def is_asked(one: Borrowed) -> bool:
    """Whether a code gets it by a call of which nobody knows what it calls, and closes it itself."""
    if one.asked is None or isinstance(one.module.parents.get(one.asked), ast.Await):
        return False
    closing = [use for use in one.uses if method_of(use) == "close" and not use.args]
    return bool(closing) and not any(isinstance(one.module.parents.get(use), ast.Await) for use in one.uses)


def _is_registry(one: Borrowed) -> bool:
    """Whether it is a registry: one that the project made, or one that an object was given, by its annotation.

    One that a library keeps for others (``airflow.settings.Session``) ends with the process of a task.
    """
    if is_registry(one):
        return True
    module, scope = one.module, one.module.names.scopes.of[one.code]
    field = one.name.partition(".")[2]
    return bool(field and _asking(one)) and _is_own(scope, one.name) and not made_by(module, one.node, scope)


def _is_own(scope: Scope, name: str) -> bool:
    """Whether a path is a field of the method's own object."""
    own, _, field = name.partition(".")
    return "." not in field and is_self(scope, own)


def _left(solved: Solved) -> set[State]:
    """How a code leaves its session on the ways on which nothing has raised."""
    normal = [(block, fact) for block, fact in solved.ends if fact.flying is None]
    return {fact.state for block, fact in normal if fact.state is State.CLOSED or not _caught(solved, block, fact)}


def _caught(solved: Solved, block: Block, fact: Fact) -> bool:
    """Whether a clause has caught something on the way to a fact."""
    edges = (edge for _, _, edge in solved.way(block, fact) if edge is not None)
    return any(edge.kind is EdgeKind.CATCH and isinstance(edge.node, ast.ExceptHandler) for edge in edges)


def _asked(one: Borrowed) -> ast.AST:
    """The call that asks the registry for its session, or else the first use."""
    return one.asked or min(_asking(one) or one.uses, key=lambda call: (call.lineno, call.col_offset))


def _asking(one: Borrowed) -> list[ast.Call]:
    """The calls of a registry, which give its session."""
    asking = [call for call in own_of(one.code, ast.Call) if path(call.func) == one.name]
    return [call for call in asking if is_registry_call(one.module, call)]


def _open(one: Borrowed, *, plain: bool) -> Iterator[Ending]:
    """The ways on which a transaction of the session stays open: of an exception, also of one that is caught, or not.

    :param plain: whether those count on which nothing has raised.
    """
    module = one.module
    try:
        solved = module.solve(one.code, one.start, told=False)  # type: ignore[arg-type]  # a code has a graph
    except SolverLimit:
        return
    for block, fact in solved.ends:
        if fact.state is not State.ACTIVE or fact.site is not solved.problem.start.site:
            continue
        if (
            _caught(solved, block, fact) is not plain
            if fact.flying is None
            else not plain and _leaves(module, fact.flying)
        ):
            yield Ending(solved, block, fact)


def _leaves(module: Module, flying: Raised) -> bool:
    """Whether an exception is one that a program reckons with, and not of what closes or rolls back."""
    return not flying.undoing and module.exceptions.ordinary(flying.type)


def _before(way: Ending, asked: ast.AST) -> bool:
    """Whether an exception leaves before the code has asked for the session: it leaves what others have done to it."""
    flying = way.fact.flying
    return flying is not None and bool(flying.node.end_lineno < asked.lineno)  # type: ignore[attr-defined]  # two expressions


def _removed_by_others(module: Module, one: Borrowed) -> bool:
    """Whether something removes the registry's session whoever has used it, or may: a teardown, a hook, a wrapper."""
    if taken_down(module, one) or not isinstance(one.code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return True
    others = module.program.mentioning(module, ".remove")
    if others is None:
        return True
    word = one.name.rpartition(".")[2]
    for home in (module, *others):
        if handed_on(home, word, frozenset()) or any(_only_removes(home, code) for code, _ in home.codes):
            return True
    return False


def _only_removes(home: Module, code: ast.AST) -> bool:
    """Whether a code removes some session that it does not use itself."""
    calls = home.calls_in(code)
    if _shuts_down(code, calls):
        return False
    removing = {_receiver(call) for call in calls if method_of(call) == "remove" and not call.args}
    used = {_receiver(call) for call in calls if method_of(call) != "remove"} | {path(call.func) for call in calls}
    return bool(removing - used)


def _shuts_down(code: ast.AST, calls: Iterable[ast.Call]) -> bool:
    """Whether a code gives up the engine along with the session: it ends all work, once, not a piece of it."""
    disposes = any(method_of(call) == "dispose" and not (call.args or call.keywords) for call in calls)
    return disposes and not own_of(code, ast.Try, ast.Yield)


def _receiver(call: ast.Call) -> str:
    return path(call.func.value) if isinstance(call.func, ast.Attribute) else ""
