"""Objects that a commit or a rollback has expired, or not, and a close left without a session."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.loading import Loaded


@dataclass(frozen=True, eq=False)
class Held:
    """A variable that holds an object of a session, or a collection of them.

    :param node: where it was loaded, or added; or the call of the function that does that.
    :param ends: what commits and closes, each place with what is said of it.
    :param inside: where that function has it from.
    :param undone: whether it is a rollback that expires it, as it does whatever the session was told.
    :param lazy: whether nothing has expired it, and only what was not loaded yet is out of reach.
    """

    name: str
    what: Loaded
    node: ast.AST
    ends: tuple[tuple[ast.AST, str], ...]
    inside: ast.AST | None = None
    undone: bool = False
    lazy: bool = False


def expressions(statement: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of the statements in it and of functions."""
    todo = [c for c in ast.iter_child_nodes(statement) if not isinstance(c, (ast.stmt, ast.ExceptHandler))]
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, ast.Lambda):
            todo += [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.stmt)]
