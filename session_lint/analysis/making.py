"""What runs when an object of a class of the project is made, as far as the text of the class tells."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.remembered import remembered
from session_lint.python.scopes import below
from session_lint.python.words import word

if TYPE_CHECKING:
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode

_RUNNING = ("__new__", "__post_init__")


def made_by_dataclass(home: Names, decorator: ast.expr, owner: ast.ClassDef) -> bool:
    """Whether a decorator gives a class an ``__init__`` that stores its arguments.

    :param home: the names of the module that the class stands in.
    """
    scope = home.scopes.of[owner]
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return "dataclasses.dataclass" in home.qualify(function, scope.parent or scope)


def runs_when_made(owner: ast.ClassDef) -> bool:
    """Whether a class without an ``__init__`` has code for when an object is made, or a factory of a field."""
    methods = (n for n in owner.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    calls = (n.value for n in owner.body if isinstance(n, ast.AnnAssign) and isinstance(n.value, ast.Call))
    factories = (k for call in calls for k in call.keywords if k.arg == "default_factory")
    return any(method.name in _RUNNING for method in methods) or any(factories)


def is_mapped(home: Names, owner: ast.ClassDef) -> bool:
    """Whether a class is mapped, and making an object of it runs nothing of the project: it sets what it is given.

    Source: https://docs.sqlalchemy.org/en/20/orm/mapping_styles.html#default-constructor
    """
    mapped, seen, todo = False, {owner}, [(home, owner)]
    while todo:
        names, node = todo.pop()
        if runs_when_made(node) or _checks_what_it_gets(node) or (node.keywords and not _is_table(node)):
            return False
        scope = names.scopes.of[node]
        bases = [names.qualify(base, scope.parent or scope) for base in node.bases]
        if not all(bases):
            return False
        for base in frozenset().union(*bases):
            above = names.class_of(base)
            if above is None and base not in _MAPPING and base != "builtins.object":
                return False
            if above is None:
                mapped = mapped or base in _MAPPING
            elif isinstance(above[1].node, ast.ClassDef) and above[1].node not in seen:
                seen.add(above[1].node)
                todo.append((above[0], above[1].node))
    return mapped


_MAPPING = frozenset(
    [
        "sqlalchemy.ext.declarative.declarative_base()",
        "sqlalchemy.orm.declarative_base()",
        "sqlalchemy.ext.declarative.api.declarative_base()",
        "sqlalchemy.orm.DeclarativeBase",
        "sqlalchemy.orm.DeclarativeBaseNoMeta",
        "sqlalchemy.orm.MappedAsDataclass",
        "sqlalchemy.ext.asyncio.AsyncAttrs",
        "flask_sqlalchemy.SQLAlchemy().Model",
        "sqlmodel.SQLModel",
    ]
)


def _is_table(owner: ast.ClassDef) -> bool:
    return all(k.arg == "table" for k in owner.keywords)


def _checks_what_it_gets(owner: ast.ClassDef) -> bool:
    """Whether a class has code for when an attribute is set, or an ``__init__``: ``@validates("name")``."""
    methods = [n for n in owner.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    decorators = (d.func if isinstance(d, ast.Call) else d for m in methods for d in m.decorator_list)
    own = any(method.name in ("__init__", "__setattr__") for method in methods)
    return own or any(word(d) in ("validates", "setter", "validator", "field_validator") for d in decorators)


@remembered
def only_kept(function: FunctionNode, name: str) -> bool:
    """Whether a function does no more with a parameter than to put it into fields."""
    nodes = list(below(function))
    stored = {
        node.value
        for node in nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and all(
            isinstance(target, ast.Attribute)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        )
    }
    return all(n in stored for n in nodes if isinstance(n, ast.Name) and n.id == name)
