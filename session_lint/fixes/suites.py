"""What codemods share about suites: the comments of statements that go, and the lines above those that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from session_lint.fixes import CannotFix

if TYPE_CHECKING:
    from collections.abc import Sequence


def comments_of(gone: cst.SimpleStatementLine) -> list[cst.EmptyLine]:
    """The comments above and behind a statement that goes, each on a line of its own."""
    if len(gone.body) != 1:
        raise CannotFix("a statement to drop stands beside another one on its line")
    behind = gone.trailing_whitespace.comment
    return [*own_lines(gone.leading_lines), *([cst.EmptyLine(comment=behind)] if behind else [])]


def led_by(statement: cst.BaseStatement, lines: Sequence[cst.EmptyLine]) -> cst.BaseStatement:
    """The statement with the comments among some lines above its own."""
    leading = getattr(statement, "leading_lines", None)
    if leading is None or not lines:
        return statement
    return statement.with_changes(leading_lines=[*own_lines(lines), *leading])


def own_lines(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The comment lines among empty lines."""
    return [line for line in lines if line.comment is not None]
