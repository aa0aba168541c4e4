"""Context managers that end a session which they are given: ``with cleanup(session):`` closes it, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from session_lint.analysis import guards
from session_lint.analysis.inference import committed
from session_lint.analysis.state import NOTHING, SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    import ast

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import FunctionNode


class Surrounding(NamedTuple):
    """What the end of a ``with`` does to the session that its context manager was given.

    :param closes: where the block has completed; ``always``: where it raises, too.
    :param commits: where the block has completed; ``undoes``: it rolls back where it raises.
    :param yields: whether the session is what the block gets, too.
    """

    closes: bool
    always: bool
    commits: bool
    undoes: bool
    yields: bool


CLOSES = Surrounding(closes=True, always=True, commits=False, undoes=True, yields=False)
"""What a function that cannot be read does, which says by its name that it lets go of what it is given."""


def surrounding(module: Module, callee: Callee, name: str) -> Surrounding | None:
    """What the context manager that a call makes does at its end to the session in a parameter, if anything."""
    function = callee.function
    if function is None or not is_generator(function):
        return None
    home = module.at(callee)
    if not home.is_context_manager(function):
        return None
    return home.asked(home.surrounding, (function, name), lambda: _worked_out(home, function, name))


def _worked_out(module: Module, function: FunctionNode, name: str) -> Surrounding | None:
    passed = next((arg for arg in parameters(function) if arg.arg == name), None)
    if passed is None or passed in (function.args.vararg, function.args.kwarg):
        return None
    site = module.site(SiteKind.PARAMETER, passed, function)
    start = NOTHING._replace(site=site, names=frozenset({name}), guards=guards.present(name))
    try:
        solved = module.solve(function, start, told=False)
    except SolverLimit:
        return None
    normal = [fact for fact in solved.exits if fact.site is site and fact.flying is None]
    thrown = _thrown(solved)
    if not normal:
        return None
    closes = all(fact.state is State.CLOSED for fact in normal)
    found = Surrounding(
        closes=closes,
        always=closes and all(fact.state is State.CLOSED for fact in thrown),
        commits=all(map(committed, normal)),
        undoes=all(fact.state in (State.CLOSED, State.IDLE) for fact in thrown),
        yields=all(fact.marked("lent") for fact in normal),
    )
    return found if found.closes or found.commits else None


def _thrown(solved: Solved) -> list[Fact]:
    """How the session is left where the block has raised."""
    exits = solved.solution.facts.get(solved.graph.raised, ())
    return [fact for fact in exits if fact.site is solved.problem.start.site and _was_entered(solved, fact)]


def _was_entered(solved: Solved, fact: Fact) -> bool:
    way = solved.way(solved.graph.raised, fact)
    return any(point.kind is PointKind.YIELD for block, _, _ in way for point in block.points)


def is_entered(module: Module, call: ast.Call) -> bool:
    """Whether a call makes what a ``with`` enters at once."""
    return call in module.names.scopes.entered
