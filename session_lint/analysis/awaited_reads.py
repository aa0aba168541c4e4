"""Objects of an asynchronous session that are read after its commit: nothing waits there for what that has expired."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import lends_async
from session_lint.analysis.expired import Held
from session_lint.analysis.fetching import detaches, given_to
from session_lint.analysis.fillings import fillings
from session_lint.analysis.in_blocks import opened_expires
from session_lint.analysis.inference import yielded
from session_lint.analysis.injection import lenders
from session_lint.analysis.loading import loaded, new
from session_lint.analysis.passed import Given, given
from session_lint.analysis.state import SiteKind
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import BindingKind, is_self
from session_lint.signs import ATTACHING
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.flow import Graph, Point
    from session_lint.python.scopes import FunctionNode

_DEEPEST = 3
"""Through how many functions and objects a session may come."""


def commits(module: Module, code: ast.AST) -> dict[str, list[ast.Call]]:
    """The awaited commits of a coroutine, by the variable, or the field of its object, that has the session."""
    found: dict[str, list[ast.Call]] = {}
    for call in own_of(code, ast.Call) if isinstance(code, ast.AsyncFunctionDef) else ():
        func = call.func
        name = path(func.value) if isinstance(func, ast.Attribute) and func.attr == "commit" else ""
        if name and name.count(".") <= 1 and call in module.names.scopes.awaited:
            found.setdefault(name, []).append(call)
    return found


def expired(module: Module, code: ast.AST, name: str, committing: list[ast.Call]) -> Iterator[Held]:
    """The variables of a coroutine that hold objects of a session which it commits."""
    scope, calls = module.names.scopes.of[code], own_of(code, ast.Call)
    if detaches(calls):
        return
    methods = [c for c in calls if isinstance(c.func, ast.Attribute) and path(c.func.value) == name]
    added = {path(a): c for c in methods if c.func.attr in ATTACHING for a in given_to(c)}  # type: ignore[attr-defined]
    for variable, bindings in scope.bindings.items():
        one = bindings[0] if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE else None
        if one is None:
            continue
        what = loaded(module, one.node, scope, {name})
        if what is None and variable in added:
            what = new(module, one.node, scope, added[variable])
        if what is not None:
            yield Held(variable, what, one.node, ((committing[0], "this commit expires it"),))


def points_of(graph: Graph, calls: list[ast.Call]) -> list[Point]:
    """Where some calls have been made."""
    return [p for block in graph.blocks for p in block.points if p.kind is PointKind.CALL and p.node in calls]


def expires(module: Module, code: ast.AST, name: str, depth: int = 0) -> bool:
    """Whether a commit expires what a session holds.

    A block opens it, a dependency lends it, or all who call the function, or make the object, pass one of which that is
    known.
    """
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or depth > _DEEPEST:
        return False
    scope = module.names.scopes.of[code]
    own, _, field = name.partition(".")
    if field:
        mine = is_self(scope, own) and scope.parent is not None and scope.parent.is_class
        return mine and _all_expire(fillings(module, scope.parent, field), depth)  # type: ignore[arg-type]  # as asked
    bindings = scope.bindings.get(name, ())
    if len(bindings) != 1 or bindings[0].kind is not BindingKind.PARAMETER:
        return len(bindings) == 1 and _entered(module, code, name)
    made = lenders(module, code, name)
    if made:
        return all(_lends_expiring(home, function) for home, function in made)
    return _all_expire(given(module, bindings[0].node, code), depth)  # type: ignore[arg-type]  # of a parameter


def _all_expire(passed: list[Given] | None, depth: int) -> bool:
    """The same of all that is passed."""
    return bool(passed) and all(
        isinstance(value, ast.Name) and expires(home, home.code_of(scope), value.id, depth + 1)
        for home, value, scope in passed or ()
    )


def _entered(module: Module, code: FunctionNode, name: str) -> bool:
    """The same of what a plain ``async with`` over a factory opens."""
    items = [item for block in own_of(code, ast.AsyncWith) for item in block.items]
    mine = [i.context_expr for i in items if i.optional_vars is not None and path(i.optional_vars) == name]
    call = mine[0] if len(mine) == 1 else None
    if not isinstance(call, ast.Call) or call not in module.calls or module.calls.callee(call).role is not Role.FACTORY:
        return False
    return opened_expires(module, call)


def _lends_expiring(home: Module, function: FunctionNode) -> bool:
    """Whether a generator lends an asynchronous session of its own whose commits expire what it holds."""
    try:
        sites = yielded(home.by_itself(function))
    except SolverLimit:
        return False
    if not sites or lends_async(home, function) is not True:
        return False
    calls = [site.origin.node for site in sites if site.kind is SiteKind.OWNED]
    return len(calls) == len(sites) and all(isinstance(c, ast.Call) and opened_expires(home, c) for c in calls)
