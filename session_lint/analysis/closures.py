"""Calls of a function that stands inside the one that calls it, and knows the session by the variable it is in."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.arguments import parameters_given
from session_lint.analysis.holding import captured
from session_lint.analysis.state import NOTHING, Fact, SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.python.names import own_nodes
from session_lint.python.remembered import remembered
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.summaries import Outcome
    from session_lint.flow import Code
    from session_lint.python.scopes import FunctionNode


def closed_over(module: Module, code: Code, call: ast.Call, callee: Callee, fact: Fact) -> tuple[Outcome, ...] | None:
    """What calling a nested function does to a session that it captures.

    :param code: what makes the call.
    :returns: ``None`` where the callee is not such a function, or binds a name of the session itself.
    """
    function = callee.function
    if function is None or callee.home is not module.names or not _by_variable(fact) or is_generator(function):
        return None
    outer = module.names.scopes.of[function].parent
    if outer is None or outer.node is not code or isinstance(code, ast.Module):
        return None
    names = frozenset(n for n in fact.names if _variable(n) in captured(function))
    if not names or any(_variable(n).partition(".")[0] in _bound(function) for n in names):
        return None
    whole = {*parameters_given(module, call, function, fact, bound=False)}
    known = frozenset(g for g in fact.guards if not guards.variables(g[0]) & _bound(function))
    state = State.CLOSED if fact.state is State.CLOSED else State.NEW
    there = known.union(*map(guards.present, whole))
    return module.summaries.inner(function, NOTHING._replace(names=names | whole, guards=there, state=state))


def _by_variable(fact: Fact) -> bool:
    return fact.site is not None and fact.site.kind is not SiteKind.SINGLETON and not fact.site.key


def _variable(name: object) -> str:
    """The variable path that a name of a session is about; empty for what has none."""
    text = name[1] if isinstance(name, tuple) else name
    return text if isinstance(text, str) else ""


@remembered
def _bound(function: FunctionNode) -> frozenset[str]:
    """The variables that a function gives a value to, its parameters too."""
    stored = {n.id for n in own_nodes(function) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return frozenset(stored | {arg.arg for arg in parameters(function)})
