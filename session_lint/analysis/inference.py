"""What the module's own definitions mean, read off their bodies: scopes, singleton getters and their closers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import closes, held
from session_lint.analysis.state import NOTHING, Fact, SiteKind
from session_lint.flow import PointKind
from session_lint.python.names import own_nodes, path
from session_lint.vocabulary import Meaning, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope


def scope_meaning(module: Module, function: FunctionNode) -> Meaning | None:
    """What a generator under ``@contextmanager`` yields: a session that it closes, and perhaps commits.

    It commits if every normal way from the ``yield`` to the end commits what the consumer wrote.
    """
    if not module.may_open(function):
        return None
    solved = module.solve(function, NOTHING)
    given = {
        fact.site
        for point, fact in solved.visits(PointKind.YIELD)
        if fact.site is not None and fact.site.kind is not SiteKind.PARAMETER and held(point.node.value, fact)  # type: ignore[attr-defined]
    }
    if not given:
        return None
    normal = [f for f in solved.exits if f.site in given and f.flying is None and f.marked("lent")]
    return Meaning(Role.SCOPE, commits=bool(normal) and all(map(_committed, normal)))


def _committed(fact: Fact) -> bool:
    return fact.pending is None and bool(fact.marked("committed")) and not fact.marked("lost")


def singletons(module: Module) -> Iterator[tuple[str, Meaning]]:
    """The getters and closers of sessions that a module keeps in a global.

    A getter stores a fresh session in a global and returns it; a closer closes that global.
    """
    top = module.names.scopes.module
    for name, bindings in top.bindings.items():
        makers = [
            b
            for b in bindings
            if b.scope is not top and isinstance(b.node, ast.expr) and _opens(module, b.node, b.scope)
        ]
        if not makers:
            continue
        key = f"{module.names.module}.{name}"
        getters = [b.scope for b in makers if _returns(b.scope, name)]
        if getters:
            yield from (
                (module.names.qualname(scope), Meaning(Role.SINGLETON, closer=key, closes=key)) for scope in getters
            )
            yield from (
                (module.names.qualname(s), Meaning(Role.CLOSER, closes=key))
                for s in _closers(module, name)
                if s not in getters
            )


def _opens(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is the call of a factory."""
    if isinstance(node, ast.BoolOp):
        return any(_opens(module, value, scope) for value in node.values)
    if isinstance(node, ast.IfExp):
        return _opens(module, node.body, scope) or _opens(module, node.orelse, scope)
    return any(
        name.endswith("()")
        and (found := module.calls.vocabulary.meaning(name.removesuffix("()"))) is not None
        and found.role is Role.FACTORY
        for name in module.names.qualify(node, scope)
    )


def _returns(scope: Scope, name: str) -> bool:
    returns = (n for n in own_nodes(scope.node) if isinstance(n, ast.Return))
    return any(n.value is not None and path(n.value) == name for n in returns)


def _closers(module: Module, name: str) -> Iterator[Scope]:
    for scope in module.names.scopes.of.values():
        if not isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if (
            any(_closes_global(n, name) for n in own_nodes(scope.node))
            and module.names.owner(name, scope) is module.names.scopes.module
        ):
            yield scope


def _closes_global(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and closes(node.func.attr)
        and path(node.func.value) == name
    )
