"""Tests of what class a value has: ``isinstance(result, dict)``, ``type(result) is dict``.

As an atom such a test reads ``result @ 'dict'``, which no expression of a program does. It keeps its outcome as long as
the variable keeps its value.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

from session_lint.python.nodes import path
from session_lint.python.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from session_lint.analysis.guards import Guards

MARK = " @ "
"""What stands between a variable and the text of the classes it may have."""
_BUILT_IN = frozenset({"dict", "list", "tuple", "set", "frozenset", "str", "bytes", "int", "float", "bool"})
"""Classes of which no value has two, but for a ``bool``, which is an ``int``; a session has none of them."""
_OF_NOTHING = frozenset({"object", "NoneType", "type(None)", "None", "types.NoneType"})
"""What ``None`` may be an object of."""
_DISPLAYS: tuple[tuple[tuple[type[ast.expr], ...], str], ...] = (
    ((ast.Dict, ast.DictComp), "dict"),
    ((ast.List, ast.ListComp), "list"),
    ((ast.Set, ast.SetComp), "set"),
    ((ast.Tuple,), "tuple"),
    ((ast.JoinedStr,), "str"),
)
_ARGUMENTS = 2


@remembered
def asked(test: ast.AST) -> tuple[ast.expr, str, bool] | None:
    """The value whose class a test asks for, the text of the classes, and whether it asks for having one."""
    if isinstance(test, ast.Call):
        plain = path(test.func) == "isinstance" and len(test.args) == _ARGUMENTS and not test.keywords
        return (_bound(test.args[0]), ast.unparse(test.args[1]), True) if plain and _named(test.args[1]) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.left, ast.Call):
        return None
    if path(test.left.func) != "type" or len(test.left.args) != 1 or not _named(test.comparators[0]):
        return None
    if not isinstance(test.ops[0], (ast.Is, ast.Eq, ast.IsNot, ast.NotEq)):
        return None
    same = isinstance(test.ops[0], (ast.Is, ast.Eq))
    return _bound(test.left.args[0]), ast.unparse(test.comparators[0]), same


def _bound(node: ast.expr) -> ast.expr:
    return node.target if isinstance(node, ast.NamedExpr) else node


def _named(node: ast.expr) -> bool:
    """Whether classes are written as names: ``dict``, ``(dict, list)``, ``dict | list``."""
    if isinstance(node, ast.Tuple):
        return bool(node.elts) and all(map(_named, node.elts))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _named(node.left) and _named(node.right)
    return bool(path(node)) or ast.unparse(node) in _OF_NOTHING


def atom(subject: str, classes: str) -> str:
    """The atom for a variable."""
    return f"{subject}{MARK}{classes!r}"


@cache
def _classes(text: str) -> frozenset[str]:
    """The classes that an atom names; none of any other atom."""
    _, mark, classes = text.partition(MARK)
    return (
        frozenset(part.strip(" ()") for part in classes[1:-1].replace("|", ",").split(",")) - {""}
        if mark
        else frozenset()
    )


def means_something(text: str) -> bool:
    """Whether an atom says of a variable that it is not ``None``, where it comes out true."""
    return MARK in text and not _classes(text) & _OF_NOTHING


def of(value: ast.AST | None) -> str:
    """The class of a value that is written out; empty where that is not known."""
    if isinstance(value, ast.Constant):
        return type(value.value).__name__ if type(value.value).__name__ in _BUILT_IN else ""
    return next((kind for displays, kind in _DISPLAYS if isinstance(value, displays)), "")


def outcome_of(text: str, kind: str) -> bool | None:
    """How an atom comes out for a value of a built-in class."""
    return _between(_classes(text), frozenset({kind})) if kind else None


def none_of_the_built_in(text: str) -> bool:
    """Whether all that an atom names are built-in classes: what a session is not."""
    return bool(classes := _classes(text)) and classes <= _BUILT_IN


def follows(text: str, known: Guards) -> bool | None:
    """How an atom comes out by what is known of the same variable otherwise."""
    if MARK not in text:
        return None
    subject = text.partition(MARK)[0]
    if (f"{subject} is None", True) in known:
        return False if means_something(text) else None
    for other, value in known:
        if value and other.partition(MARK)[0] == subject and MARK in other:
            found = _between(_classes(text), _classes(other))
            if found is not None:
                return found
    return None


def _stands_alone(name: str) -> bool:
    """Whether a class is a built-in one, or one of sessions, which are none of these."""
    return name in _BUILT_IN or name.endswith("Session")


def _between(wanted: AbstractSet[str], has: AbstractSet[str]) -> bool | None:
    """Whether a value that has one of some classes has one of others."""
    if has <= wanted:
        return True
    if not all(map(_stands_alone, wanted | has)) or (has - _BUILT_IN and wanted - _BUILT_IN):
        return None
    related = wanted | {"int"} if "bool" in wanted else wanted | {"bool"} if "int" in wanted else wanted
    if "bool" in has and "int" in wanted and has == {"bool"}:
        return True
    return None if has & related else False
