"""What a handler writes through a request's session that is closed after it, and that nobody commits.

The session is one that a framework's dependency lends (``db=Depends(get_db)``). Who else gets that in the same request
may commit it, so that only handlers themselves count, of which nothing else stands around what they do.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.analysis.inference import may_commit, yielded
from session_lint.analysis.injection import lenders
from session_lint.analysis.losses import ASKING, AUTOCOMMIT, attaches, homes, unchanged
from session_lint.analysis.makers import autocommits
from session_lint.analysis.places import is_test
from session_lint.analysis.state import SiteKind, State
from session_lint.analysis.summaries import is_generator
from session_lint.flow import SolverLimit
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import parameters
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode

_SAVING = ("commit", "save")
"""What the names of functions say that may save what was written."""
_VERBS = frozenset(["get", "post", "put", "patch", "delete", "head", "options", "route", "api_route"])
_LEFT = ("committed", "exposed", "yielded", "lent")


@dataclass(frozen=True, eq=False)
class Unsaved:
    """A write of a handler that nobody commits.

    :param node: the write, or the call that makes it, in the handler.
    :param write: the write itself.
    """

    one: Borrowed
    node: ast.AST
    write: ast.AST


def unsaved(facts: ModuleFacts) -> Iterator[Unsaved]:
    """The last write of each handler whose session is closed after it without a commit."""
    module = facts.module
    if module is None or not module.handlers or is_test(facts.source.filename):
        return
    for one in facts.borrowed:
        if one.code in module.handlers and one.name.isidentifier() and _stands_alone(module, one.code):
            found = _last_write(one) if _closes_only(module, one) else None
            if found is not None:
                yield found


def _stands_alone(module: Module, code: ast.AST) -> bool:
    """Whether nothing around a handler, nor beside it in its request, may commit what it writes."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or is_generator(code) or not code.decorator_list:
        return False  # without a decorator it may be a dependency itself, whose handler commits
    if any(part in word(call.func) for call in own_of(code, ast.Call) for part in _SAVING):
        return False
    for decorator in code.decorator_list:
        plain = isinstance(decorator, ast.Call) and path(decorator.func).rpartition(".")[2] in _VERBS
        if not plain or any(k.arg == "dependencies" for k in decorator.keywords):  # type: ignore[attr-defined]
            return False
    return not any(
        is_generator(target) and _speaks_of_commit(target)
        for arg in parameters(code)
        for _, target in lenders(module, code, arg.arg)
    )


def _speaks_of_commit(function: FunctionNode) -> bool:
    return any(node.attr in ("commit", "begin") for node in own_of(function, ast.Attribute))


def _closes_only(module: Module, one: Borrowed) -> bool:
    """Whether all dependencies of a parameter lend sessions that they close, and neither commit nor hand on."""
    made = lenders(module, one.code, one.name)
    return bool(made) and all(_ends_uncommitted(home, function) for home, function in made)


def _ends_uncommitted(home: Module, function: FunctionNode) -> bool:
    try:
        solved = home.as_scope(function, lambda there, code: there.by_itself(code))
        given = home.as_scope(function, lambda _home, _code: yielded(solved))
    except SolverLimit:
        return False
    exits = [fact for fact in solved.exits if fact.site in given]
    if not exits or any(fact.marked("committed") or fact.marked("exposed") for fact in exits):
        return False
    if any(site.kind is SiteKind.SCOPE and may_commit(home, site.node) for site in given):
        return False
    closed = all(f.state is State.CLOSED or _by_scope(f.site) for f in exits if f.flying is None)
    return closed and not any(_saves_by_itself(home, site) for site in given)


def _by_scope(site: Site | None) -> bool:
    return site is not None and site.kind is SiteKind.SCOPE


def _saves_by_itself(home: Module, site: Site) -> bool:
    """Whether each statement of a session may be saved at once."""
    opening = site.origin.node
    if isinstance(opening, ast.withitem):
        opening = opening.context_expr
    if isinstance(opening, ast.Call) and opening in home.calls and autocommits(home, opening):
        return True
    return any(AUTOCOMMIT.search(there.source.text) for there in homes(home, opening))


def _last_write(one: Borrowed) -> Unsaved | None:
    """The last write that is still uncommitted as the handler ends, where no way of it commits anything."""
    solved = one.solved
    ends = solved.exits if solved is not None else ()
    if solved is None or any(f.state is State.GIVEN or any(map(f.marked, _LEFT)) for f in ends):
        return None
    pending = dict.fromkeys(f.pending for f in ends if f.flying is None and f.pending is not None)
    lost = [(solved.here(write, lambda fact, write=write: fact.pending is write), write) for write in pending]  # type: ignore[misc]
    node, write = max(lost, key=lambda pair: getattr(pair[0], "lineno", 0), default=(None, None))
    if node is None or write is None or (node is not write and not _only_writes(write)):
        return None
    if attaches(one.module, write) and (asks(one) or unchanged(one.module, write)):
        return None
    return Unsaved(one, node, write)


def _only_writes(function: ast.AST) -> bool:
    """Whether a function that writes for the handler does no more with the session than to call its methods.

    Of one that has too many ways, what else it calls is not known.
    """
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or _speaks_of_commit(function):
        return False
    known = effects()
    calls = own_of(function, ast.Call)
    methods = {call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in known}
    sessions = {path(call.func.value) for call in methods} | {"self"}  # type: ignore[attr-defined]  # methods
    others = (call for call in calls if call not in methods)
    return not any(path(node) in sessions for call in others for node in (*arguments(call), _called_on(call)))


def _called_on(call: ast.Call) -> ast.expr:
    """What a method is called on; the call's own name where it is none."""
    return call.func.value if isinstance(call.func, ast.Attribute) else call.func


def asks(one: Borrowed) -> bool:
    """Whether a code asks the database for something through the session."""
    known = effects()
    return any(known[call.func.attr].effect in ASKING for call in one.uses if isinstance(call.func, ast.Attribute))
