"""The functions that read a variable of a module, or an attribute of a class, in whichever module they are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.family import family
from session_lint.analysis.places import is_test
from session_lint.python.nodes import own_nodes
from session_lint.python.scopes import BindingKind, is_self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def reader(module: Module, name: str) -> ast.AST | None:
    """A function that reads a variable of a module and does not bind it anew itself."""
    for home, alias in _names(module, name):
        top = home.names.scopes.module
        for scope, read in home.names.scopes.loads.items():
            bound = alias not in read or home.names.owner(alias, scope) is not top or _binds(scope, alias)
            if not bound and _is_function(scope):
                return scope.node
    for home, scope, node in _reads(module, name):
        if any(_is_module(home, found, module) for found in home.names.qualify(node.value, scope)):
            return scope.node
    return None


def _names(module: Module, name: str) -> Iterator[tuple[Module, str]]:
    """The modules that have a variable, each with the name that it has for it: its own, and those that import it."""
    yield module, name
    for other in _others(module, name):
        for alias, bindings in other.names.scopes.module.bindings.items():
            if not any(b.kind is BindingKind.IMPORT and b.target.endswith(f".{name}") for b in bindings):
                continue
            found = other.names.elsewhere.find(bindings[0].target, other.names) if other.names.elsewhere else None
            if found is not None and found[0] is module.names and found[1] == name:
                yield other, alias


def _is_module(home: Module, name: str, module: Module) -> bool:
    """Whether a dotted name is a module's to another one: folders beside each other may have modules of one name."""
    elsewhere = home.names.elsewhere
    return (
        name == module.names.module and elsewhere is not None and elsewhere.find(name, home.names) == (module.names, "")
    )


def attribute_reader(module: Module, owner: Scope, name: str) -> ast.AST | None:
    """A function that reads an attribute of a class, of the class itself or of an object of it or a class below."""
    for home, scope, node in _reads(module, name):
        if any(_defining(*found, name) is owner for found in _classes(home, scope, node.value)):
            return scope.node
    return None


def _classes(home: Module, scope: Scope, node: ast.expr) -> Iterator[tuple[Module, Scope]]:
    """The classes of the project that an expression may stand for, or for an object of."""
    around: Scope | None = scope
    while isinstance(node, ast.Name) and around is not None:
        if is_self(around, node.id) and around.parent is not None and around.parent.is_class:
            yield home, around.parent
            return
        if node.id in around.bindings:
            break
        around = around.parent
    for name in home.names.qualify(node, scope):
        found = home.names.class_of(name)
        if found is not None:
            yield home.program.module(found[0]), found[1]


def _defining(home: Module, scope: Scope, name: str) -> Scope | None:
    """The class that an attribute is read from; ``None`` where objects have one of their own by that name."""
    classes = [one for _, one in family(home, scope)]
    if any(name in one.attributes for one in classes):
        return None
    return next((one for one in classes if name in one.bindings), None)


def _reads(module: Module, name: str) -> Iterator[tuple[Module, Scope, ast.Attribute]]:
    """The places of the project where a function reads an attribute of some name."""
    for home in (module, *_others(module, name)):
        for scope in home.names.scopes.of.values():
            for node in own_nodes(scope.node) if _is_function(scope) else ():
                if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
                    yield home, scope, node


def _binds(scope: Scope, name: str) -> bool:
    """Whether a function puts something into a variable of the module by itself."""
    nodes = own_nodes(scope.node) if name in scope.elsewhere else ()
    return any(isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load) for n in nodes)


def _others(module: Module, name: str) -> list[Module]:
    """The other modules that hold a word, without the tests: what they share is theirs."""
    others = module.program.mentioning(module, name) or ()
    return [other for other in others if not is_test(other.source.filename)]


def _is_function(scope: Scope) -> bool:
    return isinstance(scope.node, _FUNCTIONS)
