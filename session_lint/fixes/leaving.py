"""What still runs in a block behind one of its statements: whether a close by hand may be left to the block's end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.fixes.outliving import loaded_by
from session_lint.fixes.shape import alone
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from session_lint.analysis.module import Module
    from session_lint.fixes.conditions import Case

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_WITHS = (ast.With, ast.AsyncWith)
_LEAVING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_PLAIN = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.JoinedStr, ast.FormattedValue, ast.expr_context)

Level = tuple[ast.AST, str, list[ast.stmt]]
"""A statement around another one, in which of its suites that stands, and what comes behind it there."""


def left_over(case: Case) -> Iterator[ast.Expr]:
    """The closes of a block that nothing but plain ends come after, so that the end of a ``with`` says them better.

    One that is alone in its suite stays: it would leave a ``pass`` behind.
    """
    module = case.facts.module
    if module is None or not case.closes:
        return
    taken = {case.name, *loaded_by(case.facts, case.obligation, case.shape)}
    for close in case.closes:
        levels = _levels(case, close, module.parents)
        if not alone(case.facts.source, close) or len(_suite(module.parents[close], close)[1]) == 1:
            continue
        rest = _behind(levels, case.shape.guard)
        if rest is not None and all(close is s or s in case.closes or _quiet(module, s, taken) for s in rest):
            yield close


def _levels(case: Case, statement: ast.stmt, parents: Mapping[ast.AST, ast.AST]) -> list[Level]:
    """What stands around a statement within the block, from inside to outside; the last is the block's own suite."""
    levels: list[Level] = []
    node: ast.AST = statement
    while True:
        owner = parents[node]
        field, suite = _suite(owner, node)
        top = any(node is s for s in case.shape.block)
        behind = suite[suite.index(node) + 1 :] if field else []  # type: ignore[arg-type]
        levels.append((owner, field, [s for s in behind if not top or s in case.shape.block]))
        if top:
            return levels
        node = owner


def _suite(owner: ast.AST, node: ast.AST) -> tuple[str, list[ast.stmt]]:
    """The suite of a statement in which another one stands, with its name; none for clauses and cases."""
    for field in ("body", "orelse", "finalbody"):
        suite = getattr(owner, field, None)
        if isinstance(suite, list) and node in suite:
            return field, suite
    return "", []


def _behind(levels: list[Level], guard: ast.Try | None) -> list[ast.stmt] | None:
    """What is run from a statement to the end of the block; ``None`` where that is more than a list of statements."""
    inner = levels[:-1]
    if any(isinstance(o, _WITHS) or (o is not guard and getattr(o, "finalbody", ())) for o, *_ in inner):
        return None
    caught = any(getattr(owner, "handlers", ()) and field == "body" for owner, field, _ in inner)
    looping = any(isinstance(owner, _LOOPS) for owner, *_ in inner)
    found: list[ast.stmt] = []
    for owner, field, behind in levels:
        inside = (owner, field, behind) is not levels[-1]
        for statement in (*behind, *(_otherwise(owner) if inside and field == "body" else ())):
            found.append(statement)
            if isinstance(statement, _LEAVING):
                stays = (
                    caught if isinstance(statement, ast.Raise) else looping and not isinstance(statement, ast.Return)
                )
                return None if stays else found
        if inside and isinstance(owner, _LOOPS):
            return None
    return found


def _otherwise(owner: ast.AST) -> list[ast.stmt]:
    """The ``else`` of a ``try``, which runs behind its body."""
    return owner.orelse if isinstance(owner, ast.Try) else []


def _quiet(module: Module, statement: ast.stmt, taken: Collection[str]) -> bool:
    """Whether a statement can neither raise nor see whether a session is open.

    :param taken: the variables of the session and of what was loaded from it.
    """
    if isinstance(statement, (ast.Pass, ast.Break, ast.Continue)):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None or isinstance(statement.value, ast.Name) or _plain(statement.value, taken)
    if isinstance(statement, ast.Raise):
        made = statement.exc if isinstance(statement.exc, ast.Call) else None
        values = [statement.cause, *(_arguments(made) if made is not None else (statement.exc,))]
        return all(value is None or _plain(value, taken) for value in values)
    if isinstance(statement, ast.Assign):
        return all(isinstance(t, ast.Name) for t in statement.targets) and _plain(statement.value, taken)
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        callee = module.calls.callee(call) if call in module.calls else None
        if callee is None or callee.role not in (None, Role.NO_RAISE) or callee.raises or callee.name == "close":
            return False
        return all(_plain(argument, taken) for argument in _arguments(call))
    return False


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _plain(value: ast.expr, taken: Collection[str]) -> bool:
    """Whether an expression is made of constants and of variables and fields that no session is behind."""
    return all(
        isinstance(n, _PLAIN)
        or (isinstance(n, ast.Name) and n.id not in taken)
        or (isinstance(n, ast.Attribute) and isinstance(n.value, (ast.Name, ast.Attribute)))
        for n in ast.walk(value)
    )
