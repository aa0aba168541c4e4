"""What codemods share about suites: the comments of statements that go, and the lines above those that stay."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import libcst as cst

from session_lint.fixes import CannotFix

if TYPE_CHECKING:
    from collections.abc import Sequence

Moved = TypeVar("Moved", bound=cst.CSTNode)


def comments_of(gone: cst.SimpleStatementLine) -> list[cst.EmptyLine]:
    """The comments above and behind a statement that goes, each on a line of its own, with the empty lines above them.

    What another tool is told of the line goes with it: ``# noqa``.
    """
    if len(gone.body) != 1:
        raise CannotFix("a statement to drop stands beside another one on its line")
    behind = gone.trailing_whitespace.comment
    if behind is not None and not _OF_THE_LINE.fullmatch(behind.value):
        return [*gone.leading_lines, cst.EmptyLine(comment=behind)]
    return up_to_comment(gone.leading_lines)


_OF_THE_LINE = re.compile(
    r"#\s*(noqa(:[\s\w,]*)?|nosec(:?[\s\w,]*)|type:\s*ignore(\[.*\])?|pyright:\s*ignore.*|pylint:.*|pragma:.*)\s*"
)
"""Comments that say nothing but to tools, and nothing where they stand alone."""


def led_by(statement: cst.BaseStatement, lines: Sequence[cst.EmptyLine]) -> cst.BaseStatement:
    """The statement with some lines above its own."""
    leading = getattr(statement, "leading_lines", None)
    if leading is None or not lines:
        return statement
    return statement.with_changes(leading_lines=[*lines, *leading])


def moved(node: Moved, indent: str, *, top: bool) -> Moved:
    """A statement, or a line, that is indented further: what libcst does not indent by itself is.

    :param indent: what it is indented by, beyond its indentation.
    :param top: whether it stood at the module's top.
    """
    found = node.visit(_Moving(indent, top=top))
    assert isinstance(found, type(node))
    return found


class _Moving(cst.CSTTransformer):
    """Lines that a backslash continues move, too; empty lines at a module's top stay empty."""

    def __init__(self, indent: str, *, top: bool) -> None:
        super().__init__()
        self.indent = indent
        self.top = top

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        """Its text stays, and ``f"{x = }"`` shows white space."""
        del node
        return False

    def leave_SimpleWhitespace(
        self, original_node: cst.SimpleWhitespace, updated_node: cst.SimpleWhitespace
    ) -> cst.SimpleWhitespace:
        del original_node
        if "\\" not in updated_node.value:
            return updated_node
        return updated_node.with_changes(value=_CONTINUED.sub(rf"\g<0>{self.indent}", updated_node.value))

    def leave_EmptyLine(self, original_node: cst.EmptyLine, updated_node: cst.EmptyLine) -> cst.EmptyLine:
        del original_node
        bare = self.top and updated_node.comment is None and not updated_node.whitespace.value
        return updated_node.with_changes(indent=False) if bare else updated_node


_CONTINUED = re.compile(r"\\(\r\n|\r|\n)")


def up_to_comment(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """Lines without the empty ones behind their last comment."""
    last = max((i for i, line in enumerate(lines) if line.comment is not None), default=-1)
    return list(lines[: last + 1])


def own_lines(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """The comment lines among empty lines."""
    return [line for line in lines if line.comment is not None]
