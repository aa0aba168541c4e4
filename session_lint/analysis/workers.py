"""Objects of classes of threads and processes of the project's own, which keep the session that they are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.closures import speaks_of
from session_lint.analysis.family import family
from session_lint.analysis.objects import fields_of
from session_lint.python.nodes import own_of
from session_lint.python.scopes import BindingKind, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import Scope

START = frozenset(["start"])
_PLACES = ("thread", "process")
_DEEPEST = 3
"""Through how many lists an object is followed."""


def started(module: Module, call: ast.Call) -> str:
    """Where the object runs that a call starts, ``thread`` or ``process``; empty for what is no such call."""
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in START or call.args or call.keywords:
        return ""
    places = {_place(module, made) for made in _made(module, call)}
    return places.pop() if len(places) == 1 else ""


def takes_along(module: Module, call: ast.Call, fact: Fact) -> bool:
    """Whether the object that a call starts keeps the session, and asks it when it runs."""
    return any(_asks(module, made, fact) for made in _made(module, call))


def _asks(module: Module, made: ast.Call, fact: Fact) -> bool:
    """Whether an object keeps the session, and asks it when it runs."""
    fields, callee = fields_of(module, made, fact), module.calls.callee(made)
    if not fields or callee.owner is None or callee.home is None:
        return False
    found = module.method(callee.home, callee.owner, "run")
    if found is None or not parameters(found[1]):
        return False
    own = parameters(found[1])[0].arg
    return speaks_of(*found, frozenset(f"{own}.{name}" for name in fields))


def _place(module: Module, made: ast.Call) -> str:
    """Where an object runs once it is started; empty for one of another class."""
    callee = module.calls.callee(made)
    if callee.owner is None or callee.home is None:
        return ""
    home = module.at(callee)
    classes = family(home, callee.home.scopes.of[callee.owner])
    bases = sorted(base for inner, scope in classes for base in inner.names.bases(scope))
    meanings = (module.calls.vocabulary.meaning(base) for base in bases)
    return next((m.runs for m in meanings if m is not None and m.runs in _PLACES), "")


def _made(module: Module, call: ast.Call) -> list[ast.Call]:
    """The calls that made the objects which a call starts: each in turn, where it stands in a loop over them."""
    node = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    found = list(_values(module, node, module.calls.scope(call)))
    return [one for one in found if isinstance(one, ast.Call) and one in module.calls]


def _values(module: Module, node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[ast.expr]:
    """What an expression may stand for: itself, what its variable is bound to, what the list has that it goes over."""
    if not isinstance(node, ast.Name):
        yield node
        return
    bindings = scope.bindings.get(node.id, ())
    given = [b.node for b in bindings if b.kind is BindingKind.VALUE and isinstance(b.node, ast.expr)]
    loops = [loop for loop in own_of(scope.node, ast.For) if _names(loop.target, node.id)]
    if len(given) + len(loops) == len(bindings):
        yield from given
        for loop in loops if depth < _DEEPEST else ():
            yield from _elements(module, loop.iter, scope, depth + 1)


def _names(target: ast.expr, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _elements(module: Module, node: ast.expr, scope: Scope, depth: int) -> Iterator[ast.expr]:
    """What a list holds: by its display or comprehension, and what is appended to it."""
    if isinstance(node, (ast.List, ast.Tuple)):
        yield from node.elts
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        yield node.elt
    elif isinstance(node, ast.Name) and len(scope.bindings.get(node.id, ())) == 1:
        bound = scope.bindings[node.id][0].node
        if isinstance(bound, (ast.List, ast.Tuple, ast.ListComp)):
            yield from _elements(module, bound, scope, depth)
        for one in module.calls_in(scope.node):
            if appends(one, node.id):
                yield from _values(module, one.args[0], scope, depth)


def appends(call: ast.Call, name: str) -> bool:
    """Whether a call adds something to a list."""
    func = call.func
    on_it = isinstance(func, ast.Attribute) and func.attr == "append" and isinstance(func.value, ast.Name)
    return on_it and func.value.id == name and len(call.args) == 1  # type: ignore[attr-defined]  # as it was asked
