"""What still runs in a block behind one of its statements: whether a close by hand may be left to the block's end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.fixes.outliving import loaded_by
from session_lint.fixes.shape import alone
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

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
        if not alone(case.facts.source, close) or len(_suite(module.parents[close], close)[1]) == 1:
            continue
        rest = behind(module.parents, close, case.shape.block, case.shape.guard)
        if rest is not None and all(close is s or s in case.closes or _quiet(module, s, taken) for s in rest):
            yield close


def _levels(parents: Mapping[ast.AST, ast.AST], statement: ast.stmt, block: Sequence[ast.stmt]) -> list[Level]:
    """What stands around a statement within a block, from inside to outside; the last is the block's own suite."""
    levels: list[Level] = []
    node: ast.AST = statement
    while True:
        owner = parents[node]
        field, suite = _suite(owner, node)
        top = any(node is s for s in block)
        rest = suite[suite.index(node) + 1 :] if field else []  # type: ignore[arg-type]
        levels.append((owner, field, [s for s in rest if not top or s in block]))
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


def caught(parents: Mapping[ast.AST, ast.AST], statement: ast.stmt, block: Sequence[ast.stmt]) -> bool:
    """Whether a clause within a block sees what a statement of it raises."""
    return _caught(_levels(parents, statement, block)[:-1])


def _caught(levels: Sequence[Level]) -> bool:
    return any(getattr(owner, "handlers", ()) and field == "body" for owner, field, _ in levels)


def behind(
    parents: Mapping[ast.AST, ast.AST], statement: ast.stmt, block: Sequence[ast.stmt], guard: ast.Try | None = None
) -> list[ast.stmt] | None:
    """What is run from a statement to the end of a block; ``None`` where that is more than a list of statements.

    :param guard: a ``try`` of the block whose ``finally`` does not count.
    """
    *inner, last = _levels(parents, statement, block)
    if any(isinstance(o, _WITHS) or (o is not guard and getattr(o, "finalbody", ())) for o, *_ in inner):
        return None
    looping = any(isinstance(owner, _LOOPS) for owner, *_ in inner)
    found: list[ast.stmt] = []
    for owner, field, rest in inner:
        for one in (*rest, *(_otherwise(owner) if field == "body" else ())):
            found.append(one)
            if isinstance(one, _LEAVING):
                stays = _caught(inner) if isinstance(one, ast.Raise) else looping and not isinstance(one, ast.Return)
                return None if stays else found
        if isinstance(owner, _LOOPS):
            return None
    ends = next((i for i, one in enumerate(last[2], 1) if isinstance(one, _LEAVING)), len(last[2]))
    return [*found, *last[2][:ends]]


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
