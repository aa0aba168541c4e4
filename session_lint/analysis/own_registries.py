"""Registries that a function makes for itself: nobody else can reach the session of one, so who made it owes its end.

``scoped_session(sessionmaker())`` at the top of a module stands for one session of each thread, which others remove. In
a function it is a session like any other, or gives one when it is called, and `remove()` closes it, too.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_nodes, own_of
from session_lint.python.passing_on import is_undecorated
from session_lint.python.scopes import BindingKind, below
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from session_lint.analysis.calls import Calls
    from session_lint.python.names import Names
    from session_lint.python.scopes import Scope
    from session_lint.vocabulary import Vocabulary

_REGISTRY = {"query_property", "registry", "session_factory"}
"""What a registry has that a session has not: who asks for it makes more of it than a session."""


def opened_by(calls: Calls, call: ast.Call, role: Role | None) -> str | None:
    """The variable that keeps the session which a call opens, through a registry of the function's own.

    :param role: the call's: it makes a registry, or asks one for its session.
    :returns: empty where no variable does; ``None`` where the call opens none, or the registry is not the function's.
    """
    scope = calls.scope(call)
    if not isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    if role is Role.REGISTRY_MAKER:
        name = next((n for n in scope.bindings if _made(scope, n) is call), "")
        return "" if name and not _asking(scope, name) and _alone(scope, name) else None
    if isinstance(call.func, ast.Call):
        return "" if calls.callee(call.func).role is Role.REGISTRY_MAKER else None
    if not isinstance(call.func, ast.Name):
        return None
    name, made = call.func.id, _made(scope, call.func.id)
    ours = isinstance(made, ast.Call) and calls.callee(made).role is Role.REGISTRY_MAKER
    first = ours and call is _asking(scope, name)[0]  # each time it gives the same session
    return name if first and _alone(scope, name) else None


def gives_new(vocabulary: Vocabulary, home: Names, function: ast.FunctionDef) -> bool:
    """Whether each call of a function makes a registry, which only its caller gets."""
    values = [n.value for n in own_of(function, ast.Return)]
    if not values or not is_undecorated(function):
        return False
    scope = home.scopes.of[function]
    for value in values:
        made = _made(scope, value.id) if isinstance(value, ast.Name) and _only_returned(scope, value.id) else value
        meaning = vocabulary.of(home.qualify(made.func, scope)) if isinstance(made, ast.Call) else None
        if meaning is None or meaning.role is not Role.REGISTRY_MAKER:
            return False
    return True


def _only_returned(scope: Scope, name: str) -> bool:
    """Whether nothing is done with a variable but to return it."""
    returned = [n.value for n in own_of(scope.node, ast.Return)]
    return all(n in returned for n in below(scope.node) if _is(n, name) and isinstance(n.ctx, ast.Load))  # type: ignore[attr-defined]


def _made(scope: Scope, name: str) -> ast.AST | None:
    """What a variable of a function stands for, where that is one thing only."""
    bindings = scope.bindings.get(name, ())
    if len(bindings) != 1 or bindings[0].kind is not BindingKind.VALUE or name in scope.elsewhere:
        return None
    return bindings[0].node


def _asking(scope: Scope, name: str) -> list[ast.Call]:
    """The calls of a variable, in the order of the text: it stands for what gives sessions, and for none itself."""
    found = [n for n in own_of(scope.node, ast.Call) if _is(n.func, name)]
    return sorted(found, key=lambda n: (n.lineno, n.col_offset))


def _alone(scope: Scope, name: str) -> bool:
    """Whether a variable is used for its session only, by nobody but the function, and goes nowhere."""
    used = {id(n) for n in below(scope.node) if _is(n, name) and isinstance(n.ctx, ast.Load)}  # type: ignore[attr-defined]
    for node in own_nodes(scope.node):
        if isinstance(node, ast.Attribute) and node.attr not in _REGISTRY:
            used.discard(id(node.value))
        elif isinstance(node, ast.Call):  # who gets the registry itself may ask for its session, and remove it
            used.discard(id(node.func))
        elif isinstance(node, ast.Yield):
            used.discard(id(node.value))
    return not used


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
