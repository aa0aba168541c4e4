"""What the objects of a class, and of those below it, are given for one of their fields when they are made."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.family import family
from session_lint.analysis.holding import arguments
from session_lint.analysis.injection import injected
from session_lint.analysis.objects import kept_as
from session_lint.analysis.passed import Given, of_field, serves_tests
from session_lint.python.nodes import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope

_MOST = 50
"""How many classes below one are looked for."""


def fillings(module: Module, owner: Scope, field: str) -> list[Given] | None:
    """What is given for a field by all that makes objects; a parameter of the ``__init__`` that a framework fills, too.

    Tests make objects of their own: where others make some, theirs do not count.

    :returns: ``None`` where something makes one of which nothing is known.
    """
    found = next((one for at, scope in family(module, owner) if (one := of_field(at, scope, field))), None)
    classes = _below(module, owner)
    if found is None or classes is None:
        return None
    home, arg, init = found
    made = [one for at, scope in classes for one in _made(at, scope)]
    made = [one for one in made if not serves_tests(one[0])] or made
    values: list[Given] = [(home, reading(arg.arg), home.names.scopes.of[init])]
    if not injected(home, init, arg.arg):
        values = []
    for at, call, scope in made:
        mine = [a for a in arguments(call) if field in kept_as(at, call, lambda other, a=a: other is a)]  # type: ignore[misc]
        if len(mine) != 1:
            return None
        values.append((at, mine[0], scope))
    return values


def _made(module: Module, owner: Scope) -> Iterator[tuple[Module, ast.Call, Scope]]:
    """The calls that make objects of a class itself."""
    assert isinstance(owner.node, ast.ClassDef)
    for home in (module, *(module.program.mentioning(module, owner.node.name) or ())):
        for call, scope in home.names.scopes.calls.items():
            if home.calls.callee(call).owner is owner.node:
                yield home, call, scope


def _below(module: Module, owner: Scope) -> list[tuple[Module, Scope]] | None:
    """A class and those that are derived from it, each with its module; ``None`` for too many."""
    found = [(module, owner)]
    for home, above in found:
        assert isinstance(above.node, ast.ClassDef)
        others = home.program.mentioning(home, above.node.name)
        if others is None or len(found) > _MOST:
            return None
        known = [scope for _, scope in found]
        for one in (home, *others):
            for scope in one.names.scopes.classes:
                bases = [one.names.class_of(base) for base in one.names.bases(scope)] if scope not in known else []
                if any(base is not None and base[1] is above for base in bases):
                    found.append((one, scope))
    return found
