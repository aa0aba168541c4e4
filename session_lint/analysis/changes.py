"""Columns of loaded objects that are changed: what the next flush writes, though no method of the session is called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.fetching import fetched
from session_lint.analysis.loading import Loaded, is_column, loaded
from session_lint.analysis.state import State
from session_lint.flow import PointKind
from session_lint.python.nodes import is_none, own_of, path
from session_lint.python.reaching import last_assigned
from session_lint.python.scopes import BindingKind, below

if TYPE_CHECKING:
    from collections.abc import Collection

    from session_lint.analysis.facts import Obligation
    from session_lint.analysis.module import Module
    from session_lint.flow import Code
    from session_lint.python.scopes import Scope

_SENDING = frozenset(["add", "flush", "refresh"])
"""Methods of a session that may be given the object: they save nothing for good."""


def changed(module: Module, obligation: Obligation) -> list[ast.Attribute]:
    """The columns of a session's own objects that its code sets, and of whose objects it does nothing else.

    An object that is given to somebody, returned or read afterwards may have been changed for that, not to be saved.
    """
    solved = obligation.endings[0].solved
    code = solved.code
    stored = (n for n in own_of(code, ast.Attribute) if isinstance(n.ctx, ast.Store))
    if not any(isinstance(node.value, ast.Name) for node in stored):
        return []
    scope = module.names.scopes.of[code]
    found: dict[ast.Attribute, None] = {}
    for point, fact in solved.visits(PointKind.STORE):
        node = point.node
        mine = fact.site is obligation.site and fact.state not in (State.CLOSED, State.GIVEN)
        if not mine or not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        sessions = {name for name in fact.names if isinstance(name, str)}
        what = _object(module, node.value, scope, sessions)
        if what is not None and is_column(what, node.attr) and _only_changed(module, code, node, sessions):
            found[node] = None
    return [*found]


def _object(module: Module, name: ast.Name, scope: Scope, sessions: Collection[str]) -> Loaded | None:
    """What a variable holds that is only given objects of one mapped class, out of one of some sessions.

    Or was given one last, where it holds one thing after the other.
    """
    known: list[Loaded | None] = []
    bindings = scope.bindings.get(name.id, ())
    last = last_assigned(scope.node, name) if len(bindings) > 1 else None
    if last is not None and all(binding.kind is BindingKind.VALUE for binding in bindings):
        return _loaded(module, last, scope, sessions)
    for binding in bindings:
        if binding.kind is BindingKind.VALUE and not is_none(binding.node):
            known.append(_loaded(module, binding.node, scope, sessions))
        elif binding.kind in (BindingKind.OPAQUE, BindingKind.PART):
            loop = module.parents.get(binding.node)
            goes = isinstance(loop, (ast.For, ast.AsyncFor)) and loop.target is binding.node
            known.append(loaded(module, loop.iter, scope, sessions, iterated=True) if goes else None)  # type: ignore[union-attr]
        elif binding.kind is not BindingKind.VALUE:
            return None
    first = known[0] if known else None
    return first if first is not None and len(known) == 1 else None


def _loaded(module: Module, value: ast.AST, scope: Scope, sessions: Collection[str]) -> Loaded | None:
    found = loaded(module, value, scope, sessions)
    if found is None:
        given = fetched(module, value, sessions)
        found = given.what if given is not None else None
    return found if found is not None and not found.many else None


def _only_changed(module: Module, code: Code, target: ast.Attribute, sessions: Collection[str]) -> bool:
    """Whether an object is only asked for, and changed: nobody gets it, and what was set is not read afterwards."""
    name, statement = path(target.value), module.parents[target]
    for node in below(code):
        if not isinstance(node, ast.Name) or node.id != name or not isinstance(node.ctx, ast.Load):
            continue
        above = module.parents.get(node)
        if isinstance(above, ast.Attribute):
            if isinstance(module.parents.get(above), ast.Call) and module.parents[above].func is above:  # type: ignore[attr-defined]
                return False  # nobody knows what a method does
            if isinstance(above.ctx, ast.Load) and above.attr == target.attr and _comes_after(above, statement):
                return False
        elif not (_asks(above) or (isinstance(above, ast.Call) and _sends(above, sessions))):
            return False
    return True


def _asks(node: ast.AST | None) -> bool:
    """Whether a part of it is only tested."""
    return isinstance(node, (ast.If, ast.While, ast.IfExp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Assert))


def _sends(call: ast.Call, sessions: Collection[str]) -> bool:
    func = call.func
    return isinstance(func, ast.Attribute) and func.attr in _SENDING and path(func.value) in sessions


def _comes_after(read: ast.Attribute, statement: ast.AST) -> bool:
    return (read.lineno, read.col_offset) > (statement.end_lineno, statement.end_col_offset)  # type: ignore[attr-defined]
