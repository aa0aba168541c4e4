"""Objects that modules make as they are imported, and that open a session for themselves then: ``users = Users()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.analysis.owners import Keeping, is_left_open, kept, made_at_import
from session_lint.analysis.places import is_never_imported, is_test
from session_lint.analysis.standing import Standing, stays
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope


def in_lasting_objects(facts: ModuleFacts) -> Iterator[Standing]:
    """The sessions that objects of this module's classes open as they are made, once for each class and field."""
    assert facts.module is not None or not facts.solved
    seen: set[ast.AST] = set()
    for one in kept(facts):
        opening = one.site.node
        if not isinstance(opening, ast.Call) or opening in seen or not _runs_when_made(one):
            continue
        seen.add(opening)
        found = _first(facts.module, one.owner)  # type: ignore[arg-type]  # see above
        if found is not None and is_left_open(facts.module, one):  # type: ignore[arg-type]
            yield Standing(opening, one.field, *found)


def _runs_when_made(one: Keeping) -> bool:
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
