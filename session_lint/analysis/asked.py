"""What calls give of which nobody knows what they call, where it is used as a session.

Such are ``self.session_factory()`` of an object whose makers are out of sight, and a getter of a module that nobody has
read. What they give may be a new session, a registry's or one that others share, so what is told of it has to be told
by the code that uses it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import assigned
from session_lint.analysis.calls import foreign
from session_lint.analysis.handed import acts_as_session, is_anothers
from session_lint.python.nodes import method_of, path
from session_lint.python.scopes import BindingKind

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_GIVEN = {BindingKind.PARAMETER}
_IMPORTED = {BindingKind.IMPORT}
_SAVING = {"add", "commit", "close"}


def of_unknown(module: Module, scope: Scope, value: ast.AST | None) -> ast.Call | None:
    """The call without arguments of what a parameter, or a field of one, has, or of a module that nobody has read.

    A method that an object has of a base class which nobody has read is of such a module, too.
    """
    if not isinstance(value, ast.Call) or value.args or value.keywords or value not in module.calls:
        return None
    first = path(value.func).partition(".")[0]
    owner = module.names.owner(first, scope) if first else None
    kinds = {b.kind for b in owner.bindings[first]} if owner is not None else set()
    if kinds != _IMPORTED and (kinds != _GIVEN or owner is not scope):
        return None
    callee = module.calls.callee(value)
    if callee.function is not None or callee.owner is not None or callee.role is not None:
        return None
    told = any(foreign(name) or module.calls.is_own(name) for name in callee.names)
    return None if told or (kinds == _IMPORTED and not callee.known) else value


def is_session(scope: Scope, calls: list[ast.Call]) -> bool:
    """Whether what a variable of a function holds is a session, by the methods that are called on it."""
    return acts_as_session(calls) or (
        not any(map(is_anothers, calls)) and (_asks_models(calls) or _saves_objects(scope, calls))
    )


def _asks_models(calls: list[ast.Call]) -> bool:
    """Whether one of some calls begins a query of a class, or of a field of one: ``s.query(User)``."""
    return any(_names_a_class(call.args[0]) for call in calls if method_of(call) == "query" and call.args)


def _saves_objects(scope: Scope, calls: list[ast.Call]) -> bool:
    """Whether something gets an object of a class, commits and is closed: ``s.add(User()); s.commit(); s.close()``."""
    if not {method_of(call) for call in calls} >= _SAVING:
        return False
    added = [call.args[0] for call in calls if method_of(call) == "add" and call.args]
    made = [assigned(scope, one.id) if isinstance(one, ast.Name) and one.id in scope.bindings else one for one in added]
    return any(isinstance(one, ast.Call) and _names_a_class(one.func) for one in made)


def _names_a_class(node: ast.expr) -> bool:
    """Whether an expression is spelled like a class, or a field of one, or made of those: ``func.max(User.id)``."""
    if isinstance(node, ast.Call) and not path(node.func)[:1].isupper():
        return any(map(_names_a_class, node.args))
    words = path(node).split(".")[-2:]
    return any(word[:1].isupper() and not word.isupper() for word in words)
