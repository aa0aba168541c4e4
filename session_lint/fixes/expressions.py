"""What the judges of fixes read off expressions by their form alone."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PLAIN = frozenset("count len int float str bool sum isoformat print repr round abs min max isinstance".split())
"""Calls that make plain values of objects, or keep nothing of them."""
_ADDING_UP = frozenset("sum min max".split())
"""Those that do so where they are given nothing but what they go through."""
_GOING_THROUGH = frozenset("dict frozenset list max min next set sorted tuple".split())
"""Builtins that go through a generator that they are given, and keep only what it gives."""
_OF_CLASSES = frozenset("__class__ __mapper__ __table__ __tablename__".split())
"""Fields of mapped objects that belong to their class, and know nothing of a session."""


def each_of(query: ast.AST) -> ast.expr:
    """What a loop over a query goes through."""
    assert isinstance(query, ast.expr)
    return ast.Call(ast.Attribute(query, "all", ast.Load()), [], [])


def captures(case: ast.match_case) -> Iterator[ast.Tuple]:
    """The variables that a pattern binds, each as part of a target: it may be a part of what is matched."""
    for node in ast.walk(case.pattern):
        name = node.rest if isinstance(node, ast.MatchMapping) else getattr(node, "name", None)
        if name:
            place = ast.copy_location(ast.Name(name, ast.Store()), node)
            yield ast.copy_location(ast.Tuple([place], ast.Store()), node)


def parts_of(value: ast.expr) -> Iterator[ast.expr]:
    """The objects that an expression puts together: of ``[one, *others]``, of ``[user for user in users]``."""
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        for element in value.elts:
            yield from parts_of(element)
    elif isinstance(value, ast.Starred):
        yield from parts_of(value.value)
    elif isinstance(value, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        own = [made.iter for made in value.generators if path(made.target) and path(made.target) == path(value.elt)]
        yield from parts_of(own[0] if own else value.elt)
    else:
        yield value


def places_of(target: ast.AST) -> Iterable[ast.Name | ast.Attribute | ast.Subscript]:
    """What an assignment's target assigns to."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [place for element in target.elts for place in places_of(element)]
    if isinstance(target, ast.Starred):
        return places_of(target.value)
    return [target] if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) else []


def start_of(node: ast.AST) -> str:
    """The variable that a chain of calls, fields and items starts at."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return path(node)


def makes_plain(call: ast.Call) -> bool:
    """Whether a call makes a plain value of objects, or keeps nothing of them: not ``max(users, key=age)``."""
    name = word_of(call)
    return name in _PLAIN and not (name in _ADDING_UP and (len(call.args) > 1 or call.keywords))


def word_of(call: ast.Call) -> str:
    """The last word of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else path(call.func)


def is_made_plain(value: ast.AST) -> bool:
    """Whether an expression is a plain value by its form, whatever is in it."""
    if isinstance(value, ast.BinOp):
        return isinstance(value.op, ast.Mod) and is_text(value.left)
    if isinstance(value, ast.Attribute):
        return value.attr in _OF_CLASSES
    plain = isinstance(value, (ast.Constant, ast.Compare, ast.JoinedStr))
    return plain or (isinstance(value, ast.Call) and makes_plain(value))


def collection_of(value: ast.AST) -> str:
    """The variable of the collection that a loop goes through."""
    each = isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "all"
    return path(value.func.value) if each else ""  # type: ignore[attr-defined]


def generator_of(value: ast.AST) -> ast.GeneratorExp | None:
    """The generator that a call goes through to its end, or as far as it needs: ``next(u.name for u in users)``."""
    named = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _GOING_THROUGH
    given = value.args[0] if named and value.args and not value.keywords else None  # type: ignore[attr-defined]
    return given if isinstance(given, ast.GeneratorExp) else None


def is_text(value: ast.AST) -> bool:
    """Whether an expression is written as a text."""
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and isinstance(value.value, str))


def binds_anew(node: ast.AST, name: str) -> bool:
    """Whether a loop or a comprehension binds a variable anew for all that is in it."""
    made = getattr(node, "generators", None)
    loops = made if made is not None else [node] if isinstance(node, (ast.For, ast.AsyncFor)) else []
    return any(isinstance(t, ast.Name) and t.id == name for loop in loops for t in ast.walk(loop.target))
