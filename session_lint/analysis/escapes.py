"""What a class does that puts the uses of its fields out of sight.

Whoever reads a field by its name is found by that name. A base class that nobody has read may know the fields of those
below it; a computed name and ``self.__dict__`` mean any field; and whoever is given the object itself may do anything.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.calls import foreign
from session_lint.analysis.family import family
from session_lint.python.nodes import path
from session_lint.python.scopes import below, is_self
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

BY_NAME = ("getattr", "attrgetter", "__getattribute__", "hasattr")
"""What reads a field whose name it gets as text."""


_FRAMEWORKS = frozenset(
    "PyQt4 PyQt5 PyQt6 PySide2 PySide6 qtpy wx gi kivy kivymd customtkinter ttkbootstrap textual nicegui flet "
    "discord nextcord disnake telegram telebot aiogram pyrogram telethon vkbottle slack_bolt "
    "scrapy tornado cherrypy bottle falcon sanic starlette fastapi aiohttp quart flask_restful flask_restx flask_admin "
    "pydantic attr attrs marshmallow graphene strawberry grpc zmq paho twisted websockets "
    "luigi dramatiq rq huey apscheduler locust watchdog prompt_toolkit cmd2 torch".split()
)
"""Packages whose classes are there to be derived from, and know nothing of the fields that users add."""


def out_of_sight(module: Module, owner: Scope) -> bool:
    """Whether a class, or one above it, lets somebody at its fields who cannot be seen."""
    return _put_elsewhere(module, owner) or any(
        _unread_base(home, scope) or any(_lets_at_all(home, node, at) for node, at in _methods(home, scope))
        for home, scope in family(module, owner)
    )


def _put_elsewhere(module: Module, owner: Scope) -> bool:
    """Whether a class is stored in some other object, which makes its instances and says what becomes of them."""
    assert isinstance(owner.node, ast.ClassDef)
    return any(
        isinstance(node, ast.Assign)
        and path(node.value) == owner.node.name
        and any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets)
        for node in below(module.names.scopes.module.node)
    )


def _unread_base(module: Module, owner: Scope) -> bool:
    """Whether a class has a base that is neither the project's nor one of the libraries whose classes are known."""
    assert isinstance(owner.node, ast.ClassDef)
    for base in owner.node.bases:
        names = module.names.qualify(base, owner.parent or owner)
        if not names or any(module.names.class_of(name) is None and not _spoken_of(module, name) for name in names):
            return True
    return False


def _spoken_of(module: Module, name: str) -> bool:
    """Whether a name is that of a library which is known to close no fields of its users' classes."""
    return foreign(name) or name.partition(".")[0] in module.calls.vocabulary.libraries | _FRAMEWORKS


def _methods(module: Module, owner: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """The nodes of the methods of a class, each with the method that it stands in."""
    scopes = module.names.scopes.of
    for method, scope in scopes.items():
        if scope.parent is owner:
            yield from ((node, scope) for node in below(method))


def _lets_at_all(module: Module, node: ast.AST, method: Scope) -> bool:
    """Whether an expression of a method reads any field at all, or gives the object away."""
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__" and _is_own(node.value, method)
    if not isinstance(node, ast.Call):
        return False
    own = [a for a in (*node.args, *(k.value for k in node.keywords)) if _is_own(a, method)]
    if word(node.func) in BY_NAME:
        computed = any(not isinstance(name, ast.Constant) for name in node.args[:2] if name not in own)
        return computed and bool(own or not node.args[1:])
    return bool(own) and (word(node.func) == "vars" or _anybody(module, node))


def _is_own(node: ast.expr, method: Scope) -> bool:
    return isinstance(node, ast.Name) and is_self(method, node.id)


def _anybody(module: Module, call: ast.Call) -> bool:
    """Whether a call goes to code that cannot be read and is none of the libraries' that everybody has."""
    callee = module.calls.callee(call)
    unread = callee.meaning is None and callee.function is None and callee.owner is None and callee.own
    return unread and not (callee.names and all(name.partition(".")[0] in _FRAMEWORKS for name in callee.names))
