"""Which entries of a program reach its global session, and on which way."""

from __future__ import annotations

import ast
from collections import deque
from typing import TYPE_CHECKING

from session_lint.analysis.inventory import CLOSED, LENT, OPEN, RAISING, SHARED, ending_of
from session_lint.analysis.singletons import is_entry, settled
from session_lint.analysis.state import SiteKind
from session_lint.values import dataclass
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
    :param ending: what becomes of the session when the entry ends, in words.
    """

    stops: tuple[Stop, ...]
    row: int
    request: bool
    ending: str


NOT_FOLLOWED = "too far to be followed"
AT_EXIT = "closed at exit"


def reaches(facts: ModuleFacts) -> list[Reach]:
    """The shortest way from each entry to each function of a module that calls a getter."""
    module = facts.module
    if module is None or not module.calling_singletons:
        return []
    getting: dict[ast.AST, list[ast.Call]] = {}
    for call, scope in module.names.scopes.calls.items():
        code = module.code_of(scope)
        if module.calls.callee(call).role is Role.SINGLETON and not module.keys_defined_in(code):
            getting.setdefault(code, []).append(call)
    hooked = settled(module)
    found = []
    for getter, calls in getting.items():
        row = min(facts.source.start(call).row for call in calls)
        closed = {module.key(module.calls.callee(call)) for call in calls} <= hooked
        for entry, stops in _ways((module, getter)):
            served = entry[1] in entry[0].handlers
            ending = SHARED if served else AT_EXIT if closed else _ending(entry, calls)
            found.append(Reach(stops, row, served, ending))
    return sorted(found, key=lambda reach: [(s.filename, s.row, s.symbol) for s in reach.stops])


def _ending(entry: Place, calls: list[ast.Call]) -> str:
    """What becomes of the session that some calls got, at the end of an entry: the worst of it."""
    module, code = entry
    obligations = module.program.facts(module).obligations(SiteKind.SINGLETON)
    ends = {ending_of(one) for one in obligations if one.site.code is code and one.site.origin.node in calls}
    return next((ending for ending in (OPEN, RAISING, LENT, CLOSED) if ending in ends), NOT_FOLLOWED)


def _ways(end: Place) -> Iterator[tuple[Place, tuple[Stop, ...]]]:
    """The entries that reach a code, each with the shortest way."""
    ahead: dict[ast.AST, Place | None] = {end[1]: None}
    todo = deque([end])
    while todo:
        module, code = todo.popleft()
        if code in module.handlers or is_entry(module, code):
            yield (module, code), tuple(_stops((module, code), ahead))
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
