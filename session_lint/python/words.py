"""Which names of a module may give what which other names give, as far as bare words tell.

That decides what is worth looking at more closely: whoever knows the words that open something can ask which names it
may come out of. It errs on the side of too much, and it looks at no other module.
"""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from session_lint.python.annotations import annotated_classes, parts_of
from session_lint.python.nodes import assigned_in, own_of, path
from session_lint.python.scopes import Binding, BindingKind, key_of, parameters_with_defaults
from session_lint.python.trees import with_compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.python.names import Names
    from session_lint.python.scopes import Scope

_DEEP = 4
MAKERS = ("__init__", "__new__", "__call__", "__enter__", "__aenter__")
"""Methods of a class that run when an object of it is made, called or entered."""


class Lead(NamedTuple):
    """A name that may give what a word gives.

    :param scope: the scope that binds it; of a function or class, the one around it.
    """

    name: str
    word: str
    scope: Scope


def word(node: ast.AST) -> str:
    """The word that something is called by: ``c`` for ``a.b.c``, ``c()`` and ``c[T]``; empty where there is none."""
    while node.__class__ in _AROUND:
        node = node.func if isinstance(node, ast.Call) else node.value  # type: ignore[attr-defined]
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


_AROUND = with_compact((ast.Call, ast.Subscript, ast.Await))


def leads(names: Names) -> list[Lead]:
    """What the functions, classes and variables of a module may give."""
    found: dict[Lead, None] = {}
    for scope in names.scopes.of.values():
        outer = scope.parent
        if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)) and outer is not None:
            for name, given in _of_function(names, scope, outer):
                place = outer.parent if name is not scope.node.name and outer.parent is not None else outer
                found.update((Lead(name, w, place), None) for w in given if w)
            found.update((lead, None) for lead in _of_defaults(names, scope))
        if isinstance(scope.node, (ast.Module, ast.ClassDef)):
            found.update((lead, None) for lead in _of_body(names, scope))
    for target, put in names.scopes.fields:
        found.update((Lead(target.attr, w, names.scopes.module), None) for w in _bound(names, put) if w)
    for key, put in names.scopes.keyed:
        found.update((Lead(key, w, names.scopes.module), None) for w in _bound(names, put) if w)
    for (scope, name), bindings in names.items.items():
        if isinstance(scope.node, (ast.Module, ast.ClassDef)):
            found.update((Lead(name, w, scope), None) for b in bindings for w in _bound(names, b) if w)
    return [lead for lead in found if lead.name != lead.word]


def _of_body(names: Names, scope: Scope) -> Iterator[Lead]:
    """What the variables and fields of a module or class get, or are annotated to get."""
    for name, bindings in (*scope.bindings.items(), *scope.attributes.items()):
        yield from (Lead(name, w, scope) for b in bindings for w in _bound(names, b) if w)
    for name, (annotation, _) in scope.declared.items():
        yield from (Lead(name, w, scope) for w in map(word, parts_of(annotation)) if w)


def _of_function(names: Names, scope: Scope, outer: Scope) -> Iterator[tuple[str, Iterable[str]]]:
    node = scope.node
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    if node.name in MAKERS and isinstance(outer.node, ast.ClassDef):
        yield outer.node.name, [word(n.func) for n in own_of(node, ast.Call)]
    given = [n.value for n in own_of(node, ast.Return, ast.Yield) if n.value is not None]
    yield node.name, [w for value in given for w in words_given(names, value, scope)]


def _of_defaults(names: Names, scope: Scope) -> Iterator[Lead]:
    """What stands for a parameter that got nothing: its default, or what the function puts in its place."""
    assert isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef))
    for arg, default in parameters_with_defaults(scope.node):
        if isinstance(default, (ast.Name, ast.Attribute)):
            yield Lead(arg.arg, word(default), scope)
        bindings = scope.bindings.get(arg.arg, ()) if default is not None else ()
        yield from (Lead(arg.arg, w, scope) for b in bindings if b.kind is BindingKind.VALUE for w in _bound(names, b))


def _bound(names: Names, binding: Binding) -> Iterable[str]:
    """The words that a binding may get its value from."""
    if (source := _source(binding)) is not None:
        return words_given(names, source, binding.scope)
    if binding.kind is BindingKind.IMPORT:
        return (binding.target.rpartition(".")[2],)
    return map(word, binding.node.bases) if isinstance(binding.node, ast.ClassDef) else ()


def words_given(names: Names, node: ast.AST, scope: Scope) -> Iterator[str]:
    """The words whose value an expression may have, or hold; each of its sources is asked once, the nearest first."""
    seen: set[ast.AST] = set()
    todo = deque([(node, scope, 0)])
    while todo:
        node, scope, depth = todo.popleft()
        if isinstance(node, ast.Call):
            todo.append((node.func, scope, depth + 1))
            for argument in (*node.args, *(k.value for k in node.keywords)):
                if isinstance(argument, (ast.Name, ast.Attribute, ast.Call, ast.Lambda)):
                    todo.append((argument, scope, depth + 1))
        elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            yield from filter(None, (word(node), key_of(node)))
            peeled = annotated_classes(node) if isinstance(node, ast.Subscript) else []
            todo.extend((part, scope, depth + 1) for part in peeled if part is not node)
            yield from map(word, _declared(names, node, scope))
            bindings = _bindings(names, node, scope)[:8] if depth < _DEEP else []
            fresh = [binding for binding in bindings if binding.node not in seen]
            seen.update(binding.node for binding in fresh)
            todo.extend((source, b.scope, depth + 1) for b in fresh if (source := _source(b)) is not None)
            yield from (word(part) for b in fresh if b.kind is BindingKind.PARAMETER for part in _annotated(b))
            yield from (b.target.rpartition(".")[2] for b in fresh if b.kind is BindingKind.IMPORT)
        else:
            todo.extendleft((part, scope, depth) for part in _parts(node))


def _source(binding: Binding) -> ast.AST | None:
    """The expression that a name is bound to, or to a part of."""
    return binding.node if binding.kind is BindingKind.VALUE else binding.whole


def _annotated(parameter: Binding) -> list[ast.AST]:
    """The nodes of the annotation of a parameter."""
    assert isinstance(parameter.node, ast.arg)
    return parts_of(parameter.node.annotation) if parameter.node.annotation is not None else []


def _declared(names: Names, node: ast.AST, scope: Scope) -> list[ast.AST]:
    """The nodes of the annotation of a variable."""
    owner = names.owner(node.id, scope) if isinstance(node, ast.Name) else None
    declared = owner.declared.get(node.id) if owner is not None else None  # type: ignore[attr-defined]  # a name
    return parts_of(declared[0]) if declared is not None else []


def _bindings(names: Names, node: ast.AST, scope: Scope) -> list[Binding]:
    """What a variable, or a field of ``self``, is bound to in this module."""
    if isinstance(node, ast.Name):
        owner = names.owner(node.id, scope)
        return owner.bindings[node.id] if owner is not None else []
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return []
    outer = names.own_class(node.value, scope)
    if outer is not None:
        return [*outer.bindings.get(node.attr, ()), *outer.attributes.get(node.attr, ())]
    wanted = path(node)
    assigned = assigned_in(scope.node)
    return [Binding(BindingKind.VALUE, one.value, scope) for one in assigned if wanted in map(path, one.targets)]


def _parts(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return node.elts
    if isinstance(node, ast.Dict):
        return node.values
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BinOp):  # a union of classes
        return annotated_classes(node) if isinstance(node.op, ast.BitOr) else []
    if isinstance(node, (ast.Await, ast.NamedExpr, ast.Starred)):
        return [node.value]
    return [node.body] if isinstance(node, ast.Lambda) else []
