"""Which committing scope stands for a factory: the project's own, the reference module's, or ``factory.begin()``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.python.names import own_nodes, path
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
    """

    expression: str
    module: str = ""
    imported: str = ""
    replaced: str = ""


def scope_target(facts: ModuleFacts, acquire: ast.Assign | ast.AnnAssign) -> Target | None:
    """The scope over the factory of an acquire statement; ``None`` where the call takes arguments or none is known."""
    call = acquire.value
    module = facts.module
    if module is None or not isinstance(call, ast.Call) or call.args or call.keywords:
        return None
    scope = module.calls.scope(call)
    names = module.names.qualify(call.func, scope)
    return _own(module, names, scope) or _documented(module, call, names, scope) or _begin(module, call, names)


def _own(module: Module, names: frozenset[str], scope: Scope) -> Target | None:
    """A committing scope that the module itself defines over the same factory."""
    for qualname, meaning in module.calls.inferred.items():
        node = module.names.definitions.get(qualname)
        if meaning.role is not Role.SCOPE or not meaning.commits or not isinstance(node, ast.FunctionDef):
            continue
        inner = module.names.scopes.of[node]
        if node.args.args or node.args.kwonlyargs or inner.parent is not module.names.scopes.module or scope is inner:
            continue
        calls = (n for n in own_nodes(node) if isinstance(n, ast.Call))
        if (
            any(module.names.qualify(c.func, inner) == names for c in calls)
            and module.names.owner(node.name, scope) is inner.parent
        ):
            return Target(f"{node.name}()")
    return None


def _documented(module: Module, call: ast.Call, names: frozenset[str], scope: Scope) -> Target | None:
    """The scope that the vocabulary names for the factory."""
    found = module.calls.vocabulary.of(names)
    if found is None or not found.scope:
        return None
    home, _, scope_name = found.scope.rpartition(".")
    if isinstance(call.func, ast.Attribute):
        return Target(f"{path(call.func.value)}.{scope_name}()") if path(call.func.value) else None
    bound = module.names.qualify(ast.Name(scope_name, ast.Load()), scope)
    if bound == frozenset({found.scope}):
        return Target(f"{scope_name}()", home, scope_name, path(call.func))
    if bound or module.names.owner(scope_name, scope) is not None:
        return None  # the name is somebody else's here
    return Target(f"{scope_name}()", home, scope_name, path(call.func))


def _begin(module: Module, call: ast.Call, names: frozenset[str]) -> Target | None:
    """``factory.begin()`` of what ``sessionmaker`` made."""
    found = {module.calls.vocabulary.meaning(f"{name}.begin") for name in names}
    if len(found) != 1 or (meaning := found.pop()) is None or meaning.role is not Role.SCOPE or not path(call.func):
        return None
    return Target(f"{path(call.func)}.begin()")
