"""What a container of dependency-injector passes to what it makes.

::

    db = providers.Singleton(Database, url)
    users = providers.Factory(Users, session_factory=db.provided.session)  # Users(Database(url).session)
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.scopes import BindingKind

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_LIBRARY = "dependency_injector"
_PROVIDERS = f"{_LIBRARY}.providers."


def provided(module: Module, node: ast.expr, scope: Scope) -> frozenset[str]:
    """The dotted names of what a provider, or a field of what it provides, stands for; none for anything else."""
    if not any(name.partition(".")[0] == _LIBRARY for name in module.names.imported):
        return frozenset()
    field, provider = "", node
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "provided":
        field, provider = node.attr, node.value.value
    made = _made(module, provider, scope)
    names = module.names.qualify(made.args[0], module.calls.scope(made)) if made is not None else frozenset[str]()
    given = frozenset(f"{name}()" for name in names)
    return given if not field else frozenset(q for name in given for q in _field(module, name, field))


def _field(module: Module, name: str, field: str) -> frozenset[str]:
    """The names of what the object that goes by a name has in a field."""
    owner = module.names.class_of(name)
    return owner[0].member(owner[1], field) if owner is not None else frozenset()


def _made(module: Module, node: ast.expr, scope: Scope) -> ast.Call | None:
    """The call that makes the provider which a variable stands for, and tells it what to make."""
    owner = module.names.owner(node.id, scope) if isinstance(node, ast.Name) else None
    bindings = owner.bindings[node.id] if owner is not None else []  # type: ignore[attr-defined]  # a name
    one = bindings[0] if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE else None
    if one is None or not isinstance(one.node, ast.Call) or not one.node.args:
        return None
    names = module.names.qualify(one.node.func, one.scope)
    return one.node if names and all(name.startswith(_PROVIDERS) for name in names) else None
