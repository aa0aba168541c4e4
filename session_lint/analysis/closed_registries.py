"""What a function writes through a registry's session that it closes itself, and commits nowhere.

Whoever else has the session in this thread may commit it, as long as it is open: once the function has closed it, what
was written is gone. So nothing else may run between the two of which nobody knows what it does.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.half_removed import is_asked
from session_lint.analysis.losses import AUTOCOMMIT, attaches, ended_on_purpose, homes, unchanged
from session_lint.analysis.places import is_test
from session_lint.analysis.registries import is_registry
from session_lint.analysis.unsaved import asks
from session_lint.flow import SolverLimit
from session_lint.python.nodes import own_of
from session_lint.values import dataclass
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved

_WRITING = frozenset(name for name, what in effects().items() if what.effect in ("write", "read", "build"))
"""Methods that write, or may: ``session.execute(insert(User))``."""
_KEEPING = frozenset(["commit", "begin"])
"""Methods after which what was written is kept, on the ways that lead there."""
_ENDING = frozenset(["close", "remove"])
_KEPT = ("committed", "exposed", "yielded", "lent", "begun", "scope")
"""Marks of a session that somebody may have committed, or may commit yet."""


@dataclass(frozen=True, eq=False)
class Dropped:
    """A write that is gone once its function has closed the registry's session.

    :param write: the last one.
    :param closed: what closes the session over it.
    """

    one: Borrowed
    write: ast.Call
    closed: ast.AST


def dropped(facts: ModuleFacts) -> Iterator[Dropped]:
    """The last write of each such session of a module."""
    module = facts.module
    if module is None or is_test(facts.source.filename):
        return
    for one in facts.borrowed:
        if _may_drop(one) and (is_asked(one) or (one.managed and is_registry(one))):
            found = _dropped(module, one)
            if found is not None:
                yield found


def _may_drop(one: Borrowed) -> bool:
    """Whether a code may write, and close what it has written through, and neither commits nor means to undo it."""
    methods = {use.func.attr for use in one.uses if isinstance(use.func, ast.Attribute)}
    called = {call.func.attr for call in own_of(one.code, ast.Call) if isinstance(call.func, ast.Attribute)}
    closes = bool(own_of(one.code, ast.withitem)) or not called.isdisjoint(_ENDING)
    return (
        closes and methods.isdisjoint(_KEEPING) and not methods.isdisjoint(_WRITING) and not ended_on_purpose(one.code)
    )


def _dropped(module: Module, one: Borrowed) -> Dropped | None:
    if all(_others_run(module, one, use) for use in one.uses):
        return None
    if any(AUTOCOMMIT.search(home.source.text) for home in homes(module, one.node)):
        return None
    try:
        solved = module.solve(one.code, one.start, told=False)  # type: ignore[arg-type]  # a code has a graph
    except SolverLimit:
        return None
    lost = _lost(solved)
    if lost is None:
        return None
    write, closed = lost
    if not isinstance(write, ast.Call) or write not in one.uses or _others_run(module, one, write):
        return None
    if attaches(module, write) and (asks(one) or unchanged(module, write)):
        return None
    return Dropped(one, write, closed)


def _lost(solved: Solved) -> tuple[ast.AST, ast.AST] | None:
    """The last write that is lost, and what closes over it, where nothing is committed on any way."""
    ends = [fact for _, fact in solved.ends if fact.site is solved.problem.start.site]
    if any(fact.marked(what) for fact in ends for what in _KEPT):
        return None
    marks = [mark for fact in ends if fact.flying is None for mark in fact.marked("lost")]
    pairs = [(m.node, m.other) for m in marks if m.node is not None and m.other is not None]
    return max(pairs, key=lambda pair: getattr(pair[0], "lineno", 0), default=None)


def _others_run(module: Module, one: Borrowed, write: ast.Call) -> bool:
    """Whether something runs after the write of which nobody knows whether it commits."""
    for call in own_of(one.code, ast.Call):
        if (call.lineno, call.col_offset) < (write.end_lineno, write.end_col_offset) or call in one.uses:
            continue
        if isinstance(call.func, ast.Attribute) and call.func.attr in _ENDING and not call.args:
            continue
        callee = module.calls.callee(call)
        if callee.function is not None or callee.owner is not None or not callee.names:
            return True
    return False
