"""Objects that are made for one request, or for one question, and that make an engine of their own to answer it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.requests import request_codes
from session_lint.python.nodes import assigned_at, own_nodes, own_of, path
from session_lint.python.scopes import is_self
from session_lint.python.words import word
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope

_INIT = "__init__"
_DEEPEST = 3
"""How many objects lie in each other."""


def opening_of(module: Module, code: FunctionNode, made: ast.Call) -> ast.Call | None:
    """The first session that a class opens whose ``__init__`` makes an engine for each of its objects, to keep.

    What is made only now and then is not, nor an engine that somebody disposes of, nor what a class of which there is
    but one object makes.
    """
    scope = module.names.scopes.of[code]
    statement = module.parents.get(made)
    owner, place = scope.parent, assigned_at(statement)
    if code.name != _INIT or owner is None or not owner.is_class or place is None:
        return None
    kept = any(isinstance(t, ast.Attribute) and is_self(scope, path(t.value)) for t in place.targets)
    if not kept or statement is None or module.parents.get(statement) is not code:
        return None
    if _is_alone(module.names, owner) or any(k.arg == "poolclass" for k in made.keywords):
        return None
    methods = [other for other, inner in module.codes if inner.parent is owner]
    if any(n.attr == "dispose" for method in methods for n in own_of(method, ast.Attribute)):
        return None
    calls = (call for method in methods for call in own_of(method, ast.Call) if call in module.calls)
    return next((c for c in calls if module.calls.callee(c).role in (Role.FACTORY, Role.SCOPE)), None)


def _is_alone(names: Names, owner: Scope, depth: int = 0) -> bool:
    """Whether a class may see to it that there is one object of it: by ``__new__``, a metaclass, a decorator."""
    node = owner.node
    assert isinstance(node, ast.ClassDef)
    if node.keywords or node.decorator_list or "__new__" in owner.bindings or depth > _DEEPEST:
        return True
    inner = [names.class_of(base) for base in names.bases(owner)]
    return any(one is not None and _is_alone(*one, depth + 1) for one in inner)


def made_in_passing(module: Module, code: FunctionNode) -> bool:
    """Whether a request makes objects of a class, or of one below it, and lets go of them when it is over.

    :param code: the ``__init__`` of the class.
    """
    owner = module.names.scopes.of[code].parent
    return owner is not None and owner.is_class and _is_passing(module, owner, 0)


def _is_passing(module: Module, owner: Scope, depth: int) -> bool:
    node = owner.node
    if depth > _DEEPEST or not isinstance(node, ast.ClassDef):
        return False
    for home in (module, *(module.program.mentioning(module, node.name) or ())):
        for code, scope in home.codes:
            made = [call for call in _calls(home, code, node.name) if home.calls.callee(call).owner is node]
            inside = scope.parent if getattr(code, "name", "") == _INIT else None
            if made and inside is not None and inside.is_class:
                if _is_passing(home, inside, depth + 1):  # there is one for each object of another class
                    return True
            elif any(_is_let_go(home, code, call) for call in made) and code in request_codes(home):
                return True
        if any(_is_passing(home, heir, depth + 1) for heir in _heirs(home, module.names.qualname(owner))):
            return True
    return False


def _calls(home: Module, code: ast.AST, name: str) -> Iterator[ast.Call]:
    return (call for call in own_of(code, ast.Call) if call in home.calls and word(call.func) == name)


def _heirs(home: Module, name: str) -> Iterator[Scope]:
    """The classes of a module right below another one."""
    return (scope for scope in home.names.scopes.of.values() if scope.is_class and name in home.names.bases(scope))


def _is_let_go(home: Module, caller: ast.AST, call: ast.Call) -> bool:
    """Whether an object is only asked something, or stands in a variable of a function that keeps it to itself."""
    above = home.parents.get(call)
    if isinstance(above, ast.Attribute):
        return True
    place = assigned_at(above)
    if place is None or len(place.targets) != 1 or not isinstance(place.targets[0], ast.Name):
        return False
    name = place.targets[0].id
    if name in home.names.scopes.of[caller].elsewhere:
        return False
    uses = [n for n in own_nodes(caller) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    return all(isinstance(home.parents.get(n), ast.Attribute) for n in uses) and path(place.targets[0]) == name
