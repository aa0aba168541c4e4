"""A commit in the middle of a scope becomes a flush: the scope's transaction stays one."""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.parsing import parsed


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with ``flush`` for ``commit`` in the call that begins at ``plan["at"]``.

    :raises CannotFix: where no commit begins there.
    """
    wrapper = parsed(text)
    flushing = _Flushing(plan["at"], dict(wrapper.resolve(PositionProvider)))
    module = wrapper.module.visit(flushing)
    if not flushing.done:
        raise CannotFix("the commit was not found")
    return module.code


class _Flushing(cst.CSTTransformer):
    def __init__(self, at: tuple[int, int], positions: dict[cst.CSTNode, Any]) -> None:
        super().__init__()
        self.at = at
        self.positions = positions
        self.done = False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        start = self.positions[original_node].start
        if updated_node.attr.value != "commit" or (start.line, start.column + 1) != self.at:
            return updated_node
        self.done = True
        return updated_node.with_changes(attr=cst.Name("flush"))
