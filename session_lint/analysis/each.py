"""Loops that close each of several things, and functions that are given several and do so."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import Hold, closed_by, held
from session_lint.python.nodes import own_of, path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import FunctionNode


def closes_each(loop: ast.For | ast.AsyncFor) -> bool:
    """Whether the body of a loop calls a closing method of what it runs over, or a function that says it closes it."""
    name = path(loop.target)
    return bool(name) and any(
        name in closed_by(call) for statement in loop.body for call in own_of(statement, ast.Call)
    )


def closes_all_given(call: ast.Call, callee: Callee, fact: Fact) -> bool:
    """Whether a function closes each of what it is given, the session among it: ``close_all(db, file)``."""
    if callee.function is None:
        return False
    loops = [loop for loop in own_of(callee.function, ast.For, ast.AsyncFor) if closes_each(loop)]
    return bool(loops) and not {path(loop.iter) for loop in loops}.isdisjoint(_collecting(call, callee, fact))


def _collecting(call: ast.Call, callee: Callee, fact: Fact) -> Iterator[str]:
    """The parameters of a function that get several things, of which the session is one."""
    function: FunctionNode = callee.function  # type: ignore[assignment]  # as it was asked
    for name, argument in bind(call, function, bound=callee.bound).items():
        if argument is not None and held(argument, fact) is Hold.INSIDE:
            yield name
    own = function.args
    if own.vararg is not None:
        positional = len(own.posonlyargs) + len(own.args) - callee.bound
        if any(held(argument, fact) for argument in call.args[positional:]):
            yield own.vararg.arg
