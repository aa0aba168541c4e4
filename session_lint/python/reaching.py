"""What a variable holds at one place of a function: the value that was assigned last, on all ways that lead there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import assigned_at
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOPS = (ast.For, ast.AsyncFor, ast.While)


@remembered
def last_assigned(code: ast.AST, use: ast.Name) -> ast.expr | None:
    """The expression that a variable of a function was assigned last where it is used; ``None`` for one of several."""
    return _last(getattr(code, "body", ()), use, None)


def _last(statements: Sequence[ast.stmt], use: ast.Name, value: ast.expr | None) -> ast.expr | None:
    for statement in statements:
        if any(node is use for node in below(statement)):
            return _inside(statement, use, value)
        place = assigned_at(statement)
        if place is not None and len(place.targets) == 1 and _is(place.targets[0], use):
            value = place.value
        elif _binds(statement, use):
            value = None
    return value


def _inside(statement: ast.stmt, use: ast.Name, value: ast.expr | None) -> ast.expr | None:
    """The same in one of the blocks of a statement, or in what it evaluates before any of them."""
    around: list[ast.stmt] = []
    for field in ("body", "handlers", "orelse", "finalbody"):
        block = getattr(statement, field, ())
        for part in [block] if field != "handlers" else [handler.body for handler in block]:
            if isinstance(part, list) and any(node is use for inner in part for node in below(inner)):
                again = isinstance(statement, _LOOPS) and _binds(statement, use)
                unsure = again or any(_binds(inner, use) for inner in around)
                return _last(part, use, None if unsure else value)
        around += block if field == "body" and isinstance(statement, ast.Try) else ()
    return None if isinstance(statement, _LOOPS) and _binds(statement, use) else value


def _binds(statement: ast.AST, use: ast.Name) -> bool:
    return any(_is(node, use) and not isinstance(node.ctx, ast.Load) for node in below(statement))  # type: ignore[attr-defined]


def _is(node: ast.AST, use: ast.Name) -> bool:
    return isinstance(node, ast.Name) and node.id == use.id
