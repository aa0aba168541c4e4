"""Objects that modules make as they are imported, and that open a session for themselves then: ``users = Users()``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.analysis.owners import is_left_open, kept, made_at_import
from session_lint.analysis.places import is_never_imported, is_test
from session_lint.analysis.standing import Standing, stays

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
        opening, code = one.site.node, one.site.code
        if not isinstance(opening, ast.Call) or getattr(code, "name", "") != "__init__" or opening in seen:
            continue
        seen.add(opening)
        found = _first(facts.module, one.owner)  # type: ignore[arg-type]  # see above
        if found is not None and is_left_open(facts.module, one):  # type: ignore[arg-type]
            yield Standing(opening, one.field, *found)


def _first(module: Module, owner: Scope) -> tuple[ast.AST, ast.Call] | None:
    """A function that uses an object of a class which a module has made for all of its functions, and what makes it."""
    for home, call, scope in made_at_import(module, owner):
        given = any(home.calls.is_session(argument, scope) for argument in arguments(call))
        if not (given or is_test(home.source.filename) or is_never_imported(home.source.filename)):
            found = stays(home, call, scope)
            if found is not None:
                return found.user, call
    return None
