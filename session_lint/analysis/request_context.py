"""Sessions in the context of a request: ``g.db``, a variable that was given it, a getter that returns it to everybody.

The session is whoever's put it there, and the teardown's to close. What a request does with it is followed as for any
session that a code has from somebody else.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import assigned, is_managed, made_by
from session_lint.analysis.makers import makers, opens_async
from session_lint.analysis.standing import opens
from session_lint.analysis.teardowns import is_request_field
from session_lint.python.nodes import is_none, own_of, path
from session_lint.python.words import word

if TYPE_CHECKING:
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_DEEPEST = 3
_LIBRARIES = ("flask", "quart")


def meant(module: Module, node: ast.expr, scope: Scope) -> ast.expr | None:
    """The field of the context, or the getter, by which a code has what an expression stands for; ``None`` for none."""
    found: ast.expr | None = node
    for _ in range(_DEEPEST):
        if isinstance(found, ast.Attribute):
            return found if _may_be_field(module) and is_request_field(module, found, scope) else None
        if isinstance(found, ast.Call):
            return found.func if _is_getter(module, found) else None
        if not isinstance(found, ast.Name) or found.id not in scope.bindings:
            return None
        found = assigned(scope, found.id)
    return None


def _may_be_field(module: Module) -> bool:
    return any(name.partition(".")[0] in _LIBRARIES for name in module.names.imported)


def _is_getter(module: Module, call: ast.Call) -> bool:
    """Whether a call gives everybody what stands in a field of the context, by a name that may give a session."""
    words = module.program.words
    if call.args or call.keywords or not path(call.func) or not (words is None or word(call.func) in words):
        return False
    return _field_given(module, module.calls.callee(call)) is not None


def _field_given(module: Module, callee: Callee) -> tuple[Module, ast.Attribute] | None:
    """The field that a function returns, and nothing else, with its module."""
    function = callee.function
    ends = own_of(function, ast.Return) if isinstance(function, ast.FunctionDef) else []
    given = [n.value for n in ends if isinstance(n.value, ast.Attribute)]
    if function is None or not given or len(given) < len(ends) or len(set(map(path, given))) > 1:
        return None
    home = module.at(callee)
    return (home, given[0]) if is_request_field(home, given[0], home.names.scopes.of[function]) else None


def gives_field(module: Module, call: ast.Call) -> bool:
    """Whether calling something gives what stands in a field of the context."""
    return _field_given(module, module.calls.callee(call)) is not None


def in_context(module: Module, node: ast.expr, scope: Scope) -> list[Made] | None:
    """What opens the session that a field of the context, or its getter, gives; ``None`` where it may be none."""
    if isinstance(node, ast.Attribute) and is_request_field(module, node, scope):
        return openings(module, node)
    names = module.names.qualify(node, scope)
    for home, function in filter(None, map(module.names.definition, sorted(names))):
        there = module.program.module(home)
        ends = own_of(function, ast.Return) if isinstance(function, ast.FunctionDef) else []
        given = ends[0].value if ends else None
        return openings(there, given) if isinstance(given, ast.Attribute) else None
    return None


def openings(module: Module, field: ast.Attribute) -> list[Made] | None:
    """What opens the sessions that the project puts into a field of the context; ``None`` where others may be."""
    found: list[Made] = []
    for home in (module, *(module.program.mentioning(module, f".{field.attr}") or ())):
        for target, put in home.names.scopes.fields:
            if target.attr != field.attr or is_none(put.node) or not is_request_field(home, target, put.scope):
                continue
            call = isinstance(put.node, ast.Call) and opens(home, put.node)
            plain = call or home.calls.is_session(put.node, put.scope)
            if not plain and not (isinstance(put.node, ast.expr) and is_managed(home, put.node, put.scope)):
                return None
            found += makers(home, put.node, put.scope) if plain else made_by(home, put.node, put.scope)
    return found or None


def kind(made: list[Made]) -> bool | None:
    """Whether sessions are asynchronous; ``None`` where they may be of either kind."""
    kinds = {opens_async(home, call) for home, call in made}
    return kinds.pop() if len(kinds) == 1 else None
