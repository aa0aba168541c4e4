"""Whether a commit by hand may go: it is the last thing that its scope does."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.finding import Applicability, Fix

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.scopes import Use


def redundant(facts: ModuleFacts, use: Use) -> Fix | None:
    """The fix that deletes a redundant commit; ``None`` where the call is no statement of its own."""
    statement, last = _find(facts, use)
    if statement is None:
        return None
    start = facts.source.start(statement)
    reason = "" if last else "what comes after the commit would be rolled back with it when it fails"
    return Fix(
        Applicability.SAFE if last else Applicability.UNSAFE,
        "Delete the commit, the scope commits by itself",
        "drop_statement",
        (("at", (start.row, start.column)),),
        reason,
    )


def _find(facts: ModuleFacts, use: Use) -> tuple[ast.Expr | None, bool]:
    """The statement of the commit, and whether it is the last one of the scope's block."""
    code = facts.code_at(use.node)
    for node in ast.walk(code):
        if isinstance(node, ast.Expr) and use.node in (node.value, getattr(node.value, "value", None)):
            blocks = [n for n in ast.walk(code) if isinstance(n, (ast.With, ast.AsyncWith)) and n.body[-1] is node]
            return node, any(w.items[-1] is use.site.node or _around(w, use) for w in blocks)
    return None, False


def _around(block: ast.With | ast.AsyncWith, use: Use) -> bool:
    """``with session.begin():`` around the commit, where the site is the session's own."""
    last = block.items[-1].context_expr  # what ends after it would see the commit later than it does now
    return use.raises and isinstance(last, ast.Call) and getattr(last.func, "attr", "") == "begin"
