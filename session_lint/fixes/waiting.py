"""Whether a coroutine that nobody runs may be awaited where it is made."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from session_lint.finding import Applicability, Fix

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.awaiting import Forgotten


def awaited(facts: ModuleFacts, one: Forgotten) -> dict[str, Any]:
    """What a finding about a forgotten coroutine says of its cure: ``fix``, or ``refusal``."""
    if not isinstance(one.code, ast.AsyncFunctionDef):
        return {"refusal": "nothing can be awaited here: the function is not asynchronous"}
    assert facts.module is not None
    above = facts.module.parents.get(one.call)
    while above is not None and above is not one.code:
        if isinstance(above, (ast.GeneratorExp, ast.Lambda)):
            return {"refusal": "it stands in an expression that is run somewhere else"}
        above = facts.module.parents.get(above)
    start, end = facts.source.start(one.call), facts.source.end(one.call)
    plan = (("start", (start.row, start.column)), ("end", (end.row, end.column)))
    return {"fix": Fix(Applicability.SAFE, "Await it", "add_await", plan)}
