"""Sessions that are opened while a module is imported, and stand there for all its functions."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold
from session_lint.python.names import path
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_PASSING = (ast.Await, ast.BoolOp, ast.IfExp, ast.NamedExpr)


@dataclass(frozen=True, eq=False)
class Standing:
    """A session that a module opens when it is imported.

    :param call: the opening.
    :param name: the variable, attribute or parameter that keeps it.
    :param user: the function that uses it.
    """

    call: ast.Call
    name: str
    user: ast.AST


def standing(facts: ModuleFacts) -> Iterator[Standing]:
    """Every session that a module opens at import and its functions, or those of others, use."""
    module = facts.module
    if module is None:
        return
    for call, scope in module.names.scopes.calls:
        if isinstance(module.code_of(scope), ast.Module) and _opens(module, call):
            found = _kept(module, call, scope)
            if found is not None:
                yield found


def _opens(module: Module, call: ast.Call) -> bool:
    callee = module.calls.callee(call)
    if callee.role is Role.FACTORY:
        return True
    if callee.function is None or callee.meaning is not None:
        return False
    fresh = module.at(callee).summaries.fresh(callee.function)
    return any(outcome.returned == Hold.WHOLE.value for _, outcome in fresh)


def _kept(module: Module, call: ast.Call, scope: Scope) -> Standing | None:
    """Where the session of a call stays, if functions use it from there."""
    node: ast.AST = call
    while isinstance(module.parents[node], _PASSING):
        node = module.parents[node]
    above = module.parents[node]
    if isinstance(above, ast.arguments):
        return _default(module, call, node, above)
    targets = above.targets if isinstance(above, ast.Assign) else [getattr(above, "target", None)]
    if not isinstance(above, (ast.Assign, ast.AnnAssign)) or len(targets) != 1 or not isinstance(targets[0], ast.Name):
        return None
    if _in_script(module, above):
        return None
    name = targets[0].id
    user = _method_using(module, scope, name) if scope.is_class else _function_using(module, name)
    return Standing(call, name, user) if user is not None else None


def _default(module: Module, call: ast.Call, node: ast.AST, arguments: ast.arguments) -> Standing | None:
    function = module.parents[arguments]
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    name = next((arg.arg for arg, default in pairs if default is node), "")
    return Standing(call, name, function) if name else None


def _in_script(module: Module, node: ast.AST) -> bool:
    """Whether a statement stands under ``if __name__ == "__main__"``."""
    while node in module.parents:
        node = module.parents[node]
        if isinstance(node, ast.If) and any(
            isinstance(n, ast.Name) and n.id == "__name__" for n in ast.walk(node.test)
        ):
            return True
    return False


def _function_using(module: Module, name: str) -> ast.AST | None:
    """A function that reads a variable of the module which nothing closes or sets anew at the module's level."""
    top = module.names.scopes.module
    if len(top.bindings.get(name, ())) != 1 or _ended(module, name):
        return None
    for scope, read in module.names.scopes.loads.items():
        if name in read and scope is not top and not scope.is_class and module.names.owner(name, scope) is top:
            return scope.node
    return _importer(module, name)


def _ended(module: Module, name: str) -> bool:
    """Whether a module that is a script from top to bottom closes the session itself."""
    calls = (call for call, scope in module.names.scopes.calls if isinstance(module.code_of(scope), ast.Module))
    return any(
        isinstance(c.func, ast.Attribute) and c.func.attr == "close" and path(c.func.value) == name for c in calls
    )


def _importer(module: Module, name: str) -> ast.AST | None:
    """A function of another module that uses the variable."""
    for other in module.program.mentioning(module, name) or ():
        top = other.names.scopes.module
        for alias, bindings in top.bindings.items():
            if not any(b.kind is BindingKind.IMPORT and b.target.endswith(f".{name}") for b in bindings):
                continue
            found = other.names.elsewhere.find(bindings[0].target, other.names) if other.names.elsewhere else None
            if found is None or found[0] is not module.names or found[1] != name:
                continue
            for scope, read in other.names.scopes.loads.items():
                if alias in read and scope is not top and other.names.owner(alias, scope) is top:
                    return scope.node
    return None


def _method_using(module: Module, owner: Scope, name: str) -> ast.AST | None:
    """A method that reads an attribute of its class."""
    for scope in module.names.scopes.of.values():
        if scope.parent is owner and not scope.is_class:
            for node in ast.walk(scope.node):
                if isinstance(node, ast.Attribute) and node.attr == name and isinstance(node.ctx, ast.Load):
                    return scope.node
    return None
