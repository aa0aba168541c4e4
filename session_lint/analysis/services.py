"""Objects that are made for a request around its session: services, repositories, what has some of them.

A framework makes them (``work: Service = Depends(get_service)``, ``work: Annotated[Service, Depends()]``), or a handler
does, which gives them the session that the framework has lent it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.closures import speaks_of
from session_lint.analysis.fillings import fillings
from session_lint.analysis.injection import depended_on, dependencies, injected
from session_lint.analysis.objects import kept_as, kept_by
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import own_of, path, reading
from session_lint.python.scopes import is_self, parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, ScopeNode

_DEEPEST = 3
"""How many objects may stand in each other's fields."""


def is_lent_to_object(one: Borrowed) -> bool:
    """Whether a session in a field of a method's object is that of a request, by what makes such objects."""
    own, _, field = one.name.partition(".")
    scope = one.module.names.scopes.of[one.code]
    if not field.isidentifier() or not is_self(scope, own) or scope.parent is None:
        return False
    found = fillings(one.module, scope.parent, field) or ()
    return any(injected(home, home.code_of(inner), path(value)) for home, value, inner in found)


def lent_field(module: Module, code: ast.AST, node: ast.expr) -> str:
    """The field by which an injected object, or a method of one, comes to the session of the request; empty for none.

    :param node: what is handed on: ``service``, ``service.work``.
    """
    holder, method = (node.value, node.attr) if isinstance(node, ast.Attribute) else (node, "")
    if not isinstance(holder, ast.Name) or not injected(module, code, holder.id):
        return ""
    fields = sorted(_fields(module, code, holder.id, 0))
    scope = module.names.scopes.of[code]
    classes = [module.names.class_of(name) for name in module.names.qualify(holder, scope)] if fields and method else []
    if len(classes) == 1 and classes[0] is not None:
        called = module.method(classes[0][0], classes[0][1].node, method)  # type: ignore[arg-type]  # that of a class
        if called is None or not parameters(called[1]):
            return ""
        own = parameters(called[1])[0].arg
        fields = [field for field in fields if speaks_of(*called, frozenset({f"{own}.{field}"}))]
    elif method:
        return ""
    return f"{holder.id}.{fields[0]}" if fields else ""


def _fields(module: Module, code: ast.AST, name: str, depth: int) -> frozenset[str]:
    """The fields of what a framework fills a parameter with that have the request's session, or something with it."""
    each = [_filled(home, made, depth) for home, made in _makers(module, code, name)] if depth <= _DEEPEST else []
    return frozenset.intersection(*each) if each else frozenset()


def _makers(module: Module, code: ast.AST, name: str) -> Iterator[tuple[Module, ScopeNode]]:
    """The functions and classes of the project that a framework calls for a parameter, each with its module."""
    for home, call in dependencies(module, code, name):
        told = depended_on(call)
        names = [home.names.qualify(value, home.calls.scope(call)) for value in told]
        for one in names or [module.names.qualify(reading(name), module.names.scopes.of[code])]:
            for found in (home.names.definition(text.removesuffix("()")) for text in one):
                if found is not None:
                    yield home.program.module(found[0]), found[1]


def _filled(home: Module, made: ScopeNode, depth: int) -> frozenset[str]:
    """The same of what one of them makes."""
    if isinstance(made, ast.ClassDef):
        init = home.method(home.names, made, "__init__")
        if init is None:
            return frozenset()
        lent = frozenset(a.arg for a in parameters(init[1]) if _is_lent(init[0], init[1], a.arg, depth))
        return kept_by(init[0], init[1], lent)
    if not isinstance(made, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    ends = own_of(made, ast.Yield) if is_generator(made) else own_of(made, ast.Return)
    values = [end.value for end in ends]
    each = [_kept(home, made, value, depth) for value in values if isinstance(value, ast.Call)]
    return frozenset.intersection(*each) if each and len(each) == len(values) else frozenset()


def _kept(home: Module, made: FunctionNode, value: ast.Call, depth: int) -> frozenset[str]:
    if value not in home.calls or depth > _DEEPEST:
        return frozenset()
    return kept_as(home, value, lambda argument: _has(home, made, argument, depth))


def _has(home: Module, made: FunctionNode, argument: ast.expr, depth: int) -> bool:
    """Whether what is given to an object is the session of the request, or something that has it."""
    if isinstance(argument, ast.Call):
        return bool(_kept(home, made, argument, depth + 1))
    if not isinstance(argument, ast.Name):
        return False
    if is_generator(made) and home.calls.is_session(argument, home.names.scopes.of[made]):
        return True
    return _is_lent(home, made, argument.id, depth)


def _is_lent(home: Module, function: FunctionNode, name: str, depth: int) -> bool:
    if not injected(home, function, name):
        return False
    if home.calls.is_session(reading(name), home.names.scopes.of[function]):
        return True
    return bool(_fields(home, function, name, depth + 1))
