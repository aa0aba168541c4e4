"""The shape of manual session management: where it begins, where it ends, what a scope makes superfluous."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_nodes, path
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis import Obligation
    from session_lint.source import Source

_ALONE = re.compile(r"\s*;?\s*(#.*)?", re.DOTALL)
"""What may follow a statement on its last line."""


@dataclass(frozen=True)
class Shape:
    """Statements that a ``with`` can take the place of.

    :param acquire: ``session = factory(...)``.
    :param block: the statements after it that use the session, in the same suite.
    :param guard: the last of them, where it is a ``try`` that closes in its ``finally``.
    :param close: the statement that closes, where there is one in the suite itself or in the guard.
    :param rest: the statements of the suite after the block.
    :param top: whether the suite is the code's own body.
    """

    name: str
    acquire: ast.Assign | ast.AnnAssign
    block: list[ast.stmt]
    guard: ast.Try | None
    close: ast.stmt | None
    rest: list[ast.stmt]
    top: bool


def shape(obligation: Obligation) -> Shape | str:
    """The shape around an acquire site, or why there is none."""
    code = obligation.site.code
    if isinstance(code, ast.Lambda):
        return "the session is opened in a lambda"
    for suite in suites(code):
        for index, statement in enumerate(suite):
            if isinstance(statement, (ast.Assign, ast.AnnAssign)) and _opens(statement, obligation.site.node):
                top = suite is code.body  # type: ignore[attr-defined]
                if index + 1 == len(suite) and not top:
                    return _ended(code, suite)
                return _shape(statement, suite[index + 1 :], top=top)
    return "the session is not opened by a plain assignment to a variable"


def _ended(code: ast.AST, suite: list[ast.stmt]) -> str:
    """Why nothing can be made of a suite that ends with the opening."""
    if any(
        isinstance(n, (ast.If, ast.match_case)) and suite in (n.body, getattr(n, "orelse", [])) for n in ast.walk(code)
    ):
        return "it is opened under a condition, and used behind it"
    return "it is used behind the block that opens it"


def _opens(statement: ast.Assign | ast.AnnAssign, node: ast.AST) -> bool:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return statement.value is node and len(targets) == 1 and isinstance(targets[0], ast.Name)


def _shape(acquire: ast.Assign | ast.AnnAssign, after: list[ast.stmt], *, top: bool) -> Shape | str:
    target = acquire.targets[0] if isinstance(acquire, ast.Assign) else acquire.target
    name = path(target)
    for index, statement in enumerate(after):
        if isinstance(statement, ast.Try) and any(closes(s, name) for s in statement.finalbody):
            if not all(closes(s, name) for s in statement.finalbody):
                last = statement.finalbody[-1]
                if not closes(last, name):
                    return "the `finally` goes on after it closed the session"
                return Shape(name, acquire, after[: index + 1], None, last, after[index + 1 :], top)
            return Shape(name, acquire, after[: index + 1], statement, statement.finalbody[0], after[index + 1 :], top)
        if closes(statement, name):
            return Shape(name, acquire, after[: index + 1], None, statement, after[index + 1 :], top)
    return Shape(name, acquire, after, None, None, [], top) if after else "nothing is done with the session here"


def alone(source: Source, statement: ast.stmt) -> bool:
    """Whether a statement has its lines to itself, with neither another one nor the head of a block on them."""
    start, end = source.start(statement), source.end(statement)
    before, after = source.lines[start.row - 1][: start.column - 1], source.lines[end.row - 1][end.column - 1 :]
    return not before.strip() and _ALONE.fullmatch(after) is not None


def closes(statement: ast.stmt, name: str) -> bool:
    """Whether a statement does nothing but close the session."""
    return is_method(statement, name, "close")


def is_method(statement: ast.stmt, name: str, method: str) -> bool:
    """Whether a statement is exactly ``name.method()``, awaited or not."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Await):
        value = value.value
    if not isinstance(value, ast.Call) or value.args or value.keywords or not isinstance(value.func, ast.Attribute):
        return False
    return value.func.attr == method and path(value.func.value) == name


def gives_up(handler: ast.ExceptHandler, name: str) -> bool:
    """Whether a handler does what a scope does: roll back and raise again."""
    *before, last = handler.body
    raises = isinstance(last, ast.Raise) and last.exc is None
    return raises and len(before) <= 1 and all(is_method(s, name, "rollback") for s in before)


def plain_scope(
    function: ast.FunctionDef | ast.AsyncFunctionDef, closing: Callable[[ast.stmt, str], bool]
) -> ast.expr | None:
    """The factory of a committing scope that only opens, lends, commits, rolls back and closes; else ``None``.

    :param closing: whether a statement does nothing but close the session of a name, in the end.
    """
    arguments = function.args
    if (
        len(function.decorator_list) != 1
        or arguments.args
        or arguments.kwonlyargs
        or arguments.vararg
        or arguments.kwarg
    ):
        return None
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if len(body) != 2 or not isinstance(body[0], ast.Assign) or not isinstance(body[1], ast.Try):  # noqa: PLR2004
        return None
    opened, guard = body[0].value, body[1]
    name = path(body[0].targets[0])
    lent = [*guard.body, *guard.orelse]
    plain = (
        len(lent) == 2  # noqa: PLR2004
        and _lends(lent[0], name)
        and is_method(lent[1], name, "commit")
        and all(gives_up(handler, name) for handler in guard.handlers)
        and len(guard.finalbody) == 1
        and closing(guard.finalbody[0], name)
    )
    if not plain or not isinstance(opened, ast.Call) or opened.args:
        return None
    return opened.func if all(k.arg == "info" for k in opened.keywords) else None  # a note, which changes nothing


def commits_at_once(function: ast.AST) -> bool:
    """Whether the first thing that a generator does behind its one ``yield`` is to commit.

    It counts where errors of the commit meet the clauses that errors of the block meet, or clauses that only roll back
    and raise again; the end of a ``with`` commits, too: ``with factory.begin() as session: yield session``.
    """
    lending = [(owner, suite) for owner, suite in _owned(function) for s in suite if _lends(s, _lent(s))]
    yields = [n for n in own_nodes(function) if isinstance(n, (ast.Yield, ast.YieldFrom))]
    if len(lending) != 1 or len(yields) != 1:
        return False
    owner, suite = lending[0]
    at = next(i for i, s in enumerate(suite) if _lends(s, _lent(s)))
    name = _lent(suite[at])
    if at + 1 < len(suite):
        return is_method(suite[at + 1], name, "commit")
    if isinstance(owner, ast.Try) and suite is owner.body and owner.orelse:
        return is_method(owner.orelse[0], name, "commit") and all(gives_up(h, name) for h in owner.handlers)
    last = owner.items[-1].context_expr if isinstance(owner, (ast.With, ast.AsyncWith)) else None
    return isinstance(last, ast.Call) and isinstance(last.func, ast.Attribute) and last.func.attr == "begin"


def _owned(owner: ast.AST) -> Iterator[tuple[ast.AST, list[ast.stmt]]]:
    """Every list of statements of a code, each with what it belongs to."""
    for suite in _own_suites(owner):
        yield owner, suite
        for statement in suite:
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                for inner in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                    yield from _owned(inner)


def _own_suites(owner: ast.AST) -> list[list[ast.stmt]]:
    suites = (getattr(owner, field, None) for field in ("body", "orelse", "finalbody"))
    return [suite for suite in suites if isinstance(suite, list) and suite]


def _lent(statement: ast.stmt) -> str:
    """The variable that a ``yield`` of its own lends."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return path(value.value) if isinstance(value, ast.Yield) and value.value is not None else ""


def _lends(statement: ast.stmt, name: str) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Yield) and value.value is not None and path(value.value) == name != ""


def suites(code: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements of a code, without those of the functions and classes inside it."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        inner = getattr(code, field, None)
        if not isinstance(inner, list):
            continue
        if field in ("body", "orelse", "finalbody"):
            yield inner
        for node in inner:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from suites(node)
