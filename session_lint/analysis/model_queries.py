"""Queries that classes of models give by themselves: ``User.query`` is ``db.session.query(User)``.

Flask-SQLAlchemy's models have it, and so have those whose base was given ``Registry.query_property()``.

Sources: https://flask-sqlalchemy.readthedocs.io/en/stable/legacy-query/,
https://docs.sqlalchemy.org/en/20/orm/contextual.html#sqlalchemy.orm.scoped_session.query_property
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.aliases import identity
from session_lint.analysis.family import family
from session_lint.analysis.makers import makers
from session_lint.python.nodes import own_nodes, own_of, path
from session_lint.python.scopes import BindingKind, is_self
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_QUERY, _MODEL = "query", ".Model"


def queries(module: Module, code: ast.AST) -> dict[str, frozenset[object]]:
    """The paths of a code that are such queries, each with what tells its session from others."""
    if code not in module.queries:
        module.queries[code] = dict(_queries(module, code)) if f".{_QUERY}" in module.source.text else {}
    return module.queries[code]


def _queries(module: Module, code: ast.AST) -> Iterator[tuple[str, frozenset[object]]]:
    scope = module.names.scopes.of[code]
    asked = {path(n): n for n in own_nodes(code) if isinstance(n, ast.Attribute) and n.attr == _QUERY and path(n)}
    for name, node in asked.items():
        owner = _owner(module, node.value, scope)
        session = _session(*owner) if owner is not None else None
        if session:
            yield name, session


def _owner(module: Module, node: ast.expr, scope: Scope) -> tuple[Module, Scope] | None:
    """The class of the project that an expression stands for: ``User``, or ``cls`` and ``self`` in a method of it."""
    above = scope.parent
    if isinstance(node, ast.Name) and is_self(scope, node.id):
        return (module, above) if above is not None and above.is_class else None
    names = module.names.qualify(node, scope)
    found = module.names.class_of(next(iter(names))) if len(names) == 1 else None
    return (module.program.module(found[0]), found[1]) if found is not None else None


def _session(module: Module, owner: Scope) -> frozenset[object] | None:
    """What tells the session of a class's queries from others; ``None`` for a class that has no such queries."""
    for home, scope in family(module, owner):
        own = scope.bindings.get(_QUERY, ())
        if own:
            return (
                _of_property(home, own[0].node, scope) if len(own) == 1 and own[0].kind is BindingKind.VALUE else None
            )
        given = [*_given_later(home, scope.node), *_given_to_bases(home, scope)]
        if given:
            return _of_property(given[0][0], given[0][1], given[0][0].names.scopes.module) if len(given) == 1 else None
        for base in home.names.bases(scope):
            name = f"{base.removesuffix(_MODEL)}.session"
            meaning = module.calls.vocabulary.meaning(name) if base.endswith(_MODEL) else None
            if meaning is not None and meaning.role is Role.MANAGED:
                return frozenset([name])
    return None


def _given_to_bases(home: Module, scope: Scope) -> Iterator[tuple[Module, ast.expr]]:
    """What is given to the bases of a class that are made by a call: ``Base = declarative_base()``."""
    for base in scope.node.bases if isinstance(scope.node, ast.ClassDef) else ():
        for there, made in makers(home, base, scope.parent or scope):
            yield from _given_later(there, made)


def _given_later(home: Module, owner: ast.AST) -> Iterator[tuple[Module, ast.expr]]:
    """What the module of a class gives to it once it is there: ``Base.query = Registry.query_property()``."""
    given = own_of(home.names.scopes.module.node, ast.Assign) if f".{_QUERY} = " in home.source.text else ()
    for node in given:
        for target in node.targets:
            on = target.value if isinstance(target, ast.Attribute) and target.attr == _QUERY else None
            bound = home.names.scopes.module.bindings.get(path(on), ()) if on is not None else ()
            if any(one.node is owner for one in bound):
                yield home, node.value


def _of_property(home: Module, node: ast.AST | None, scope: Scope) -> frozenset[object] | None:
    func = node.func if isinstance(node, ast.Call) else None
    if not isinstance(func, ast.Attribute) or func.attr != "query_property":
        return None
    return identity(home, func.value, scope) or None
