"""Contexts of an application: ``with app.app_context():`` has a session of its own, which goes with its end.

Flask-SQLAlchemy removes the session as the context ends, whoever entered it and however it is left, and so does the
teardown of an application for the session of a registry.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import managed
from session_lint.analysis.effects import recovered
from session_lint.analysis.state import SiteKind, State
from session_lint.python.nodes import assigned_in, path, reading

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import Scope

_CONTEXTS = ("app_context", "request_context", "test_request_context")


def ends_context(item: ast.withitem, scope: Scope) -> bool:
    """Whether a ``with`` enters a context of an application, at once or by a variable."""
    entered = item.context_expr
    if not isinstance(entered, ast.Name):
        return _is_context(entered)
    values = [one.value for one in assigned_in(scope.node) if entered.id in map(path, one.targets)]
    return bool(values) and all(map(_is_context, values))


def _is_context(call: ast.expr) -> bool:
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _CONTEXTS


def given_back(module: Module, fact: Fact, scope: Scope) -> Fact:
    """The fact once such a context has ended: of a session that a library manages, nothing is left."""
    if fact.site is None or fact.site.kind is not SiteKind.PARAMETER or fact.state is State.CLOSED:
        return fact
    if not any(_is_managed(module, name, scope) for name in fact.names):
        return fact
    return recovered(fact)._replace(state=State.IDLE, pending=None)


def _is_managed(module: Module, name: object, scope: Scope) -> bool:
    if isinstance(name, str):
        return managed(module, module.names.qualify(reading(name), scope))
    return isinstance(name, tuple) and name[0] == "same"
