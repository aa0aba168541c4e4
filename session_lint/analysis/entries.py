"""Which entries of a program reach its global session, and on which way."""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.analysis.singletons import is_entry
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.program import Place

_MOST = 400
"""How many functions are looked at on the way back from a getter."""


@dataclass(frozen=True)
class Stop:
    """A code on the way from an entry to the getter.

    :param symbol: the function, dotted; empty for the module body.
    :param row: the line it begins on.
    """

    filename: str
    module: str
    symbol: str
    row: int


@dataclass(frozen=True)
class Reach:
    """A way from an entry to a call that gets the global session.

    :param stops: the entry, then the functions that call each other, to the one that calls the getter.
    :param row: the getter's call.
    :param request: whether the entry runs once a request.
    """

    stops: tuple[Stop, ...]
    row: int
    request: bool


def reaches(facts: ModuleFacts) -> list[Reach]:
    """The shortest way from each entry to each function of a module that calls a getter."""
    module = facts.module
    if module is None or not module.calling_singletons:
        return []
    first: dict[ast.AST, int] = {}
    for call, scope in module.names.scopes.calls:
        code = module.code_of(scope)
        if module.calls.callee(call).role is Role.SINGLETON and not module.keys_defined_in(code):
            row = facts.source.start(call).row
            first[code] = min(row, first.get(code, row))
    found = [Reach(stops, row, served) for code, row in first.items() for stops, served in _ways((module, code))]
    return sorted(found, key=lambda reach: [(s.filename, s.row, s.symbol) for s in reach.stops])


def _ways(end: Place) -> Iterator[tuple[tuple[Stop, ...], bool]]:
    """The way from each entry to a code, and whether the entry serves requests; those that call it come first."""
    ahead: dict[ast.AST, Place | None] = {end[1]: None}
    todo = deque([end])
    while todo:
        module, code = todo.popleft()
        served = code in module.handlers
        if served or is_entry(module, code):
            yield tuple(_stops((module, code), ahead)), served
        callers = module.program.callers(module, code) or () if not isinstance(code, ast.Module) else ()
        for place in callers:
            if place[1] not in ahead and len(ahead) < _MOST:
                ahead[place[1]] = (module, code)
                todo.append(place)


def _stops(place: Place | None, ahead: dict[ast.AST, Place | None]) -> Iterator[Stop]:
    while place is not None:
        module, code = place
        row = getattr(code, "lineno", 1)
        yield Stop(module.source.filename, module.names.module, module.names.scopes.of[code].path, row)
        place = ahead[code]
