"""The global session gives way to the request's own: ``get_session()`` becomes ``g.db``."""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata import PositionProvider

from session_lint.fixes import CannotFix
from session_lint.fixes.imports import with_import, without_import
from session_lint.fixes.parsing import parsed, statement_at


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with ``g.db`` for the call from ``plan["start"]`` to ``plan["end"]``.

    :param plan: besides: ``flask``, the row of the import from Flask; ``beside``, that of the getter's, and ``getter``,
        the name that may no longer be needed, empty where another file needs it.
    :raises CannotFix: where the text is not what the plan was made for.
    """
    wrapper = parsed(text)
    replacing = _Replacing(plan, dict(wrapper.resolve(PositionProvider)))
    module = wrapper.module.visit(replacing)
    if not replacing.done:
        raise CannotFix("the call of the getter was not found")
    flask, getter = statement_at(wrapper, plan["flask"]), statement_at(wrapper, plan["beside"])
    module = with_import(module, flask, "flask", "g", "")
    return without_import(module, getter, plan["getter"]).code if plan["getter"] else module.code


class _Replacing(cst.CSTTransformer):
    def __init__(self, plan: dict[str, Any], positions: dict[cst.CSTNode, Any]) -> None:
        super().__init__()
        self.place = (plan["start"], plan["end"])
        self.positions = positions
        self.done = False

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        place = self.positions[original_node]
        if ((place.start.line, place.start.column + 1), (place.end.line, place.end.column + 1)) != self.place:
            return updated_node
        self.done = True
        return cst.Attribute(cst.Name("g"), cst.Name("db"))
