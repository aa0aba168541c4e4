"""The nodes of a code, and the expressions that are variables: what nearly every question about a tree begins with."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar, overload

from session_lint.python.remembered import recently_remembered, remembered
from session_lint.python.scopes import LEAVES, below, children
from session_lint.python.trees import kind_of, with_compact

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

N = TypeVar("N", bound=ast.AST)
M = TypeVar("M", bound=ast.AST)


@remembered
def own_nodes(code: ast.AST) -> Sequence[ast.AST]:
    """All nodes of a function or module body, without those of the functions, lambdas and classes inside it."""
    return _nodes_of_code(code) if type(code) in _CODE else _nodes(code)


def nodes_in(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Some statements, each with its :func:`own_nodes`."""
    return (node for statement in statements for node in (statement, *own_nodes(statement)))


@overload
def own_of(code: ast.AST, kind: type[N], /) -> Sequence[N]: ...
@overload
def own_of(code: ast.AST, kind: type[N], other: type[M], /) -> Sequence[N | M]: ...
@overload
def own_of(code: ast.AST, *kinds: type[ast.AST]) -> Sequence[ast.AST]: ...
def own_of(code: ast.AST, *kinds: type[ast.AST]) -> Sequence[ast.AST]:
    """Those of the :func:`own_nodes` that are of some kinds, of each in their order."""
    if type(code) not in _CODE or not _COMMON.isdisjoint(kinds):
        wanted = _of_kinds(kinds)
        return [node for node in own_nodes(code) if type(node) in wanted]
    found = _nodes_by_kind(code)
    if len(kinds) == 1:
        return found.get(kinds[0], _NONE)
    return [node for kind in kinds for node in found.get(kind, _NONE)]


def _nodes(code: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    todo = children(code)
    while todo:
        node = todo.pop()
        found.append(node)
        if node.__class__ not in _CLOSED:
            todo += children(node)
    return found


@recently_remembered(4)
def parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    """The node above each node of a tree: a large part of its memory, which is asked for of few modules at a time."""
    found: dict[ast.AST, ast.AST] = {}
    todo: list[ast.AST] = [tree]
    for node in todo:  # which grows meanwhile
        if node.__class__ not in LEAVES:
            inner = children(node)
            todo += inner
            for child in inner:
                found[child] = node
    return found


_CLOSED = with_compact((ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)) | LEAVES
_CODE = with_compact((ast.FunctionDef, ast.AsyncFunctionDef, ast.Module))
_nodes_of_code = remembered(_nodes)
"""Each rule looks through a code for something else: its nodes are asked for a dozen times."""


@remembered
def _nodes_by_kind(code: ast.AST) -> dict[type[ast.AST], list[ast.AST]]:
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in own_nodes(code):
        if type(node) not in _COMMON:
            found.setdefault(kind_of(node), []).append(node)
    return found


@cache
def _of_kinds(kinds: tuple[type[ast.AST], ...]) -> set[type[ast.AST]]:
    return with_compact(kinds)


_COMMON = with_compact((ast.Name, ast.Attribute, ast.Constant, ast.arg, ast.arguments, ast.keyword))
"""Kinds that make two thirds of the nodes, and of which nobody wants all."""
_NONE: list[ast.AST] = []


def is_super(node: ast.AST) -> bool:
    """Whether an expression is ``super()``, with or without what Python 2 wanted in it."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def method_of(call: ast.Call) -> str:
    """The method that a call is of, by its name; empty where it is of a plain function."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


class Assigned(NamedTuple):
    """What an assignment gives to whom, with an annotation or without."""

    targets: list[ast.expr]
    value: ast.expr


def assigned_at(node: ast.AST | None) -> Assigned | None:
    """What a statement assigns, if it is an assignment."""
    if isinstance(node, ast.Assign):
        return Assigned(node.targets, node.value)
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return Assigned([node.target], node.value)
    return None


@remembered
def assigned_in(code: ast.AST) -> Sequence[Assigned]:
    """What the assignments of a code give to whom."""
    return [one for node in own_of(code, ast.Assign, ast.AnnAssign) if (one := assigned_at(node)) is not None]


def path(node: ast.AST) -> str:
    """``a.b.c`` for a name or a chain of attributes, else the empty string."""
    if isinstance(node, ast.Name):
        return node.id
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not parts or not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


@remembered
def names_under(node: ast.AST) -> frozenset[str]:
    """The variables that are spoken of under a node, itself included, in the functions inside it, too."""
    return frozenset(n.id for n in below(node) if isinstance(n, ast.Name))


@remembered
def reading(name: str) -> ast.expr:
    """An expression that reads a path: the other way round of :func:`path`."""
    owner, _, field = name.rpartition(".")
    return ast.Attribute(reading(owner), field, ast.Load()) if owner else ast.Name(field, ast.Load())


def is_none(node: ast.AST) -> bool:
    """Whether an expression is ``None``."""
    return isinstance(node, ast.Constant) and node.value is None
