"""Objects of an asynchronous session that are read after its commit: nothing waits there for what that has expired."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import lends_async
from session_lint.analysis.expired import Held
from session_lint.analysis.fetching import detaches, given_to
from session_lint.analysis.in_blocks import opened_expires
from session_lint.analysis.inference import yielded
from session_lint.analysis.injection import lenders
from session_lint.analysis.loading import loaded, new
from session_lint.analysis.state import SiteKind
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.signs import ATTACHING
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.flow import Graph, Point
    from session_lint.python.scopes import FunctionNode


def commits(module: Module, code: ast.AST) -> dict[str, list[ast.Call]]:
    """The sessions of a coroutine whose awaited commits expire what they hold, by their variables."""
    found: dict[str, list[ast.Call]] = {}
    for call in own_of(code, ast.Call) if isinstance(code, ast.AsyncFunctionDef) else ():
        func = call.func
        plain = isinstance(func, ast.Attribute) and func.attr == "commit" and isinstance(func.value, ast.Name)
        if plain and call in module.names.scopes.awaited:
            found.setdefault(path(func.value), []).append(call)  # type: ignore[attr-defined]  # an attribute
    return {name: calls for name, calls in found.items() if _expires(module, code, name)}  # type: ignore[arg-type]


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


def _expires(module: Module, code: FunctionNode, name: str) -> bool:
    """Whether a commit expires what a session holds, which a block opens or a dependency gives to a handler."""
    scope = module.names.scopes.of[code]
    bindings = scope.bindings.get(name, ())
    if len(bindings) == 1 and bindings[0].kind is BindingKind.PARAMETER:
        made = lenders(module, code, name)
        return bool(made) and all(_lends_expiring(home, function) for home, function in made)
    return len(bindings) == 1 and _entered(module, code, name)


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
