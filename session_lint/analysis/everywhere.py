"""Calls of functions that know the session by themselves: a registry, a global, what a library manages.

``undo()`` that does ``Registry.rollback()`` rolls back the session of whoever calls it after ``Registry.add(user)``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.aliases import identity, is_managed, managed_by
from session_lint.analysis.holding import arguments, closes
from session_lint.analysis.model_queries import queries
from session_lint.analysis.state import NOTHING, SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.python.nodes import own_of, path, reading
from session_lint.python.remembered import remembered
from session_lint.python.scopes import fills, parameters
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.analysis.summaries import Outcome
    from session_lint.flow import Code
    from session_lint.python.scopes import FunctionNode, Scope


def knows_itself(module: Module, code: Code, callee: Callee, fact: Fact, *, alone: bool) -> tuple[Outcome, ...] | None:
    """What a call does to a session that nobody gives to it, and that it has from where the code has it from.

    :param alone: whether only that counts.
    :returns: ``None`` where it has nothing to do with it, as far as its own calls tell.
    """
    found = known_there(module, code, callee, fact)
    if found is None or callee.function is None:
        return None
    paths, of_models = found
    state = State.CLOSED if fact.state is State.CLOSED else State.NEW
    present = frozenset().union(*map(guards.present, paths))
    start = NOTHING._replace(names=paths | of_models, guards=present, state=state)
    return module.at(callee).summaries.inner(callee.function, start, alone=alone)


def known_there(
    module: Module, code: Code, callee: Callee, fact: Fact
) -> tuple[frozenset[str], frozenset[object]] | None:
    """How a function knows a session that it has from where the code has it from; ``None`` where it does not.

    :returns: the paths by which it does, and the names of it behind the queries of models.
    """
    function = callee.function
    if function is None or fact.site is None or fact.site.kind is not SiteKind.PARAMETER or is_generator(function):
        return None
    home = module.at(callee)
    scope, there = module.names.scopes.of[code], home.names.scopes.of[function]
    known = [name for name in fact.names if isinstance(name, str) and _is_from_outside(scope, name)]
    behind = [name[1] for name in fact.names if isinstance(name, tuple) and name[0] == "same"]
    used, asked = (home.receivers(function), queries(home, function)) if known or behind else ((), {})
    if not used and not asked:
        return None
    mine = frozenset().union(*behind, *(identity(module, reading(name), scope) for name in known))
    paths = frozenset(path(node) for node in used if not mine.isdisjoint(identity(home, node, there)))
    of_models = frozenset(name for name, session in asked.items() if not mine.isdisjoint(session))
    return (paths, known_by(of_models)) if paths or of_models else None


def known_by(of_models: Iterable[str]) -> frozenset[object]:
    """The names by which a code knows a session whose queries its models give: ``User.query`` has it in a field."""
    return frozenset(name for query in of_models for name in (("query", query), f"{query}.session"))


def receivers(module: Module, function: FunctionNode) -> list[ast.expr]:
    """The sessions whose methods a function calls, and which it has from outside, each by one expression."""
    scope = module.names.scopes.of[function]
    known = effects()
    found: dict[str, ast.expr] = {}
    for call in own_of(function, ast.Call):
        if isinstance(call.func, ast.Attribute) and (call.func.attr in known or _ends(call)):
            node = managed_by(module, call.func.value, scope)
            if path(node) and _is_from_outside(scope, path(node)):
                found.setdefault(path(node), node)
        elif call in module.calls and _ends_what_it_gets(module.calls.callee(call).function):
            outside = [a for a in arguments(call) if path(a) and _is_from_outside(scope, path(a))]
            found.update((path(a), a) for a in outside if path(a) not in found)
    return [node for node in found.values() if _is_session(module, node, scope)]


def _ends(call: ast.Call) -> bool:
    """Whether a call closes what it is made on, where that is a session: ``Registry.remove()``, but not of a set."""
    return not (call.args or call.keywords) and closes(call.func.attr)  # type: ignore[attr-defined]


@remembered
def _ends_what_it_gets(function: FunctionNode | None) -> bool:
    """Whether a function ends the transaction of something that it is given."""
    given = {arg.arg for arg in parameters(function)} if function is not None else set()
    ending = own_of(function, ast.Attribute) if function is not None and given else ()
    return any(node.attr in _ENDING and path(node.value) in given for node in ending)


_ENDING = ("rollback", "close", "remove")


def _is_session(module: Module, node: ast.expr, scope: Scope) -> bool:
    return is_managed(module, node, scope) or module.calls.is_session(node, scope)


def _is_from_outside(scope: Scope, name: str) -> bool:
    return not fills(scope, name.partition(".")[0])
