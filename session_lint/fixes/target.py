"""Which committing scope stands for a factory: the project's own, the reference module's, or ``factory.begin()``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.fixes.shape import plain_scope
from session_lint.python.names import path
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope


@dataclass(frozen=True)
class Target:
    """A committing scope.

    :param expression: what goes behind ``with``.
    :param module: where it has to be imported from, empty where that is not needed.
    :param imported: the name to import.
    :param replaced: the factory's name in the same import, which may no longer be needed.
    :param beside: the row of the import that brings the factory, where the new name joins it or stands below it.
    :param begins: whether it is ``factory.begin()``, which tolerates no other transaction control in its block.
    """

    expression: str
    module: str = ""
    imported: str = ""
    replaced: str = ""
    beside: int = 0
    begins: bool = False


def scope_target(facts: ModuleFacts, acquire: ast.Assign | ast.AnnAssign) -> Target | None:
    """The scope over the factory of an acquire statement; ``None`` where the call takes arguments or none is known."""
    call = acquire.value
    module = facts.module
    if module is None or not isinstance(call, ast.Call) or call.args or call.keywords:
        return None
    scope = module.calls.scope(call)
    names = module.names.qualify(call.func, scope)
    own = _own(module, names, scope, acquire.lineno)
    return own or _documented(module, call, names, scope) or _begin(module, call, names)


def _own(module: Module, names: frozenset[str], scope: Scope, row: int) -> Target | None:
    """A committing scope that the module itself defines over the same factory, and that does nothing else."""
    for qualname, node in module.names.definitions.items():
        meaning = module.inferred(qualname)
        if meaning is None or meaning.role is not Role.SCOPE or not meaning.commits:
            continue
        if not isinstance(node, ast.FunctionDef):
            continue
        inner = module.names.scopes.of[node]
        top = module.names.scopes.module
        if inner.parent is not top or scope is inner or (scope is top and row < node.lineno):
            continue
        factory = plain_scope(node)
        if (
            factory is not None
            and module.names.qualify(factory, inner) == names
            and module.names.owner(node.name, scope) is top
        ):
            return Target(f"{node.name}()")
    return None


def _documented(module: Module, call: ast.Call, names: frozenset[str], scope: Scope) -> Target | None:
    """The scope that the vocabulary names for the factory, unless the project says otherwise of that name."""
    found = module.calls.vocabulary.of(_written(module, call, scope)) or module.calls.vocabulary.of(names)
    if found is None or not found.scope:
        return None
    meant = module.names.follow(found.scope)
    if (meaning := module.calls.meaning(meant)) is None or not meaning.commits:
        return None
    home, _, scope_name = found.scope.rpartition(".")
    if isinstance(call.func, ast.Attribute):
        return Target(f"{path(call.func.value)}.{scope_name}()") if path(call.func.value) else None
    bound = module.names.qualify(ast.Name(scope_name, ast.Load()), scope)
    row = _plain_import(module, call, scope)
    target = Target(f"{scope_name}()", home, scope_name, path(call.func), row)
    if not row:
        return None  # imported under a condition, or where it is used: so would the scope have to be
    if bound == meant:
        return target
    if bound or module.names.owner(scope_name, scope) is not None:
        return None  # the name is somebody else's here
    return target


def _written(module: Module, call: ast.Call, scope: Scope) -> frozenset[str]:
    """The name that a factory was imported by."""
    owner = module.names.owner(path(call.func), scope)
    bindings = owner.bindings[path(call.func)] if owner is not None else []
    return frozenset(b.target for b in bindings if b.kind is BindingKind.IMPORT)


def _begin(module: Module, call: ast.Call, names: frozenset[str]) -> Target | None:
    """``factory.begin()`` of what ``sessionmaker`` made."""
    found = {module.calls.vocabulary.meaning(f"{name}.begin") for name in names}
    if len(found) != 1 or (meaning := found.pop()) is None or meaning.role is not Role.SCOPE or not path(call.func):
        return None
    return Target(f"{path(call.func)}.begin()", begins=True)


def _plain_import(module: Module, call: ast.Call, scope: Scope) -> int:
    """The row of the one import at the top of the module that binds the factory; 0 where it is not that simple."""
    name = path(call.func)
    owner = module.names.owner(name, scope)
    bindings = owner.bindings[name] if owner is module.names.scopes.module else []
    tree = module.names.scopes.module.node
    if len(bindings) != 1 or not isinstance(tree, ast.Module) or bindings[0].node not in tree.body:
        return 0
    return bindings[0].node.lineno if isinstance(bindings[0].node, ast.ImportFrom) else 0
