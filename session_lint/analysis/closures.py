"""Calls of a function that knows the session by the variable it is in: a nested one, a method of the same object."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.arguments import parameters_given
from session_lint.analysis.family import is_abstract, written_below
from session_lint.analysis.holding import captured
from session_lint.analysis.state import NOTHING, Fact, SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import is_super, names_under, own_nodes, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import is_self, parameters

_DEEPEST = 3
"""Through how many methods of its own an object may come to a field."""

if TYPE_CHECKING:
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.summaries import Outcome
    from session_lint.flow import Code
    from session_lint.python.scopes import FunctionNode


def closed_over(
    module: Module, code: Code, call: ast.Call, callee: Callee, fact: Fact, *, alone: bool
) -> tuple[Outcome, ...] | None:
    """What calling a nested function does to a session that it captures.

    :param code: what makes the call.
    :param alone: whether only that counts.
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
    outside = names_under(function) - _bound(function)
    known = frozenset(g for g in fact.guards if guards.variables(g[0]) <= outside)
    state = State.CLOSED if fact.state is State.CLOSED else State.NEW
    there = known.union(*map(guards.present, whole))
    return module.summaries.inner(
        function, NOTHING._replace(names=names | whole, guards=there, state=state), alone=alone
    )


def by_own_method(
    module: Module, code: Code, call: ast.Call, callee: Callee, fact: Fact, *, alone: bool
) -> tuple[Outcome, ...] | None:
    """What calling a method of the same object does to a session that is in one of its fields: ``self._undo()``.

    :param alone: whether only that counts.
    :returns: ``None`` where the callee is no such method, has nothing to do with the field, or gives it a new value.
    """
    function, home = callee.function, module.at(callee)
    names = of_own_object(module, code, call, callee, fact)
    if not names or function is None or not speaks_of(home, function, names):
        return None
    whole = {*parameters_given(module, call, function, fact, bound=True)}
    state = State.CLOSED if fact.state is State.CLOSED else State.NEW
    there = frozenset().union(*map(guards.present, whole | names))
    return home.summaries.inner(function, NOTHING._replace(names=names | whole, guards=there, state=state), alone=alone)


def of_own_object(module: Module, code: Code, call: ast.Call, callee: Callee, fact: Fact) -> frozenset[str]:
    """How a method that another one calls on their object knows a session which is in one of its fields."""
    function, func = callee.function, call.func
    if function is None or not callee.bound or not isinstance(func, ast.Attribute) or not _by_variable(fact):
        return frozenset()
    own = _object(func.value, code)
    if not is_self(module.names.scopes.of[code], own) or is_generator(function) or not parameters(function):
        return frozenset()
    names = _inside(function, own, fact)
    return names if names.isdisjoint(_stored(function)) else frozenset()


def _object(node: ast.expr, method: ast.AST) -> str:
    """The variable of the object that an expression is: in a method, ``super()`` is that of its own."""
    if is_super(node) and isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and parameters(method):
        return parameters(method)[0].arg
    return path(node)


def own_method_uses(module: Module, method: ast.Attribute, fact: Fact) -> bool:
    """Whether a method of the code's own object, ``self.load``, has to do with the field that has the session."""
    own = path(method.value)
    scope = module.names.scopes.of.get(fact.site.code) if fact.site is not None else None
    names = module.names.qualify(method, scope) if scope is not None else frozenset()
    found = [module.names.definition(name) for name in names]
    for home, function in (one for one in found if one is not None):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) and parameters(function):
            fields = _inside(function, own, fact)
            if fields and speaks_of(module.program.module(home), function, fields):
                return True
    return False


def _inside(method: FunctionNode, own: str, fact: Fact) -> frozenset[str]:
    """How a method knows the session that a caller has in a field of their object."""
    fields = [n.removeprefix(own) for n in fact.names if isinstance(n, str) and n.startswith(f"{own}.") and own]
    return frozenset(parameters(method)[0].arg + field for field in fields)


def speaks_of(module: Module, method: FunctionNode, names: frozenset[str], depth: int = 0) -> bool:
    """Whether a method, or one that it calls on its own object, speaks of some fields.

    An abstract one speaks for the only one below it.
    """
    known, key = module.program.speaking, (method, names, depth)
    if key not in known:
        known[key] = _speaks_of(module, method, names, depth)
    return known[key]


def _speaks_of(module: Module, method: FunctionNode, names: frozenset[str], depth: int) -> bool:
    if not names.isdisjoint(_paths(method)):
        return True
    first = parameters(method)[0].arg
    if is_abstract(module.names, method):
        below = written_below(module, method)
        own = parameters(below)[0].arg if below is not None and parameters(below) else ""
        renamed = frozenset(own + name.removeprefix(first) for name in names)
        return bool(own) and below is not None and not renamed.isdisjoint(_paths(below))
    for call in _on_itself(method) if depth < _DEEPEST else ():
        callee = module.calls.callee(call)
        if callee.function is not None and callee.bound and parameters(callee.function):
            own = parameters(callee.function)[0].arg
            renamed = frozenset(own + name.removeprefix(first) for name in names)
            if speaks_of(module.at(callee), callee.function, renamed, depth + 1):
                return True
    return False


@remembered
def _on_itself(method: FunctionNode) -> list[ast.Call]:
    """The calls of methods of its own object."""
    first = parameters(method)[0].arg
    calls = (call for call in own_of(method, ast.Call) if isinstance(call.func, ast.Attribute))
    return [call for call in calls if _object(call.func.value, method) == first]  # type: ignore[attr-defined]


@remembered
def _paths(function: FunctionNode) -> frozenset[str]:
    return frozenset(path(n) for n in own_nodes(function) if isinstance(n, ast.Attribute))


@remembered
def _stored(function: FunctionNode) -> frozenset[str]:
    return frozenset(path(n) for n in own_of(function, ast.Attribute) if not isinstance(n.ctx, ast.Load))


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
