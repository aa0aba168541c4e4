"""Where what opens, lends or closes a session is defined: the variable, function or class that a use goes through."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import path
from session_lint.python.scopes import BindingKind, is_self
from session_lint.values import dataclass

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.names import Names
    from session_lint.python.scopes import Scope

_LONGEST = 16
"""How many imports that lead to imports are followed; a cycle of them has no end."""


@dataclass(frozen=True)
class Origin:
    """What a use goes through.

    :param filename: the file of the project that defines it; ``None`` for a library's.
    :param module: the dotted name of that module; empty for a library's.
    :param name: the name in that module, or the library's dotted name.
    :param row: the line that defines it; 0 where there is none.
    """

    filename: str | None
    module: str
    name: str
    row: int


def origin(module: Module, node: ast.expr, scope: Scope) -> Origin | None:
    """What an expression goes through; ``None`` where nothing names it.

    A call goes through what it calls.
    """
    called = node.func if isinstance(node, ast.Call) else node
    names = module.calls.callee(node).names if isinstance(node, ast.Call) else module.names.qualify(node, scope)
    return _function(module, names) or _variable(module, called, scope) or _library(names)


def _function(module: Module, names: frozenset[str]) -> Origin | None:
    """The function or class of the project that goes by one of some names."""
    for name in sorted(names):
        found = module.names.definition(name)
        if found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return _made(module, found[0], found[0].scopes.of[found[1]].path, found[1])
    return None


def _variable(module: Module, node: ast.expr, scope: Scope) -> Origin | None:
    """The variable of a module, or the field of a class, that a path begins with."""
    spelled = path(node).removesuffix(".begin")  # a factory's own
    first, _, rest = spelled.partition(".")
    if not spelled:
        return None
    if is_self(scope, first) and scope.parent is not None and scope.parent.is_class and rest:
        field = rest.partition(".")[0]
        bound = [*scope.parent.bindings.get(field, ()), *scope.parent.attributes.get(field, ())]
        return _made(module, module.names, f"{scope.parent.path}.{rest}", bound[0].node) if bound else None
    owner = module.names.owner(first, scope)
    if owner is None or owner.is_class:
        return None
    bindings = owner.bindings[first]
    if bindings[0].kind is BindingKind.IMPORT:
        return _imported(module, f"{bindings[0].target}.{rest}".rstrip("."))
    if owner.parent is None and bindings[0].kind is BindingKind.VALUE:
        return _made(module, module.names, spelled, bindings[0].node)
    return None


def _imported(module: Module, dotted: str) -> Origin | None:
    """The variable that an import leads to, through the modules that only pass it on."""
    names = module.names
    for _ in range(_LONGEST):
        found = names.elsewhere.find(dotted, names) if names.elsewhere is not None else None
        if found is None or not found[1]:
            return None
        names, rest = found
        first, _, others = rest.partition(".")
        bindings = names.scopes.module.bindings.get(first, [])
        if not bindings:
            return None
        if bindings[0].kind is not BindingKind.IMPORT:
            return _made(module, names, rest, bindings[0].node)
        dotted = f"{bindings[0].target}.{others}".rstrip(".")
    return None


def _library(names: frozenset[str]) -> Origin | None:
    known = sorted(name.partition("()")[0] for name in names if not name.startswith("builtins."))
    return Origin(None, "", known[0], 0) if known else None


def _made(module: Module, names: Names, name: str, node: ast.AST) -> Origin:
    home = module if names is module.names else module.program.module(names)
    return Origin(home.source.filename, names.module, name, getattr(node, "lineno", 0))
