"""Which names of a module may give what which other names give, as far as bare words tell.

That decides what is worth looking at: from the words that open something, all names are reached that it can come out
of. It errs on the side of too much, and it looks at no other module.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.names import own_nodes
from session_lint.python.scopes import BindingKind, parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.python.names import Names
    from session_lint.python.scopes import Binding, Scope

_DEEP = 4
_MAKERS = ("__init__", "__new__", "__call__", "__enter__", "__aenter__")
"""Methods of a class that run when an object of it is made, called or entered."""


def word(node: ast.AST) -> str:
    """The word that something is called by: ``c`` for ``a.b.c``, ``c()`` and ``c[T]``; empty where there is none."""
    while isinstance(node, (ast.Call, ast.Subscript, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def growth(names: Names) -> tuple[tuple[str, str], ...]:
    """Pairs of words: the first may give what the second gives."""
    found: dict[tuple[str, str], None] = {}
    for scope in names.scopes.of.values():
        if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.update(dict.fromkeys(_of_function(names, scope)))
        for name, bindings in (*scope.bindings.items(), *scope.attributes.items()):
            found.update(dict.fromkeys((name, w) for binding in bindings for w in _bound(names, binding)))
    return tuple((name, other) for name, other in found if name != other and other)


def _of_function(names: Names, scope: Scope) -> Iterator[tuple[str, str]]:
    node = scope.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    outer = scope.parent
    if node.name in _MAKERS and outer is not None and isinstance(outer.node, ast.ClassDef):
        yield from ((outer.node.name, word(n.func)) for n in own_nodes(node) if isinstance(n, ast.Call))
    for inner in own_nodes(node):
        if isinstance(inner, (ast.Return, ast.Yield)) and inner.value is not None:
            yield from ((node.name, w) for w in _given(names, inner.value, scope, 0))
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    for parameter, default in zip(reversed(parameters(node)), reversed(defaults), strict=False):
        if default is not None:
            yield parameter.arg, word(default)


def _bound(names: Names, binding: Binding) -> Iterable[str]:
    """The words that a binding may get its value from."""
    if binding.kind is BindingKind.VALUE:
        return _given(names, binding.node, binding.scope, _DEEP - 1)
    if binding.kind is BindingKind.IMPORT:
        return (binding.target.rpartition(".")[2],)
    if binding.kind is BindingKind.PARAMETER:
        annotation = binding.node.annotation  # type: ignore[attr-defined]
        return map(word, ast.walk(annotation)) if annotation is not None else ()
    return map(word, binding.node.bases) if isinstance(binding.node, ast.ClassDef) else ()


def _given(names: Names, node: ast.AST, scope: Scope, depth: int) -> Iterator[str]:
    """The words whose value an expression may have, or hold."""
    if isinstance(node, ast.Call):
        yield word(node.func)
        for argument in (*node.args, *(k.value for k in node.keywords)):
            if isinstance(argument, (ast.Name, ast.Attribute, ast.Call, ast.Lambda)):
                yield from _given(names, argument, scope, depth)
    elif isinstance(node, ast.Name):
        yield node.id
        owner = names.owner(node.id, scope) if depth < _DEEP else None
        for binding in owner.bindings[node.id][:8] if owner is not None and owner is not names.scopes.module else ():
            if binding.kind is BindingKind.VALUE:
                yield from _given(names, binding.node, binding.scope, depth + 1)
    elif isinstance(node, (ast.Attribute, ast.Subscript)):
        yield word(node)
    else:
        for part in _parts(node):
            yield from _given(names, part, scope, depth)


def _parts(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
        return [node.value]
    return [node.body] if isinstance(node, ast.Lambda) else []
