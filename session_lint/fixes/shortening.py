"""How far the block of a session goes that nobody closes: to the last statement that has to do with it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.state import State
from session_lint.fixes.outliving import held

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts, Obligation
    from session_lint.fixes.shape import Shape

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def last_use(facts: ModuleFacts, obligation: Obligation, found: Shape) -> int:
    """How many statements of a block that nothing closes have to do with the session, up to the last one that has.

    All, where it may hold something then that those behind it need: changes, a lock.
    """
    whole = len(found.block)
    if found.close is not None or any(isinstance(s, _DEFINITIONS) for s in found.block[:1]):
        return whole
    states = {ending.fact.state for ending in obligation.endings if ending.normal and ending.leaks}
    known, changes = held(facts, obligation, found)
    if not states <= {State.NEW, State.IDLE} and (changes or not _only_asks(found)):
        return whole
    uses = (
        index
        for index, statement in enumerate(found.block, 1)
        if any(isinstance(n, ast.Name) and n.id in known for n in ast.walk(statement))
    )
    return max(uses, default=whole)


_ASKING = frozenset("query get scalar scalars".split())
_LOCKING = frozenset("with_for_update with_lockmode text".split())


def _only_asks(found: Shape) -> bool:
    """Whether a block does nothing with its session but to ask for objects, and locks none of them."""
    nodes = [n for s in found.block for n in ast.walk(s)]
    asking = {id(n.value) for n in nodes if isinstance(n, ast.Attribute) and n.attr in _ASKING}
    locks = (n for n in nodes if isinstance(n, (ast.Attribute, ast.Name)))
    return all(id(n) in asking for n in nodes if isinstance(n, ast.Name) and n.id == found.name) and not any(
        (n.attr if isinstance(n, ast.Attribute) else n.id) in _LOCKING for n in locks
    )
