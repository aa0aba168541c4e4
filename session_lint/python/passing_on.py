"""Decorators of the project whose wrapper only passes on: its arguments to the function, and what that returns back.

Around such a function something is logged, measured or tried again; what a call of it raises and returns is what the
function itself does. A wrapper that returns something else at times, or adds an argument, is not of these.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import is_none, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind, below, parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope

_PLAIN = ("staticmethod", "classmethod")
_LAYERS = 2
"""How many functions return one another: what ``@retry(3)`` calls makes one that makes the wrapper."""


def is_undecorated(function: FunctionNode) -> bool:
    """Whether a function stands for itself, be it a method of a class or one that no object is needed for."""
    return all(path(decorator) in _PLAIN for decorator in function.decorator_list)


def runs_as_written(names: Names, function: FunctionNode) -> bool:
    """Whether calling a function runs its body, and gives what that returns, whatever decorates it."""
    return all(path(d) in _PLAIN or wrapper(names, function, d) is not None for d in function.decorator_list)


def wrapper(names: Names, function: FunctionNode, decorator: ast.expr) -> tuple[Names, FunctionNode] | None:
    """What a decorator of the project puts in the place of a function, where that only passes on."""
    scope = names.scopes.of[function].parent or names.scopes.module
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return wrapper_of(names, names.qualify(target, scope), called=isinstance(decorator, ast.Call))


def wrapper_of(names: Names, decorators: Iterable[str], *, called: bool) -> tuple[Names, FunctionNode] | None:
    """The same for a decorator by its dotted name, of which there has to be one.

    :param called: whether it is called before it decorates.
    """
    known = [*decorators]
    found = names.definition(known[0]) if len(known) == 1 else None
    if found is None or not isinstance(found[1], ast.FunctionDef):
        return None
    home = found[0]
    maker: FunctionNode = found[1]
    for _ in range(_LAYERS if called else 1):
        inner = made_by(home.scopes.of[maker])
        if inner is None:
            return None
        given = frozenset(arg.arg for arg in parameters(maker))
        if any(path(call.func) in given for call in own_of(inner, ast.Call)):
            return (home, inner) if _passes_on(home.scopes.of[inner], given) else None
        maker = inner
    return None


def made_by(maker: Scope) -> FunctionNode | None:
    """The function inside another one that it returns."""
    values = [n.value for n in own_of(maker.node, ast.Return)]
    if len(values) != 1 or not isinstance(values[0], ast.Name):
        return None
    found = [b.node for b in maker.bindings.get(values[0].id, ()) if b.kind is BindingKind.DEFINITION]
    return found[0] if len(found) == 1 and isinstance(found[0], (ast.FunctionDef, ast.AsyncFunctionDef)) else None


@remembered
def _passes_on(scope: Scope, given: frozenset[str]) -> bool:
    """Whether a wrapper calls what its maker was given as it was called itself, and returns nothing else."""
    code = scope.node
    calls = frozenset(n for n in own_of(code, ast.Call) if path(n.func) in given)
    if own_of(code, ast.Yield, ast.YieldFrom) or not all(_as_called(call, code) for call in calls):  # type: ignore[arg-type]  # a function
        return False
    values = [n.value for n in own_of(code, ast.Return)]
    return any(v is not None for v in values) and all(_is_result(v, calls, scope) for v in values)


def _as_called(call: ast.Call, code: FunctionNode) -> bool:
    """Whether a call passes on all parameters of a wrapper, each in its place."""
    args = code.args
    places = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    places += [f"*{args.vararg.arg}"] if args.vararg is not None else []
    named = {arg.arg: arg.arg for arg in args.kwonlyargs} | ({"": args.kwarg.arg} if args.kwarg is not None else {})
    return places == [*map(_place, call.args)] and named == {k.arg or "": path(k.value) for k in call.keywords}


def _place(argument: ast.expr) -> str:
    return f"*{path(argument.value)}" if isinstance(argument, ast.Starred) else path(argument)


def _is_result(value: ast.expr | None, calls: frozenset[ast.Call], scope: Scope) -> bool:
    """Whether a wrapper returns what the function returned, or nothing."""
    if value is None or is_none(value):
        return True
    if isinstance(value, ast.Name):
        bound = [b.node for b in scope.bindings.get(value.id, ()) if not is_none(b.node)]
        read = [n for n in below(scope.node) if isinstance(n, ast.Name) and n.id == value.id]
        returned = [n.value for n in own_of(scope.node, ast.Return)]
        kept = all(isinstance(n.ctx, ast.Store) or n in returned for n in read)
        return bool(bound) and kept and all(_called(one) in calls for one in bound)
    return _called(value) in calls


def _called(value: ast.AST) -> ast.AST:
    return value.value if isinstance(value, ast.Await) else value
