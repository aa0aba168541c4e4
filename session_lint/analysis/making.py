"""What runs when an object of a class of the project is made, as far as the text of the class tells."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.remembered import remembered
from session_lint.python.scopes import below

if TYPE_CHECKING:
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode

_RUNNING = ("__new__", "__post_init__")


def made_by_dataclass(home: Names, decorator: ast.expr, owner: ast.ClassDef) -> bool:
    """Whether a decorator gives a class an ``__init__`` that stores its arguments.

    :param home: the names of the module that the class stands in.
    """
    scope = home.scopes.of[owner]
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return "dataclasses.dataclass" in home.qualify(function, scope.parent or scope)


def runs_when_made(owner: ast.ClassDef) -> bool:
    """Whether a class without an ``__init__`` has code for when an object is made, or a factory of a field."""
    methods = (n for n in owner.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    calls = (n.value for n in owner.body if isinstance(n, ast.AnnAssign) and isinstance(n.value, ast.Call))
    factories = (k for call in calls for k in call.keywords if k.arg == "default_factory")
    return any(method.name in _RUNNING for method in methods) or any(factories)


@remembered
def only_kept(function: FunctionNode, name: str) -> bool:
    """Whether a function does no more with a parameter than to put it into fields."""
    nodes = list(below(function))
    stored = {
        node.value
        for node in nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and all(
            isinstance(target, ast.Attribute)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    }
    return all(n in stored for n in nodes if isinstance(n, ast.Name) and n.id == name)
