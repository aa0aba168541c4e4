"""What may raise although it is no point: lookups, operators, imports.

The graph leaves them out nearly everywhere, because nobody expects them to raise. In ``try: return g.session`` with
``except AttributeError: …`` somebody does, and without them nothing would ever enter the clause.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALWAYS = (
    ast.Attribute,
    ast.Subscript,
    ast.BinOp,
    ast.AugAssign,
    ast.Starred,
    ast.Import,
    ast.ImportFrom,
    ast.Delete,
    ast.FormattedValue,
)
_POINTS = (
    ast.Call,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.Raise,
    ast.Assert,
    ast.AsyncFor,
    ast.AsyncWith,
)
_NEVER = (ast.Is, ast.IsNot, ast.Eq, ast.NotEq)


def only_looks_up(body: Iterable[ast.stmt]) -> bool:
    """Whether a body does such a thing, and nothing that is a point which may raise by itself.

    A bare name does where it is a statement: nobody writes that but to see whether it exists. Entering a ``with`` or
    asking for an item may raise, but is seldom what a clause is there for.
    """
    found = False
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, _POINTS):
            return False
        found = found or _may_raise(node)
    return found


def _may_raise(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare):
        return not all(isinstance(operator, _NEVER) for operator in node.ops)
    if isinstance(node, ast.UnaryOp):
        return not isinstance(node.op, ast.Not)
    if isinstance(node, ast.Assign):
        return any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
    return isinstance(node, _ALWAYS) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Name))
