"""A coroutine that nobody runs is awaited."""

from __future__ import annotations

from typing import Any, TypeVar

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.parsing import parsed

Around = TypeVar("Around", cst.Attribute, cst.Subscript)


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with ``await`` before the call that stands from ``plan["start"]`` to ``plan["end"]``.

    :raises CannotFix: where no call stands there.
    """
    wrapper = parsed(text)
    awaiting = _Awaiting(plan, dict(wrapper.resolve(PositionProvider)))
    module = wrapper.module.visit(awaiting)
    if awaiting.made is None:
        raise CannotFix("the call was not found")
    return module.code


class _Awaiting(cst.CSTTransformer):
    def __init__(self, plan: dict[str, Any], positions: dict[cst.CSTNode, Any]) -> None:
        super().__init__()
        self.place = (plan["start"], plan["end"])
        self.positions = positions
        self.made: cst.Await | None = None

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        if updated_node.func is self.made and self.made is not None:
            return updated_node.with_changes(func=_in_parentheses(self.made))
        place = self.positions[original_node]
        if ((place.start.line, place.start.column + 1), (place.end.line, place.end.column + 1)) != self.place:
            return updated_node
        call = updated_node.with_changes(lpar=[], rpar=[])
        self.made = cst.Await(call, lpar=updated_node.lpar, rpar=updated_node.rpar)
        return self.made

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        del original_node
        return self._around(updated_node)

    def leave_Subscript(self, original_node: cst.Subscript, updated_node: cst.Subscript) -> cst.Subscript:
        del original_node
        return self._around(updated_node)

    def _around(self, node: Around) -> Around:
        """What the result of the coroutine is asked for binds more tightly than ``await``."""
        if self.made is None or node.value is not self.made:
            return node
        return node.with_changes(value=_in_parentheses(self.made))


def _in_parentheses(made: cst.Await) -> cst.Await:
    if made.lpar:
        return made
    return made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
