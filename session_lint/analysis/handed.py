"""Sessions that a code has from somebody else and hands to what runs beside it, perhaps without a use of its own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.family import family
from session_lint.analysis.holding import arguments
from session_lint.analysis.passed import given, of_field
from session_lint.python.nodes import own_of, path, reading
from session_lint.python.scopes import BindingKind, parameters
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_ONLY_SESSIONS = frozenset(
    "flush add_all begin_nested bulk_save_objects bulk_insert_mappings bulk_update_mappings expunge expunge_all "
    "expire_all scalars".split()
)
_ALSO = frozenset("add commit rollback delete execute refresh merge scalar query get".split())


def handed(module: Module) -> Iterator[tuple[FunctionNode, str]]:
    """The parameters and fields that may hold the sessions of codes which run something elsewhere, by their paths."""
    running = {module.code_of(module.calls.scope(call)) for call in module.running}
    for function, scope in module.codes if running else ():
        if function in running and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from ((function, name) for name in _fields(module, function, scope))
            read = {n.id for n in own_of(function, ast.Name)}
            for arg in parameters(function):
                if arg.annotation is None and arg.arg in read and is_given_sessions(module, function, arg.arg):
                    yield function, arg.arg


def is_given_sessions(module: Module, function: ast.AST, name: str) -> bool:
    """Whether all callers that are seen pass a session for a parameter."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    arg = next((arg for arg in parameters(function) if arg.arg == name), None)
    passed = (given(module, arg, function) if arg is not None else None) or []
    return bool(passed) and all(home.calls.is_session(argument, scope) for home, argument, scope in passed)


def _fields(module: Module, function: FunctionNode, scope: Scope) -> Iterator[str]:
    """The fields of a method's object that hold a session, where the method calls or hands on what may use them."""
    owner = scope.parent
    if owner is None or not owner.is_class or not parameters(function):
        return
    own = parameters(function)[0].arg
    if not any(path(n.value) == own for n in own_of(function, ast.Attribute)):
        return
    read = {path(n) for n in own_of(function, ast.Attribute)}
    for field in _filled(module, owner):
        name = f"{own}.{field}"
        if field in module.methods_called:
            continue
        if module.calls.is_session(reading(name), scope) or _is_given_one(module, owner, field):
            yield name
        elif name in read:
            yield from _of_object(module, name, scope)


def _of_object(module: Module, name: str, scope: Scope) -> Iterator[str]:
    """The fields that hold a session of the object which is in a field."""
    classes = [module.names.class_of(one) for one in module.names.qualify(reading(name), scope)]
    if len(classes) == 1 and classes[0] is not None:
        home, owner = module.program.module(classes[0][0]), classes[0][1]
        inner = [f"{name}.{field}" for field in _filled(home, owner)]
        yield from (one for one in inner if module.calls.is_session(reading(one), scope))


def _is_given_one(module: Module, owner: Scope, field: str) -> bool:
    """Whether a field holds a plain parameter that is a session: by what the class does with it, or by all callers."""
    found = of_field(module, owner, field)
    if found is None or found[1].annotation is not None:
        return False
    calls: list[ast.Call] = []
    for method, scope in module.codes:
        if scope.parent is owner and isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) and parameters(method):
            calls += _called_on(module.calls_in(method), f"{parameters(method)[0].arg}.{field}")
    return acts_as_session(calls) or (bool(calls) and is_given_sessions(found[0], found[2], found[1].arg))


def _called_on(calls: list[ast.Call], name: str) -> Iterator[ast.Call]:
    """Those of some calls that are of a session's methods, on what goes by a path."""
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in effects() and path(call.func.value) == name:
            yield call


def _filled(module: Module, owner: Scope) -> dict[str, None]:
    """The fields that the methods of a class, or of its bases, give a value to."""
    found = (item for _, scope in family(module, owner) for item in scope.attributes.items())
    return {name: None for name, bindings in found if any(b.kind is BindingKind.VALUE for b in bindings)}


def acts_as_session(calls: list[ast.Call]) -> bool:
    """Whether the methods that are called on something are those of a session, and of nothing else that is common."""
    methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    if any(is_anothers(call) for call in calls):
        return False
    ends = methods & {"commit", "rollback"}
    if methods & _ONLY_SESSIONS:
        return len(methods & (_ONLY_SESSIONS | _ALSO)) > 1
    asks, adds = "query" in methods and (ends or "add" in methods), "add" in methods and ends
    return bool(asks or (adds and methods & (_ALSO - {"add", "commit"} | {"begin"})))


def may_be_session(calls: list[ast.Call]) -> bool:
    """Whether all that is called on something are methods of a session, one of them for what it does."""
    known = effects()
    found = [known.get(call.func.attr) for call in calls if isinstance(call.func, ast.Attribute)]
    works = any(effect is not None and effect.effect in _WORKING for effect in found)
    return works and None not in found and not any(map(is_anothers, calls))


_WORKING = ("read", "write", "build", "flush")


def is_anothers(call: ast.Call) -> bool:
    """Whether a call is of no session's method, by what it is given.

    Such are ``index.commit("message")``, ``connection.query("SELECT 1")``, ``cache.get(key)``, ``solr.add([page])``.
    """
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    given = [*arguments(call)]
    if any(isinstance(argument, ast.Starred) for argument in given):
        return False
    if method in ("commit", "rollback"):
        return bool(given)
    if method == "get":
        return len(given) < 2  # noqa: PLR2004  (a class and a key)
    if method in ("add", "delete", "refresh") and (
        not given or isinstance(given[0], _COLLECTIONS) or _is_text(given[0])
    ):
        return True
    return method == "query" and bool(given) and _is_text(given[0])


_COLLECTIONS = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
