"""Sessions that objects keep while they are entered, and that their ``__exit__`` closes on some of its ways only.

It may close where the block has completed and not where it raises, or the other way round; and what it does first, a
commit, may raise and pass over the close.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.facts import Ending
from session_lint.analysis.standing import opens_its_own
from session_lint.analysis.state import NOTHING, SiteKind, State
from session_lint.flow import SolverLimit
from session_lint.python.nodes import is_none, reading
from session_lint.python.scopes import parameters
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.guards import Guards
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.python.scopes import FunctionNode, Scope

_LEAVING = ("__exit__", "__aexit__")


@dataclass(frozen=True, eq=False)
class HalfLeft:
    """A session that a class opens for a field, and that leaving its objects does not close on every way.

    :param opening: the call that opens it.
    :param code: the method that does.
    :param leave: the method that closes it on other ways.
    :param ending: a way on which it stays open.
    :param thrown: whether the block has raised there.
    """

    opening: ast.Call
    code: ast.AST
    field: str
    leave: FunctionNode
    ending: Ending
    thrown: bool


def half_left(facts: ModuleFacts) -> Iterator[HalfLeft]:
    """Every such session of the module, in the order of the text."""
    module = facts.module
    for owner in module.names.scopes.of.values() if module is not None else ():
        methods = owner.node.body if isinstance(owner.node, ast.ClassDef) else []
        leave = next((n for n in methods if getattr(n, "name", "") in _LEAVING), None)
        if isinstance(leave, (ast.FunctionDef, ast.AsyncFunctionDef)) and parameters(leave):
            assert module is not None
            for field in owner.attributes:
                yield from _left(module, owner, leave, field)


def _left(module: Module, owner: Scope, leave: FunctionNode, field: str) -> Iterator[HalfLeft]:
    """The session in a field, if it is one."""
    bindings = [b for b in owner.attributes[field] if not is_none(b.node)]
    opening = [b.node for b in bindings if isinstance(b.node, ast.Call) and opens_its_own(module, b.node)]
    if not bindings or len(opening) < len(bindings) or _others_may_close(module, leave, field):
        return
    calm, thrown = (_ways(module, leave, field, raised=raised) for raised in (False, True))
    if calm is None or thrown is None:
        return
    found = [(end, way is thrown) for way in (thrown, calm) for end in _open(module, way)]
    closed = [all(not e.normal for e in _open(module, way)) and _closes(way) for way in (calm, thrown)]
    if any(closed) and found:
        ending, raised = min(found, key=lambda one: not one[0].normal)
        name = f"{parameters(leave)[0].arg}.{field}"
        yield HalfLeft(opening[0], bindings[0].scope.node, name, leave, ending, raised)


def _ways(module: Module, leave: FunctionNode, field: str, *, raised: bool) -> Solved | None:
    """How the method goes with the session in use, after a block that has raised, or not."""
    own, *told = parameters(leave)
    name = f"{own.arg}.{field}"
    site = module.site(SiteKind.PARAMETER, leave.args, leave)
    plain = [arg.arg for arg in told if arg not in (leave.args.vararg, leave.args.kwarg)]
    known: Guards = frozenset(g for arg in plain for g in ((arg, raised), (f"{arg} is None", not raised)))
    there: Guards = frozenset({(name, True), (f"{name} is None", False)})
    start = NOTHING._replace(site=site, names=frozenset({name}), guards=known | there, state=State.ACTIVE)
    try:
        return module.solve(leave, start, told=False)
    except SolverLimit:
        return None


def _open(module: Module, solved: Solved) -> Iterator[Ending]:
    """The ways of the method that leave the transaction of the session open."""
    for block, fact in solved.ends:
        if fact.site is solved.problem.start.site and fact.state is State.ACTIVE:
            flying = fact.flying
            if flying is None or (not flying.undoing and module.exceptions.ordinary(flying.type)):
                yield Ending(solved, block, fact)


def _closes(solved: Solved) -> bool:
    """Whether some normal way of the method closes the session."""
    site = solved.problem.start.site
    return any(f.site is site and f.flying is None and f.state is State.CLOSED for f in solved.exits)


def _others_may_close(module: Module, leave: FunctionNode, field: str) -> bool:
    """Whether something besides the method closes what the field holds, or has it who may."""
    from session_lint.analysis.claims import closes_too  # noqa: PLC0415  (few classes keep one)

    own = parameters(leave)[0].arg
    return closes_too(module, leave, reading(f"{own}.{field}"))
