"""Sessions that some way leaves open, of those that a code owes the end of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, arguments, closes, held
from session_lint.analysis.state import SiteKind
from session_lint.python.nodes import nodes_in, own_of, path
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode


def owed(facts: ModuleFacts, *, taken_out: bool = False) -> Iterator[Obligation]:
    """The sessions that a code has opened itself, or those that it took out of a generator: ``next(get_db())``."""
    module = facts.module
    for obligation in facts.obligations(SiteKind.OWNED) if module is not None else ():
        takes_out = module.calls.takes_out(obligation.site.node)  # type: ignore[union-attr]  # see above
        if takes_out is taken_out and not (left_open(obligation) and _closed_by_users(module, obligation.site.code)):  # type: ignore[arg-type]
            yield obligation


def _closed_by_users(module: Module, code: ast.AST) -> bool:
    """Whether blocks of a context manager close by hand what it lends them and leaves to them."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or not module.is_context_manager(code):
        return False
    homes = [module, *(module.program.mentioning(module, code.name) or ())]
    blocks = (
        (home, block) for home in homes for user, _ in home.codes for block in own_of(user, ast.With, ast.AsyncWith)
    )
    return any(_closes_what(home, block, code) for home, block in blocks)


def _closes_what(home: Module, block: ast.With | ast.AsyncWith, code: FunctionNode) -> bool:
    """Whether a block closes what a context manager gives it."""
    given = {path(i.optional_vars) for i in block.items if i.optional_vars is not None and _is_of(home, i, code)}
    inside = nodes_in(block.body) if given else ()
    calls = (node.func for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    return any(closes(func.attr) and path(func.value) in given for func in calls)


def _is_of(home: Module, item: ast.withitem, code: FunctionNode) -> bool:
    call = item.context_expr
    if not isinstance(call, ast.Call) or word(call.func) != code.name or call not in home.calls:
        return False
    found = map(home.names.definition, home.calls.callee(call).names)
    return any(one is not None and one[1] is code for one in found)


def left_open(obligation: Obligation) -> list[Ending]:
    """The ways without an exception on which the session stays open."""
    return [e for e in obligation.endings if e.normal and e.leaks and not e.fact.marked("reopened")]


def passed_over(obligation: Obligation) -> list[Ending]:
    """The ways of an exception on which it stays open, where all others close it."""
    normal = [e for e in obligation.endings if e.normal]
    if not any(e.closed for e in normal or obligation.endings) or any(e.leaks for e in normal):
        return []  # what runs for ever has no normal way
    open_ = [e for e in obligation.endings if not e.normal and e.leaks and not e.fact.marked("reopened")]
    return [e for e in open_ if not undone(e)]


def undone(ending: Ending) -> bool:
    """Whether what raised is a rollback of the session itself, which gives the connection back all the same."""
    flying = ending.fact.flying
    if flying is None or not flying.undoing or not ending.idle:
        return False
    node = flying.node
    if isinstance(node, ast.Raise):
        return True  # a clause has passed it on
    if not isinstance(node, ast.Call):
        return False
    by_itself = isinstance(node.func, ast.Attribute) and held(node.func.value, ending.fact) is Hold.WHOLE
    return by_itself or any(held(argument, ending.fact) is Hold.WHOLE for argument in arguments(node))
