"""Sessions that some way leaves open, of those that a code owes the end of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, held
from session_lint.analysis.state import SiteKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import Ending, ModuleFacts, Obligation


def owed(facts: ModuleFacts, *, taken_out: bool = False) -> Iterator[Obligation]:
    """The sessions that a code has opened itself, or those that it took out of a generator: ``next(get_db())``."""
    for obligation in facts.obligations(SiteKind.OWNED):
        if facts.module is not None and facts.module.calls.takes_out(obligation.site.node) is taken_out:
            yield obligation


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
    if flying is None or not flying.undoing or not ending.idle or not isinstance(flying.node, ast.Call):
        return False
    func = flying.node.func
    return isinstance(func, ast.Attribute) and held(func.value, ending.fact) is Hold.WHOLE
