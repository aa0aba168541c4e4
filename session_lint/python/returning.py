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
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and (own := {a.arg for a in parameters(code)}):
            calls = (n for n in own_of(code, ast.Call) if isinstance(n.func, ast.Attribute) and n.func.attr in methods)
            if any(isinstance(a, ast.Name) and a.id in own for call in calls for a in call.args):
                yield code
