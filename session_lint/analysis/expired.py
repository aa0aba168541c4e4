"""Objects that a commit has expired and a close left without a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast

    from session_lint.analysis.loading import Loaded


@dataclass(frozen=True, eq=False)
class Held:
    """A variable that holds an object of a session, or a collection of them.

    :param node: where it was loaded, or added; or the call of the function that does that.
    :param ends: what commits and closes, each place with what is said of it.
    :param inside: where that function has it from.
    """

    name: str
    what: Loaded
    node: ast.AST
    ends: tuple[tuple[ast.AST, str], ...]
    inside: ast.AST | None = None
