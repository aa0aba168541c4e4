"""A class among those that it is derived from, and what it leaves to those that are derived from it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope


def family(module: Module, owner: Scope) -> list[tuple[Module, Scope]]:
    """A class and those above it that the project defines."""
    found, todo = [(module, owner)], [(module, owner)]
    while todo:
        home, scope = todo.pop()
        for base in sorted(home.names.bases(scope)):
            above = home.names.class_of(base)
            if above is not None and above[1] not in [known for _, known in found]:
                pair = (home.program.module(above[0]), above[1])
                found.append(pair)
                todo.append(pair)
    return found


def written_below(module: Module, function: FunctionNode) -> FunctionNode | None:
    """The one method of the module that is written in place of an abstract one; ``None`` for none, and for several."""
    owner = module.names.scopes.of[function].parent
    found: list[FunctionNode] = []
    for scope in module.names.scopes.classes:
        own = [b.node for b in scope.bindings.get(function.name, ()) if scope is not owner]
        if own and any(above is owner for _, above in family(module, scope)):
            found += [node for node in own if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return found[0] if len(found) == 1 else None


def is_abstract(names: Names, function: FunctionNode) -> bool:
    """Whether a method only stands for those of the classes below: what it says of itself is never run."""
    outer = names.scopes.of[function].parent
    if outer is None or not outer.is_class:
        return False
    if any(names.qualify(decorator, outer) & _LEFT for decorator in function.decorator_list):
        return True
    body = function.body[1:] if _is_text(function.body[0]) else function.body
    return len(body) == 1 and _is_left(names, body[0], outer)


_LEFT = frozenset({"abc.abstractmethod", "abc.abstractproperty"})


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and statement.value.value != ...
    )


def _is_left(names: Names, statement: ast.stmt, scope: Scope) -> bool:
    """Whether a statement says that there is nothing yet: ``...``, ``raise NotImplementedError``."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) and statement.value.value is ...
    raised = statement.exc if isinstance(statement, ast.Raise) else None
    made = raised.func if isinstance(raised, ast.Call) else raised
    return made is not None and names.qualify(made, scope) == {"builtins.NotImplementedError"}
