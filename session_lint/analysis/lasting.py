"""Clauses by which a loop without an end of its own keeps going, whatever happens: those of a worker or a service."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_of
from session_lint.python.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@remembered
def lasting(code: ast.AST) -> frozenset[ast.ExceptHandler]:
    """The clauses of the ``try`` statements that each turn of such a loop runs once: no inner loop is around them."""
    loops = (loop for loop in own_of(code, ast.While) if _goes_on(loop.test))
    return frozenset(clause for loop in loops for clause in _clauses(loop.body))


def _goes_on(test: ast.expr) -> bool:
    """Whether a loop asks nothing of what it works through: ``while True``, ``while not stop.is_set()``."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not) and isinstance(test.operand, (ast.Attribute, ast.Call))
    return (isinstance(test, ast.Constant) and bool(test.value)) or isinstance(test, ast.Attribute)


def _clauses(statements: Sequence[ast.stmt]) -> Iterator[ast.ExceptHandler]:
    for statement in statements:
        if isinstance(statement, (ast.If, ast.With, ast.AsyncWith, ast.Try)):
            yield from _clauses(statement.body)
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _clauses(statement.orelse)
        if isinstance(statement, ast.Try):
            yield from statement.handlers
