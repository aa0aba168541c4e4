"""Classes of sessions of the project's own: what the end of their ``with`` does."""

from __future__ import annotations

import ast
from enum import Enum
from typing import TYPE_CHECKING

from session_lint.analysis.holding import ABOVE
from session_lint.analysis.inference import committed, left
from session_lint.analysis.makers import makers, options
from session_lint.python.nodes import own_of
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.names import Names

Class = tuple["Names", ast.ClassDef]
_DEEPEST = 8
"""How many classes up an unknown one is looked for; a cycle of bases has no end."""


class AtEnd(Enum):
    """What the end of a ``with`` does to a session, when no exception leaves the block."""

    CLOSES = "closes"
    COMMITS = "commits"
    MAY_COMMIT = "may commit"  # on some ways, or the way cannot be followed
    UNKNOWN = "unknown"  # its class cannot be read


def at_end(module: Module, opening: ast.AST) -> AtEnd:
    """What the end of a ``with`` does to the session that a call opens, by its class."""
    if not isinstance(opening, ast.Call) or opening not in module.calls:
        return AtEnd.CLOSES
    made = makers(module, opening, module.calls.scope(opening))
    found = {_of_class(home, one) for home, call in made for one in _classes(home, call)}
    if len(found) > 1:
        return AtEnd.MAY_COMMIT
    return found.pop() if found else AtEnd.CLOSES


def undone_by_itself(module: Module, opening: ast.AST, method: str) -> bool:
    """Whether a session that a call opens is of a class of the project whose own such method rolls back on errors."""
    if not isinstance(opening, ast.Call) or opening not in module.calls:
        return False
    return module.asked(module.undoing, (opening, method), lambda: _undoes(module, opening, method))


def _undoes(module: Module, opening: ast.Call, method: str) -> bool:
    made = makers(module, opening, module.calls.scope(opening))
    found = [one for home, call in made for one in _classes(home, call)]
    own = [module.method(*one, method) for one in found if one is not None]
    return any(function is not None and _rolls_back(function[1]) for function in own)


def _rolls_back(function: ast.AST) -> bool:
    called = (call.func for call in own_of(function, ast.Call))
    return any(isinstance(func, ast.Attribute) and func.attr == "rollback" for func in called)


def _classes(module: Module, opening: ast.Call) -> Iterator[Class | None]:
    """The classes that a session may be of, other than SQLAlchemy's own; ``None`` for one that cannot be read."""
    callee = module.calls.callee(opening)
    if callee.owner is not None and callee.home is not None:
        yield callee.home, callee.owner
        return
    given = options(module, opening).get("class_") if callee.role is Role.FACTORY else None
    if given is not None:
        home, value = given
        names = home.names.qualify(value, home.names.scopes.module)
        for name in names or [""]:
            found = home.names.definition(name)
            if found is not None and isinstance(found[1], ast.ClassDef):
                yield found[0], found[1]
            elif not _of_library(home, name):
                yield None


def _of_class(module: Module, one: Class | None) -> AtEnd:
    if one is None:
        return AtEnd.UNKNOWN
    return module.asked(module.ends, one[1], lambda: _worked_out(module, one))


def _worked_out(module: Module, one: Class) -> AtEnd:
    found = module.method(*one, "__exit__") or module.method(*one, "__aexit__")
    if found is None:
        return AtEnd.CLOSES if _readable(module, *one) else AtEnd.UNKNOWN
    home, function = found
    own = next((a.arg for a in (*function.args.posonlyargs, *function.args.args)), "")
    saved = {committed(fact) for fact in left(home, function, frozenset({own, ABOVE}))}
    if len(saved) != 1:
        return AtEnd.MAY_COMMIT
    return AtEnd.COMMITS if saved.pop() else AtEnd.CLOSES


def _readable(module: Module, home: Names, owner: ast.ClassDef, depth: int = 0) -> bool:
    """Whether all that a class inherits is the project's or SQLAlchemy's."""
    bases = home.bases(home.scopes.of[owner]) if depth < _DEEPEST else ()
    for base in bases:
        found = home.definition(base)
        if found is not None and isinstance(found[1], ast.ClassDef):
            if not _readable(module, found[0], found[1], depth + 1):
                return False
        elif not _of_library(module, base):
            return False
    return len(bases) >= len(owner.bases)


def _of_library(module: Module, name: str) -> bool:
    """Whether a name is that of a class of sessions of which the tables know that it only closes."""
    meaning = module.calls.vocabulary.meaning(name)
    return meaning is not None and meaning.role is Role.FACTORY
