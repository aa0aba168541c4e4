"""What is left of a session when its block ends: objects that still load, a connection that is somebody else's.

Closing a session that nobody closed before can be seen by whoever still holds an object of it. A fix that does so is
safe only where nothing that was loaded gets out of the block.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.names import path
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.analysis import Obligation
    from session_lint.fixes.shape import Shape

_PLAIN = frozenset("count len int float str bool sum isoformat print repr round abs min max isinstance".split())
"""Calls that make plain values of objects, or keep nothing of them."""


def seen_closing(obligation: Obligation, found: Shape) -> str:
    """Why closing at the end of the block may be seen; empty where it cannot, or was done before."""
    if obligation.site.origin.borrowed:
        return "the session works in the transaction of a connection that is not its own, which closing may roll back"
    if not any(ending.normal and ending.leaks for ending in obligation.endings):
        return ""
    if _bound_to_unknown(found.acquire.value):
        return "what the session is bound to is not known: on a connection, closing may roll back what others wrote"
    if not found.top:
        return "objects loaded from the session may be read after the block"
    if isinstance(obligation.site.code, ast.Module):
        return "objects loaded from the session may be read by other modules"
    loaded = _loaded(found)
    return next((reason for s in found.block for reason in _escapes(s, found.name, loaded)), "")


def only_works(block: Sequence[ast.stmt], name: str) -> bool:
    """Whether a block only calls the session's own methods, and hands it to nobody."""
    calls = [n for s in block for n in ast.walk(s) if isinstance(n, ast.Attribute) and path(n.value) == name]
    own = {id(n.value) for n in calls if n.attr in effects()}
    return all(id(n) in own for s in block for n in ast.walk(s) if isinstance(n, ast.Name) and n.id == name)


def _bound_to_unknown(call: ast.expr | None) -> bool:
    """Whether a factory is given something that does not say it is an engine."""
    if not isinstance(call, ast.Call):
        return False
    bound = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "bind")]
    return any("engine" not in ast.unparse(value).lower() for value in bound)


def _loaded(found: Shape) -> frozenset[str]:
    """The variables of the block that may hold what was loaded from the session."""
    names: set[str] = set()
    while True:
        before = len(names)
        for statement in found.block:
            for target, value in _bindings(statement):
                if _holds(value, found.name, names):
                    names |= {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}
        if len(names) == before:
            return frozenset(names)


def _bindings(statement: ast.stmt) -> Iterator[tuple[ast.AST, ast.AST]]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield node.target, node.iter


def _holds(value: ast.AST, session: str, loaded: set[str] | frozenset[str]) -> bool:
    """Whether an expression may be, or hold, what was loaded."""
    if isinstance(value, ast.Call) and _name(value) in _PLAIN:
        return False
    if isinstance(value, (ast.Constant, ast.Compare, ast.JoinedStr)):
        return False
    return any(isinstance(n, ast.Name) and (n.id == session or n.id in loaded) for n in ast.walk(value))


def _escapes(statement: ast.stmt, session: str, loaded: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Return) and node.value is not None and _holds(node.value, session, loaded):
            yield f"line {node.lineno} returns what may be objects of the session, which it would detach"
        elif isinstance(node, ast.Global):
            yield f"line {node.lineno} lets a global out of the block"
        elif isinstance(node, ast.Call) and _start(node) != session and _name(node) not in _PLAIN:
            given = [*node.args, *(k.value for k in node.keywords)]
            if any(_holds(value, session, loaded) for value in given):
                yield f"line {node.lineno} gives what may be objects of the session to others"
    for target, value in _bindings(statement):
        if isinstance(target, (ast.Attribute, ast.Subscript)) and _holds(value, session, loaded):
            yield f"line {getattr(target, 'lineno', 0)} keeps what may be objects of the session"


def _start(call: ast.Call) -> str:
    """The variable that a chain of calls starts at."""
    node: ast.AST = call
    while isinstance(node, (ast.Call, ast.Attribute)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return path(node)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else path(call.func)
