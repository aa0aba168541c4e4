"""A superfluous statement goes; a block that it leaves empty gets ``pass``, a comment on its line stays."""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.parsing import parsed
from session_lint.fixes.suites import comments_of, led_by


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text without the statement that begins at ``plan["at"]``.

    :raises CannotFix: where no statement begins there, or others share its line.
    """
    wrapper = parsed(text)
    dropper = _Dropper(plan["at"], dict(wrapper.resolve(PositionProvider)))
    module = wrapper.module.visit(dropper)
    if not dropper.done:
        raise CannotFix("the statement does not stand on a line of its own")
    return module.code


class _Dropper(cst.CSTTransformer):
    def __init__(self, at: tuple[int, int], positions: dict[cst.CSTNode, Any]) -> None:
        super().__init__()
        self.at = at
        self.positions = positions
        self.done = False

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        found = [i for i, old in enumerate(original_node.body) if self._here(old)]
        if not found:
            return updated_node
        self.done = True
        body, left = _without(list(updated_node.body), found[0])
        return updated_node.with_changes(body=body, footer=[*left, *updated_node.footer])

    def _here(self, node: cst.CSTNode) -> bool:
        start = self.positions[node].start
        return (
            isinstance(node, cst.SimpleStatementLine)
            and len(node.body) == 1
            and (start.line, start.column + 1) == self.at
        )


def _without(body: list[cst.BaseStatement], index: int) -> tuple[list[cst.BaseStatement], list[cst.EmptyLine]]:
    """The statements without one, and the comments of it that no later statement can carry."""
    gone = body.pop(index)
    assert isinstance(gone, cst.SimpleStatementLine)
    lines = comments_of(gone)
    if index < len(body):
        body[index] = led_by(body[index], lines)
        return body, []
    if not body:
        return [cst.SimpleStatementLine([cst.Pass()], leading_lines=lines)], []
    return body, lines
