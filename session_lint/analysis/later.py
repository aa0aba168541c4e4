"""Functions that are called later with what is given now: by ``partial``, an exit stack, a thread, a pool."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.state import State
from session_lint.python.passing import applied
from session_lint.python.remembered import remembered

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact

PARTIAL = "functools.partial"


def is_partial(names: frozenset[str]) -> bool:
    """Whether a callee is what makes a function of a function and its first arguments."""
    return PARTIAL in names


def closes_later(module: Module, call: ast.Call, fact: Fact) -> bool | None:
    """Whether the function that a call is given closes the session, once it is called.

    :returns: ``None`` where the function, or what it does with the session, is not known.
    """
    made = applied(call)
    if made is None:
        return None
    module.calls.stands_in(made, call)
    callee = module.calls.callee(made)
    if callee.function is None:
        return None
    for name, argument in bind(made, callee.function, bound=callee.bound).items():
        if argument is not None and held(argument, fact) is Hold.WHOLE:
            ways = module.at(callee).summaries.parameter(callee.function, name)
            done = [way.state for way in ways if way.raised is None]
            return None if State.GIVEN in done else bool(done) and all(state is State.CLOSED for state in done)
    return None


@remembered
def run_with(call: ast.Call, session: ast.expr) -> ast.Call | None:
    """The call that ``session.run_sync(f, x)`` makes: ``f(session, x)``."""
    if not call.args or isinstance(call.args[0], ast.Starred):
        return None
    return ast.copy_location(ast.Call(call.args[0], [session, *call.args[1:]], call.keywords), call)
