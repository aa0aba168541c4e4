"""Functions that may return what a method has given them, or save what they were given, for all that words tell."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_of
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode


def returning(names: Names, methods: Collection[str]) -> Iterator[FunctionNode]:
    """The functions of a module that call one of some methods, and return something."""
    for scope in names.scopes.of.values():
        code = scope.node
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and not own_of(code, ast.Yield):
            given = (n.value for n in own_of(code, ast.Return))
            gives = any(isinstance(one, (ast.Name, ast.Call, ast.Await)) for one in given)
            if gives and any(
                isinstance(n.func, ast.Attribute) and n.func.attr in methods for n in own_of(code, ast.Call)
            ):
                yield code


def saving(names: Names, methods: Collection[str]) -> Iterator[FunctionNode]:
    """The functions of a module that give one of their parameters to one of some methods."""
    for scope in names.scopes.of.values():
        code = scope.node
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(added_parameters(code, methods)):
            yield code


def added_parameters(code: ast.AST, methods: Collection[str]) -> Iterator[str]:
    """The parameters of a function that it gives to one of some methods."""
    own = {a.arg for a in parameters(code)} if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else ()
    for call in own_of(code, ast.Call) if own else ():
        if isinstance(call.func, ast.Attribute) and call.func.attr in methods:
            yield from (a.id for a in call.args if isinstance(a, ast.Name) and a.id in own)
