"""Which sessions are asynchronous: by what opens them, wherever that is, and by what a scope or a generator lends."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.inference import entered, yielded
from session_lint.analysis.makers import asynchronous, makers, opens_async, own_names
from session_lint.analysis.state import SiteKind
from session_lint.flow import SolverLimit

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode, Scope

_DEEPEST = 4
"""How many scopes take their session from another one."""


def is_async(module: Module, site: Site, depth: int = 0) -> bool | None:
    """Whether the session of a site is asynchronous; ``None`` where that is not known."""
    node = site.origin.node
    if site.kind is SiteKind.SCOPE and isinstance(node, ast.withitem):
        return _entered(module, node, depth)
    if not isinstance(node, ast.Call):
        return None
    home = module.program.module_of(node, module)
    return opens_async(home, node) if home is not None else None


def kind_of(module: Module, node: ast.expr, scope: Scope) -> bool | None:
    """Whether an expression that stands for sessions stands for asynchronous ones; ``None`` where it may or not.

    What a factory of either kind is called does not tell: ``sessionmaker(engine, class_=AsyncSession)``.
    """
    names = module.calls.settled(module.names.qualify(node, scope))
    if asynchronous(own_names(module, names)):
        return True
    opened = makers(module, node, scope) if any(name.endswith("()()") for name in names) else []
    kinds = {opens_async(home, call) for home, call in opened} or {False}
    return kinds.pop() if len(kinds) == 1 else None


def lends_async(home: Module, function: FunctionNode) -> bool | None:
    """Whether the sessions that a generator opens and yields are asynchronous; ``None`` where that is not known."""
    try:
        return _lent(home, home.by_itself(function), 0)
    except SolverLimit:
        return None


def _entered(module: Module, item: ast.withitem, depth: int) -> bool | None:
    """A plain ``with`` gives no asynchronous session; what an ``async with`` gives, what is entered tells."""
    if not isinstance(module.parents.get(item), ast.AsyncWith):
        return False
    names = module.names.qualify(item.context_expr, module.names.scopes.module)
    if asynchronous(own_names(module, names)):
        return True
    unit = module.unit(item.context_expr)
    if unit is not None:
        home, opened = unit.opened
        return opens_async(home, opened) if isinstance(opened, ast.Call) else None
    found = entered(module, item) if depth < _DEEPEST else None
    return _lent(*found, depth + 1) if found is not None else None


def _lent(home: Module, solved: Solved, depth: int) -> bool | None:
    told = {is_async(home, site, depth) for site in yielded(solved)}
    return told.pop() if len(told) == 1 else None
