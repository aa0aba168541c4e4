"""The names that a code has for a session which a library manages: what calling a registry gave, a local variable.

All of them mean one session, that of the thread, however often the registry is called::

    session = Registry()
    session.add(user)     # the session that Registry.commit() commits

A function of the project that returns it is as good as the registry.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.makers import makers
from session_lint.python.nodes import own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind, fills, is_self
from session_lint.python.words import word
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_DEEPEST = 3
_RENAMINGS = 6
"""How many names after each other are read: a getter, what it gave, the session of that, each with a call."""


def managed(module: Module, names: frozenset[str]) -> bool:
    """Whether dotted names are those of a library's own session, or of what stands for one: a registry, its getter."""
    return bool(names) and all(_is_managed(module, name) for name in module.calls.settled(names))


def is_managed(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is one of these, as it is called, or as an object from outside has it."""
    names = module.names.qualify(node, scope)
    if managed(module, names):
        return True
    if not names and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return False  # a field of whatever a caller passes
    return module.calls.is_opaque(node, names) and managed(module, module.kept_outside(node, scope))


def _is_managed(module: Module, name: str) -> bool:
    if _is_librarys(module, name):
        return True
    inferred = module.calls.inferred(name)
    return inferred is not None and inferred.role is Role.MANAGED


def _is_librarys(module: Module, name: str) -> bool:
    found = (module.calls.vocabulary.meaning(one) for one in (name, name.removesuffix("()")))
    return any(meaning is not None and meaning.role is Role.MANAGED for meaning in found)


def gives_managed(module: Module, function: FunctionNode, depth: int = 0) -> bool:
    """Whether a function returns a library's own session, or what stands for it, and nothing else."""
    found = [_returned(module, function, value, depth) for value in _returns(function)]
    return bool(found) and all(one is not None for one in found)


def _returns(function: FunctionNode) -> list[ast.expr]:
    """What a function returns whose call runs its body."""
    plain = all(path(d) in ("staticmethod", "classmethod") for d in function.decorator_list)
    if isinstance(function, ast.AsyncFunctionDef) or not plain or own_of(function, ast.Yield, ast.YieldFrom):
        return []
    return [n.value for n in own_of(function, ast.Return) if n.value is not None]


def _returned(module: Module, function: FunctionNode, value: ast.expr, depth: int) -> ast.expr | None:
    """The managed session that a function returns, which is not its own."""
    scope, words = module.names.scopes.of[function], module.program.words
    node = _renamed(value, scope)
    first = path(node).partition(".")[0] if node is not None else ""
    if node is None or not first or not (words is None or word(node) in words):
        return None
    own = fills(scope, first) and not is_self(scope, first)
    names = frozenset[str]() if own else module.names.qualify(node, scope)
    settled = module.calls.settled(names)
    known = bool(names) and all(_is_librarys(module, n) or _is_getter(module, n, depth + 1) for n in settled)
    return node if known else None


def _is_getter(module: Module, name: str, depth: int) -> bool:
    found = module.names.definition(name) if depth <= _DEEPEST else None
    if found is None or not isinstance(found[1], ast.FunctionDef):
        return False
    return gives_managed(module.program.module(found[0]), found[1], depth)


def is_registry_call(module: Module, call: ast.Call) -> bool:
    """Whether a call asks a registry for the session that it stands for."""
    return not (call.args or call.keywords) and module.calls.callee(call).role is Role.MANAGED


def managed_by(module: Module, node: ast.expr, scope: Scope) -> ast.expr:
    """The registry, or managed session, that an expression of a code is another name for; else the expression."""
    found, words = _renamed(node, scope), module.program.words
    if found is None or found is node or not path(found) or not (words is None or word(found) in words):
        return node
    return found if is_managed(module, found, scope) else node


def _renamed(node: ast.expr, scope: Scope) -> ast.expr | None:
    """What an expression is another name for: what is called, what a variable was assigned; ``None`` for several."""
    found: ast.expr | None = node
    for _ in range(_RENAMINGS):
        if found is None or not _is_renaming(found, scope):
            break
        found = found.func if isinstance(found, ast.Call) else assigned(scope, path(found))
    return found


def stands_for(module: Module, node: ast.expr, scope: Scope) -> frozenset[ast.Call]:
    """The calls that made the registry of which an expression gives the session; empty where they are not known."""
    todo, found = made_by(module, node, scope), set[ast.Call]()
    seen: set[ast.Call] = set()
    for home, call in todo:  # which grows meanwhile
        if is_registry_call(home, call) and call not in seen:
            todo += makers(home, call.func, home.calls.scope(call))
        elif home.calls.callee(call).role is Role.REGISTRY_MAKER:
            found.add(call)
        elif call not in seen:
            return frozenset()
        seen.add(call)
    return frozenset(found)


def identity(module: Module, node: ast.expr, scope: Scope) -> frozenset[object]:
    """What two expressions have in common that stand for one session."""
    found: frozenset[object] = frozenset(stands_for(module, node, scope)) or frozenset(
        call for _, call in made_by(module, node, scope)
    )
    return found or frozenset(module.names.qualify(node, scope))


def made_by(module: Module, node: ast.expr, scope: Scope, depth: int = 0) -> list[Made]:
    """The calls that made what an expression stands for: a registry, or what a getter of the project returns."""
    found = makers(module, node, scope)
    getters = [] if found or depth > _DEEPEST else sorted(module.names.qualify(node, scope))
    for home, function in filter(None, map(module.names.definition, getters)):
        if isinstance(function, ast.FunctionDef):
            there = module.program.module(home)
            given = [_returned(there, function, value, 0) for value in _returns(function)]
            inner = home.scopes.of[function]
            found += [made for one in given if one is not None for made in made_by(there, one, inner, depth + 1)]
    return found


def _is_renaming(node: ast.expr, scope: Scope) -> bool:
    """Whether what an expression gives is what another one stands for: a call without arguments, a local variable."""
    if isinstance(node, ast.Call):
        return not (node.args or node.keywords)
    return isinstance(node, ast.Name) and fills(scope, node.id)


@remembered
def assigned(scope: Scope, name: str) -> ast.expr | None:
    """The expression that a local variable is assigned, wherever it is; ``None`` where that is not one."""
    values = [b.node if b.kind is BindingKind.VALUE else None for b in scope.bindings[name]]
    first = values[0]
    same = all(v is not None and _shape(v) == _shape(first) for v in values if first is not None)
    return first if same and isinstance(first, ast.expr) else None


_shape = remembered(ast.dump)
"""What two expressions have in common that are written alike."""
