"""A class among those that it is derived from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope


def family(module: Module, owner: Scope) -> list[tuple[Module, Scope]]:
    """A class and those above it that the project defines."""
    found, todo = [(module, owner)], [(module, owner)]
    while todo:
        home, scope = todo.pop()
        for base in sorted(home.names.bases(scope)):
            above = home.names.class_of(base)
            if above is not None and above[1] not in [known for _, known in found]:
                pair = (home.program.module(above[0]), above[1])
                found.append(pair)
                todo.append(pair)
    return found
