"""Factories, or registries, in a field or under a key of an object from outside, of which nobody can see what made it.

A framework hands the object that keeps it to whoever it calls. Where all that the project puts into fields of that
name, or under that key, of whichever objects, opens sessions, so does what such an object has there::

    bot.sessions = async_sessionmaker(engine)  # main.py
    async with self.bot.sessions() as session  # a part of the bot, which is given the bot

So does the one method of that name, where only what a session has is asked of what the call gives.

The same of registries: after `app.session = scoped_session(factory)`, `current_app.session` is that one.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.concern import returns_something
from session_lint.analysis.handed import may_be_session
from session_lint.analysis.passed import of_field
from session_lint.analysis.summaries import is_generator
from session_lint.python.names import is_property
from session_lint.python.nodes import assigned_at, is_none, path
from session_lint.python.scopes import BindingKind, key_of
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Binding, Scope

Put = tuple["Module", "Binding"]
_CURRENT = ("flask.current_app", "quart.current_app")
_DEEPEST = 3
"""How many variables an object is followed through."""
_KEPT = (Role.FACTORY, Role.MANAGED)


def kept_elsewhere(module: Module, node: ast.expr, scope: Scope) -> frozenset[str]:
    """The names of what opens sessions, or stands for them, that an object from outside keeps in some place.

    None where others may be there.
    """
    put = put_there(module, node, scope)
    if len(put) == 1 and _is_method(put[0][1]):
        home, method = put[0]
        name = home.names.qualname(home.names.scopes.of[method.node])
        return frozenset({name} if _gives_session(module, node) else ())
    found: set[str] = set()
    roles: set[Role] = set()
    for home, binding in put:
        names = _stands_for(home, binding)
        meaning = home.calls.meaning(names) if names else None
        if meaning is None or meaning.role not in _KEPT:
            return frozenset()
        found |= names
        roles.add(meaning.role)
    return frozenset(found) if len(roles) == 1 else frozenset()


def _is_method(binding: Binding) -> bool:
    """Whether what a class binds is a method that returns something when it is called, and nothing more."""
    node = binding.node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or node.decorator_list:
        return False
    return binding.scope.is_class and returns_something(node) and not is_generator(node)


def _gives_session(module: Module, func: ast.expr) -> bool:
    """Whether a call keeps what it gives in a variable, on which only methods of sessions are called.

    Of an object that nobody knows, a method of the only name of its kind in the project may be another's all the same.
    """
    call = module.parents.get(func)
    above = module.parents.get(call) if isinstance(call, ast.Call) and call.func is func else None
    if isinstance(above, ast.Await):
        above = module.parents.get(above)
    if isinstance(above, ast.withitem):
        variable = above.optional_vars
    else:
        given = assigned_at(above)
        variable = given.targets[0] if given is not None and len(given.targets) == 1 else None
    if not isinstance(variable, ast.Name) or call not in module.calls:
        return False
    inside = module.calls_in(module.code_of(module.calls.scope(call)))  # type: ignore[arg-type]  # it is a call
    calls = [c for c in inside if isinstance(c.func, ast.Attribute) and path(c.func.value) == variable.id]
    return may_be_session(calls)


def _stands_for(home: Module, binding: Binding) -> frozenset[str]:
    """The names of what is bound to a field: of a property, those of what it gives."""
    if isinstance(binding.node, ast.FunctionDef) and is_property(binding.node) and binding.scope.is_class:
        return home.names.member(binding.scope, binding.node.name)
    return home.names.qualify(binding.node, binding.scope)


def put_there(module: Module, node: ast.expr, scope: Scope) -> list[Put]:
    """All that the project puts into fields of the same name, or under the same key, of whichever objects."""
    key = key_of(node)
    if not isinstance(node, ast.Attribute) and not key:
        return []
    if not _comes_from_outside(module, node.value, scope):  # type: ignore[attr-defined]  # what has the field, or key
        return []
    name = key or node.attr  # type: ignore[attr-defined]  # else it is a field
    others = module.program.mentioning(module, name)
    if others is None:
        return []
    put = _put_under if key else _put
    return [(home, one) for home in (module, *others) for one in put(home, name)]


def bound_once(node: ast.expr, scope: Scope) -> ast.expr:
    """What a local variable stands for that is bound in one place."""
    bindings = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    one = bindings[0] if len(bindings) == 1 else None
    known = one is not None and one.kind is BindingKind.VALUE and isinstance(one.node, (ast.Attribute, ast.Subscript))
    return one.node if known else node  # type: ignore[union-attr, return-value]  # an expression


def _comes_from_outside(module: Module, node: ast.expr, scope: Scope, depth: int = 0) -> bool:
    """Whether an object is, or is reached from, a parameter, or a field that a parameter or a framework has filled."""
    names = module.names
    if any(names.class_of(name) is not None for name in names.qualify(node, scope)):
        return False
    first, _, rest = path(node).partition(".")
    owner = names.owner(first, scope) if first else None
    bindings = owner.bindings[first] if owner is not None else []
    if any(b.kind is BindingKind.IMPORT and b.target in _CURRENT for b in bindings):
        return True
    if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE and not rest and depth < _DEEPEST:
        value, there = bindings[0].node, bindings[0].scope
        return isinstance(value, ast.Attribute) and _comes_from_outside(module, value, there, depth + 1)
    if not bindings or any(b.kind is not BindingKind.PARAMETER for b in bindings):
        return False
    mine = names.own_class(ast.Name(first, ast.Load()), scope)
    if mine is None:
        return True
    field = rest.partition(".")[0]
    filled = mine.bindings.get(field) or mine.attributes.get(field)
    return bool(field) and (not filled or of_field(module, mine, field) is not None)


def _put_under(home: Module, key: str) -> Iterator[Binding]:
    """What is put under a key in a module."""
    yield from (b for one, b in home.names.scopes.keyed if one == key and not is_none(b.node))


def _put(home: Module, name: str) -> Iterator[Binding]:
    """What is put into fields of a name in a module, those of its classes' own objects among them.

    A class whose one value is a parameter has it from somebody who has put it somewhere else before.
    """
    scopes = home.names.scopes
    yield from (b for b in scopes.fields_by_name.get(name, ()) if _is_more(b, name))
    for scope in scopes.classes:
        bound = (*scope.bindings.get(name, ()), *scope.attributes.get(name, ()))
        kept = [b for b in bound if _is_more(b, name)]
        if len(kept) != 1 or of_field(home, scope, name) is None:
            yield from kept


def _is_more(binding: Binding, name: str) -> bool:
    """Whether a field of a name gets something else than nothing, or what another object has by that name."""
    same = isinstance(binding.node, ast.Attribute) and binding.node.attr == name
    return not (same or is_none(binding.node))
