"""Sessions that a code has from somebody else and hands to what runs beside it, perhaps without a use of its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.family import family
from session_lint.analysis.passed import given
from session_lint.python.names import own_of, path
from session_lint.python.scopes import BindingKind, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope


def handed(module: Module) -> Iterator[tuple[FunctionNode, str]]:
    """The parameters and fields that may hold the sessions of codes which run something elsewhere, by their paths."""
    running = {module.code_of(module.calls.scope(call)) for call in module.running}
    for function, scope in module.codes if running else ():
        if function in running and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from ((function, name) for name in _fields(module, function, scope))
            read = {n.id for n in own_of(function, ast.Name)}
            for arg in parameters(function):
                if arg.annotation is None and arg.arg in read and is_given_sessions(module, function, arg.arg):
                    yield function, arg.arg


def is_given_sessions(module: Module, function: ast.AST, name: str) -> bool:
    """Whether all callers that are seen pass a session for a parameter."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    arg = next((arg for arg in parameters(function) if arg.arg == name), None)
    passed = (given(module, arg, function) if arg is not None else None) or []
    return bool(passed) and all(home.calls.is_session(argument, scope) for home, argument, scope in passed)


def _fields(module: Module, function: FunctionNode, scope: Scope) -> Iterator[str]:
    """The fields of a method's object that hold a session, where the method calls or hands on what may use them."""
    owner = scope.parent
    if owner is None or not owner.is_class or not parameters(function):
        return
    own = parameters(function)[0].arg
    if not any(path(n.value) == own for n in own_of(function, ast.Attribute)):
        return
    for field in _filled(module, owner):
        node = ast.Attribute(ast.Name(own, ast.Load()), field, ast.Load())
        if module.calls.is_session(node, scope) and field not in module.methods_called:
            yield f"{own}.{field}"


def _filled(module: Module, owner: Scope) -> dict[str, None]:
    """The fields that the methods of a class, or of its bases, give a value to."""
    found = (item for _, scope in family(module, owner) for item in scope.attributes.items())
    return {name: None for name, bindings in found if any(b.kind is BindingKind.VALUE for b in bindings)}
