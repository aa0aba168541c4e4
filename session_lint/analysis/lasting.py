"""Clauses by which a loop without an end of its own keeps going, whatever happens: those of a worker or a service."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import nodes_in, own_of
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@remembered
def lasting(code: ast.AST) -> frozenset[ast.ExceptHandler]:
    """The clauses of the ``try`` statements that each turn of such a loop runs once: no inner loop is around them."""
    loops = (loop for loop in own_of(code, ast.While) if _goes_on(loop.test))
    return frozenset(clause for loop in loops for one in _tries(loop.body) for clause in one.handlers)


@remembered
def helpers(tree: ast.AST) -> frozenset[str]:
    """The last words of what a module calls in the bodies of such ``try`` statements."""
    loops = (loop for loop in below(tree) if isinstance(loop, ast.While) and _goes_on(loop.test))
    inside = (node for loop in loops for one in _tries(loop.body) for node in nodes_in(one.body))
    return frozenset(word(node.func) for node in inside if isinstance(node, ast.Call)) - {""}


def _goes_on(test: ast.expr) -> bool:
    """Whether a loop asks nothing of what it works through: ``while True``, ``while not stop.is_set()``."""
    if isinstance(test, ast.UnaryOp):
        return isinstance(test.op, ast.Not) and isinstance(test.operand, (ast.Attribute, ast.Call))
    return (isinstance(test, ast.Constant) and bool(test.value)) or isinstance(test, ast.Attribute)


def _tries(statements: Sequence[ast.stmt]) -> Iterator[ast.Try]:
    for statement in statements:
        if isinstance(statement, (ast.If, ast.With, ast.AsyncWith, ast.Try)):
            yield from _tries(statement.body)
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _tries(statement.orelse)
        if isinstance(statement, ast.Try):
            yield statement
