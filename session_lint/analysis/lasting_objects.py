"""Objects that modules make as they are imported, and that open a session for themselves then: ``users = Users()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.escapes import out_of_sight
from session_lint.analysis.family import family
from session_lint.analysis.holding import arguments, closes, releasing
from session_lint.analysis.owners import Keeping, is_left_open, kept, made_at_import
from session_lint.analysis.places import is_never_imported, is_test
from session_lint.analysis.standing import Standing, stays
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import below, parameters
from session_lint.python.words import word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope


def in_lasting_objects(facts: ModuleFacts) -> Iterator[Standing]:
    """The sessions that objects of this module's classes open as they are made, once for each class and field."""
    assert facts.module is not None or not facts.solved
    seen: set[ast.AST] = set()
    for one in kept(facts):
        opening = one.site.node
        if not isinstance(opening, ast.Call) or opening in seen or not runs_when_made(one):
            continue
        seen.add(opening)
        module = facts.module
        assert module is not None
        found = _first(module, one.owner)
        if found is not None and (is_left_open(module, one) or _never_asked_to_close(module, one)):
            yield Standing(opening, one.field, *found)


def _never_asked_to_close(module: Module, one: Keeping) -> bool:
    """Whether all that closes the session are methods to close the object by, and nobody calls one or could."""
    words = closing_when_asked(module, one)
    return bool(words) and all(
        _only_read(home, call, scope, words) for home, call, scope in made_at_import(module, one.owner)
    )


def closing_when_asked(module: Module, one: Keeping) -> frozenset[str]:
    """The methods of an object that close what it keeps, where it calls none by itself, and nothing else closes it."""
    family_ = family(module, one.owner)
    closing = {code for home, scope in family_ for code in _closing_methods(home, scope)}
    words = frozenset(code.name for code in closing)
    if any(not releasing(name) and name not in _LEAVING for name in words):
        return frozenset()
    if any(_calls_own(scope, words) for _, scope in family_) or out_of_sight(module, one.owner):
        return frozenset()
    return words


_LEAVING = ("__exit__", "__aexit__", "__del__")


def _closing_methods(home: Module, owner: Scope) -> Iterator[FunctionNode]:
    """The functions in the body of a class that call anything that closes, or name it."""
    for code, _ in home.codes:
        method = home.names.scopes.of[code].parent is owner and isinstance(
            code, (ast.FunctionDef, ast.AsyncFunctionDef)
        )
        if method and any(isinstance(n, ast.Attribute) and closes(n.attr) for n in below(code)):
            yield code  # type: ignore[misc]  # see above


def _calls_own(owner: Scope, words: AbstractSet[str]) -> bool:
    """Whether a method of a class names one of its own that closes."""
    named = (n for n in below(owner.node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name))
    return any(n.attr in words and n.value.id in ("self", "cls") for n in named)  # type: ignore[attr-defined]


def _only_read(home: Module, call: ast.Call, scope: Scope, words: AbstractSet[str]) -> bool:
    """Whether of the object that a module makes everybody only reads fields and calls methods, none of some words."""
    found = stays(home, call, scope)
    if found is None or not found.name.isidentifier():
        return False
    others = home.program.mentioning(home, found.name)
    return others is not None and all(_plainly_read(one, found.name, words) for one in (home, *others))


def _plainly_read(home: Module, name: str, words: AbstractSet[str]) -> bool:
    tree = home.names.scopes.module.node
    above = home.parents
    for node in below(tree):
        if word(node) == name and isinstance(getattr(node, "ctx", None), ast.Load):
            read = above[node]
            if not isinstance(read, ast.Attribute) or read.attr in words:
                return False
    return True


def runs_when_made(one: Keeping) -> bool:
    """Whether what opens a session is the ``__init__`` of its class, or a method that this calls on the object."""
    name = getattr(one.site.code, "name", "")
    if name == "__init__":
        return True
    inits = [b.node for b in one.owner.bindings.get("__init__", ()) if isinstance(b.node, ast.FunctionDef)]
    called = {path(call.func) for init in inits for call in own_of(init, ast.Call)}
    return any(f"{parameters(init)[0].arg}.{name}" in called for init in inits if parameters(init))


def _first(module: Module, owner: Scope) -> tuple[ast.AST, ast.Call] | None:
    """A function that uses an object of a class which a module has made for all of its functions, and what makes it."""
    for home, call, scope in made_at_import(module, owner):
        given = any(home.calls.is_session(argument, scope) for argument in arguments(call))
        if not (given or is_test(home.source.filename) or is_never_imported(home.source.filename)):
            found = stays(home, call, scope)
            if found is not None:
                return found.user, call
    return None
