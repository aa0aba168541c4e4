"""A session that no engine is given to, and that is asked for nothing which needs one: it only keeps objects in order.

``copy = Session().merge(found, load=False)`` takes no connection; what it would hold goes with it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_of
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from session_lint.analysis.module import Module

_BOUND = {"bind", "binds", "class_", None}
"""Arguments by which a session gets an engine, or may; ``None`` is the name of ``**options``."""
_FIELDS = {"new", "dirty", "deleted", "identity_map", "info", "autoflush", "no_autoflush"}


def never_connects(module: Module, call: ast.Call) -> bool:
    """Whether a call makes a library's own session without an engine, and all uses of it do without one.

    Source: https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.params.bind
    """
    if call.args or any(keyword.arg in _BOUND for keyword in call.keywords) or not _is_of_class(module, call):
        return False
    stored = module.parents.get(call)
    target = stored.targets[0] if isinstance(stored, ast.Assign) and len(stored.targets) == 1 else None
    scope = module.calls.scope(call)
    bound = scope.bindings.get(target.id, ()) if isinstance(target, ast.Name) else ()
    if scope.parent is None or len(bound) != 1 or bound[0].kind is not BindingKind.VALUE:
        return False
    uses = [n for n in own_of(scope.node, ast.Name) if n.id == target.id and isinstance(n.ctx, ast.Load)]  # type: ignore[union-attr]
    return bool(uses) and all(_does_without(module, use) for use in uses)


def _is_of_class(module: Module, call: ast.Call) -> bool:
    """Whether what is called is the class of a session itself, and not what makes bound ones."""
    names = module.calls.callee(call).names
    made = any(name.endswith("()") for name in names)
    return not made and module.calls.are_sessions(frozenset(f"{name}()" for name in names))


def _does_without(module: Module, use: ast.Name) -> bool:
    """Whether one use of a session sends nothing to a database: objects go in, or are thrown out."""
    field = module.parents[use]
    if not isinstance(field, ast.Attribute):
        return False
    called = module.parents[field]
    if not isinstance(called, ast.Call) or called.func is not field:
        return field.attr in _FIELDS
    found = effects().get(field.attr)
    sends = found is None or bool(found.to) or found.effect not in ("write", "none")
    return not sends or (field.attr == "merge" and _loads_nothing(called))


def _loads_nothing(call: ast.Call) -> bool:
    """Whether a ``merge()`` only copies an object: ``load=False``."""
    values = [k.value for k in call.keywords if k.arg == "load"] + call.args[1:2]
    return any(isinstance(value, ast.Constant) and value.value is False for value in values)
