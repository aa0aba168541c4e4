"""What becomes of a commit, a rollback or a close by hand in a scope that does these itself."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from session_lint.finding import Applicability, Fix
from session_lint.fixes.leaving import behind, caught
from session_lint.fixes.shape import alone, commits_at_once
from session_lint.python.nodes import own_of

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.scopes import Use


def redundant(facts: ModuleFacts, use: Use) -> dict[str, Any]:
    """What a finding about a redundant commit says of its cure: ``fix``, or ``refusal``, or nothing.

    What comes behind it may read what a commit writes, as the key of a new row, and a clause around it may wait for its
    error: there it becomes a flush.
    """
    statement, last = _find(facts, use)
    if statement is None or facts.module is None:
        return {}
    if not last:
        block = _scope(facts.code_at(use.node), use)
        rest = behind(facts.module.parents, statement, block)
        if rest is None or caught(facts.module.parents, statement, block) or not all(map(_ends, rest)):
            fix = splitting(facts, use)
            return {} if fix is None else {"fix": fix}
    if not alone(facts.source, statement):
        return {"refusal": f"line {statement.lineno} holds more than the commit"}
    start = facts.source.start(statement)
    reason = "" if last else "whoever comes here otherwise than through the scope, or on another way, may rely on it"
    if not reason and not _at_once(facts, use):
        reason = "the scope may do more before its own commit, or handle the errors of that otherwise"
    applicability = Applicability.UNSAFE if reason else Applicability.SAFE
    plan = (("at", (start.row, start.column)),)
    return {"fix": Fix(applicability, "Delete the commit, the scope commits by itself", "drop_statement", plan, reason)}


def _at_once(facts: ModuleFacts, use: Use) -> bool:
    """Whether the scope commits as soon as its block ends, as far as it is the project's own."""
    module, item = facts.module, use.site.node
    call = item.context_expr if isinstance(item, ast.withitem) else None
    if module is None or not isinstance(call, ast.Call) or call not in module.calls:
        return True
    for name in module.calls.callee(call).names:
        found = module.names.definition(name)
        function = found[1] if found is not None else None
        if isinstance(function, ast.ClassDef):
            ends = [n for n in function.body if getattr(n, "name", "") in ("__exit__", "__aexit__")]
            if not all(_settles(inner) for end in ends for inner in own_of(end, ast.Call)):
                return False
        elif function is not None and not commits_at_once(function):
            return False
    return True


def _settles(call: ast.Call) -> bool:
    """Whether a call ends a transaction or a session, and does nothing else."""
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "rollback", "close")


def _scope(code: ast.AST, use: Use) -> list[ast.stmt]:
    """The statements of a scope around a commit: of its ``with``, else of the whole function."""
    withs = (n for n in ast.walk(code) if isinstance(n, (ast.With, ast.AsyncWith)))
    own = (
        w.body for w in withs if use.site.node in w.items and any(n is use.node for s in w.body for n in ast.walk(s))
    )
    return next(own, code.body)  # type: ignore[attr-defined]


def _ends(statement: ast.stmt) -> bool:
    """Whether a statement reads nothing of an object."""
    return all(isinstance(n, _ENDING) for n in ast.walk(statement))


_ENDING = (
    *(ast.Pass, ast.Return, ast.Break, ast.Continue),
    *(ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.expr_context),
)


def splitting(facts: ModuleFacts, use: Use) -> Fix | None:
    """The fix that flushes where a commit splits a scope; ``None`` where the call is another function's."""
    statement, _ = _find(facts, use)
    if statement is None or not isinstance(use.node, ast.Call):
        return None
    start = facts.source.start(use.node)
    reason = "what is saved by now would be rolled back when something fails later in the scope"
    plan = (("at", (start.row, start.column)),)
    return Fix(Applicability.UNSAFE, "Flush, and leave the commit to the scope", "commit_to_flush", plan, reason)


def superfluous(facts: ModuleFacts, use: Use) -> Fix | None:
    """The fix that deletes a rollback or close at the end of a scope; ``None`` where it stands anywhere else."""
    statement, last = _find(facts, use)
    if statement is None or not last or not alone(facts.source, statement):
        return None
    start = facts.source.start(statement)
    rolls_back = isinstance(use.node, ast.Call) and getattr(use.node.func, "attr", "") == "rollback"
    reason = (
        "the scope would commit what is rolled back now"
        if rolls_back and use.site.commits
        else "the scope would commit what closing throws away now"
        if use.site.commits
        else "what comes after it would find the session open"
    )
    plan = (("at", (start.row, start.column)),)
    return Fix(Applicability.UNSAFE, "Delete it, the scope ends by itself", "drop_statement", plan, reason)


def _find(facts: ModuleFacts, use: Use) -> tuple[ast.Expr | None, bool]:
    """The statement of the commit, and whether it is the last one of the scope's block that does anything."""
    code = facts.code_at(use.node)
    for node in ast.walk(code):
        if isinstance(node, ast.Expr) and use.node in (node.value, getattr(node.value, "value", None)):
            blocks = [n for n in ast.walk(code) if isinstance(n, (ast.With, ast.AsyncWith)) and _last(n.body) is node]
            return node, any(w.items[-1] is use.site.node or _around(w, use) for w in blocks)
    return None, False


def _last(body: list[ast.stmt]) -> ast.stmt:
    """The last statement of a block, but for a ``return`` that evaluates nothing."""
    ends = isinstance(body[-1], ast.Return) and isinstance(body[-1].value, (ast.Name, ast.Constant, type(None)))
    return body[-2] if ends and len(body) > 1 else body[-1]


def _around(block: ast.With | ast.AsyncWith, use: Use) -> bool:
    """``with session.begin():`` around the commit, where the site is the session's own."""
    last = block.items[-1].context_expr  # what ends after it would see the commit later than it does now
    return use.raises and isinstance(last, ast.Call) and getattr(last.func, "attr", "") == "begin"
