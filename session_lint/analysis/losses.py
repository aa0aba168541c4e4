"""What was written through a session of one's own and thrown away by closing it."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, arguments, held
from session_lint.analysis.inference import may_commit
from session_lint.analysis.makers import autocommits, makers
from session_lint.analysis.state import SiteKind, State
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, own_nodes, own_of, path
from session_lint.values import dataclass
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import Ending, ModuleFacts, Obligation
    from session_lint.analysis.module import Module

_ADDING = ("add", "add_all", "merge")
ASKING = ("read", "build")
"""What a session's methods do that ask the database for something."""
AUTOCOMMIT = re.compile(r"""autocommit(?!['"]?\s*[=:]\s*(?:False|None)\b)""", re.IGNORECASE)
"""What says that something may commit by itself, and not that it does not: ``sessionmaker(autocommit=False)``."""


@dataclass(frozen=True, eq=False)
class Loss:
    """A write that no way commits.

    :param node: the write, or the call that makes it, in the code that opens the session.
    :param write: the write itself.
    :param closed: what closes the session over it.
    """

    obligation: Obligation
    node: ast.AST
    write: ast.AST
    closed: ast.AST


def lost_writes(facts: ModuleFacts) -> Iterator[Loss]:
    """The last write of each session that some way writes through and no way commits."""
    if facts.module is None:
        return
    for kind in (SiteKind.OWNED, SiteKind.SCOPE):
        for obligation in facts.obligations(kind):
            normal = _closed(facts.module, obligation)
            saves = any(e.fact.marked("committed") for e in obligation.endings) if normal else False
            found = _loss(facts.module, obligation, normal, saves=saves) if normal else None
            if found is None and normal and not saves:
                found = _change(facts.module, obligation)
            if found is not None:
                yield found


def _closed(module: Module, obligation: Obligation) -> list[Ending]:
    """The normal endings of a session that is closed on all of them, and that nobody else may commit."""
    if any(e.fact.marked(what) for e in obligation.endings for what in ("exposed", "yielded", "lent")):
        return []
    if obligation.site.kind is SiteKind.SCOPE and may_commit(module, obligation.site.node):
        return []
    normal = [e for e in obligation.endings if e.normal]
    return normal if all(e.closed for e in normal) else []  # else it is another rule's, or another's to commit


def _loss(module: Module, obligation: Obligation, normal: list[Ending], *, saves: bool) -> Loss | None:
    """The last write that is lost.

    :param saves: whether something of the session is committed: then it is only lost where no commit can follow it.
    """
    lost = [
        (e.solved.here(m.node, lambda fact, write=m.node: fact.pending is write), m.node, m.other)  # type: ignore[misc]
        for e in normal
        for m in e.fact.marked("lost")
        if m.node
    ]
    here, write, closed = max(lost, key=lambda one: getattr(one[0], "lineno", 0), default=(None, None, None))
    if here is None or write is None or closed is None:
        return None
    if saves and (here is not write or not _is_last(module, obligation, write)):
        return None
    if _may_commit(module, obligation, write, until=write if saves else None):
        return None
    return Loss(obligation, here, write, closed)


def _is_last(module: Module, obligation: Obligation, write: ast.AST) -> bool:
    """Whether all of a code that may commit a session stands before a write, and in no loop around it.

    An object that was added before, and so is saved, is no write. The end of ``with session.begin()`` would save it.
    """
    code, name = obligation.site.code, obligation.name
    added = {path(write.args[0])} - {""} if isinstance(write, ast.Call) and write.args else set()
    for call in own_of(code, ast.Call):
        adds = call is not write and isinstance(call.func, ast.Attribute) and call.func.attr in _ADDING
        if adds and not added.isdisjoint(map(path, call.args)):
            return False
    blocks = [node for node in own_of(code, ast.With, ast.AsyncWith) if write in own_nodes(node)]
    entered = (item.context_expr for block in blocks for item in block.items)
    if any(isinstance(one, ast.Call) and path(one.func) == f"{name}.begin" for one in entered):
        return False
    loops = [node for node in own_of(code, ast.For, ast.AsyncFor, ast.While) if write in own_nodes(node)]
    for call in own_of(code, ast.Call):
        if call is write:
            continue
        func = call.func
        own = isinstance(func, ast.Attribute) and path(func.value) == name and func.attr not in _COMMITTING
        if not own and (_after(call, write) or any(call in own_nodes(loop) for loop in loops)):
            known = call in module.calls and module.calls.callee(call).constructor
            named = {path(argument) for argument in arguments(call)} | {path(func).rpartition(".")[0]}
            if not known and (name in named or path(func).rpartition(".")[2] in _COMMITTING):
                return False
    return True


_COMMITTING = ("commit", "begin")


def _after(node: ast.AST, write: ast.AST) -> bool:
    return (node.lineno, node.col_offset) > (write.lineno, write.col_offset)  # type: ignore[attr-defined]  # expressions


def _change(module: Module, obligation: Obligation) -> Loss | None:
    """The last change of a loaded object, where it is all that would have to be saved."""
    from session_lint.analysis.changes import changed  # noqa: PLC0415  (few sessions are closed and never committed)

    ends = [(m.node, e) for e in obligation.endings if e.normal for m in e.fact.marked("closed") if m.node]
    found = changed(module, obligation) if ends else []
    if not found or _is_ended(module, obligation):
        return None
    added = (call for target in found for call in _added_after(obligation, target))
    last = max([*found, *added], key=lambda node: (node.lineno, node.col_offset))
    return Loss(obligation, last, last, ends[-1][0])


def _added_after(obligation: Obligation, target: ast.Attribute) -> Iterator[ast.Call]:
    """The calls that give the session an object again once it was changed: ``user.name = "x"; session.add(user)``."""
    for call in own_of(obligation.site.code, ast.Call):
        own = isinstance(call.func, ast.Attribute) and path(call.func.value) == obligation.name
        adds = own and call.func.attr in _ADDING and call.lineno > target.lineno  # type: ignore[attr-defined]
        if adds and path(target.value) in map(path, call.args):
            yield call


def _may_commit(module: Module, obligation: Obligation, write: ast.AST, *, until: ast.AST | None) -> bool:
    """Whether the write may be saved by itself, or not be meant to be saved.

    :param until: the write, where what ends a transaction before it is nothing to it.
    """
    if _is_ended(module, obligation, until):
        return True
    calls = [n for n in own_of(obligation.site.code, ast.Call) if isinstance(n.func, ast.Attribute)]
    if not attaches(module, write):
        return False
    names = _names(obligation.site.code, obligation.name)
    asked = any(_reads(call, names) for call in calls)
    return asked or unchanged(module, write)


def _is_ended(module: Module, obligation: Obligation, until: ast.AST | None = None) -> bool:
    """Whether each statement may be saved by itself, or the code ends its transaction in another way."""
    origin = obligation.site.origin.node
    if isinstance(origin, ast.Call) and origin in module.calls and autocommits(module, origin):
        return True
    # of the engine or the connection
    if any(AUTOCOMMIT.search(home.source.text) for home in homes(module, origin)):
        return True
    ending = ended_on_purpose(obligation.site.code)
    ending = ending if until is None else {call for call in ending if _after(call, until)}
    return bool(ending) and bool(ending - _of_no_avail(obligation))  # on a connection, or on purpose


def ended_on_purpose(code: ast.AST) -> set[ast.Call]:
    """The calls by which a code ends a transaction, whosever: a ``commit()``, a ``rollback()`` that no clause makes."""
    calls = [n for n in own_of(code, ast.Call) if isinstance(n.func, ast.Attribute)]
    caught = {n for handler in own_of(code, ast.ExceptHandler) for n in own_of(handler, ast.Call)}
    return {
        call
        for call in calls
        if call.func.attr == "commit" or (call.func.attr == "rollback" and call not in caught)  # type: ignore[attr-defined]
    }


def homes(module: Module, opening: ast.AST) -> set[Module]:
    """The modules in which a session is opened, its factory made, and the engine that it is bound to."""
    home = module.program.module_of(opening, module) or module
    if not isinstance(opening, ast.Call) or opening not in home.calls:
        return {module, home}
    made = [(home, opening), *makers(home, opening.func, home.calls.scope(opening))]
    bound = [
        there
        for at, call in made
        for argument in arguments(call)
        for there, _ in makers(at, argument, at.calls.scope(call))
    ]
    return {module, *(at for at, _ in made), *bound}


def _of_no_avail(obligation: Obligation) -> set[ast.AST]:
    """The calls that end another session of the code, or, as a ``commit``, find this one closed on every way."""
    solved = obligation.endings[0].solved
    found: dict[ast.AST, bool] = {}
    for point, fact in solved.visits(PointKind.CALL):
        func = point.node.func if isinstance(point.node, ast.Call) else None
        if fact.site is None or not isinstance(func, ast.Attribute) or func.attr not in ("commit", "rollback"):
            continue
        if held(func.value, fact) is Hold.WHOLE:
            own = fact.site is obligation.site
            idle = not own or (func.attr == "commit" and fact.state is State.CLOSED)
            found[point.node] = found.get(point.node, True) and idle
    return {call for call, idle in found.items() if idle}


def attaches(module: Module, write: ast.AST) -> bool:
    """Whether what is added may be there already: it was not made here, and is added to be asked for more."""
    if write not in module.calls:
        return True  # of another file: what it is given was made by somebody else
    assert isinstance(write, ast.Call)
    if not (isinstance(write.func, ast.Attribute) and write.func.attr in _ADDING and write.args):
        return False
    return not _is_new(module, write.args[0], write)


def unchanged(module: Module, write: ast.AST) -> bool:
    """Whether what is added came out of a method's call, of another session's perhaps, and nothing of it is changed."""
    argument = write.args[0] if isinstance(write, ast.Call) and write.args else None
    home = module.program.module_of(write, module)
    if not isinstance(argument, ast.Name) or home is None or write not in home.calls:
        return False
    assert isinstance(write, ast.Call)
    scope = home.calls.scope(write)
    if _is_new(home, argument, write):
        return False
    code = home.code_of(scope)
    bindings = scope.bindings.get(argument.id, ())
    given = [b.node.func for b in bindings if isinstance(b.node, ast.Call)]
    stored = (n for n in own_of(code, ast.Attribute) if not isinstance(n.ctx, ast.Load))
    changed = any(path(n.value) == argument.id for n in stored)
    return (
        bool(given) and len(given) == len(bindings) and all(isinstance(f, ast.Attribute) for f in given) and not changed
    )


def _is_new(module: Module, node: ast.expr, write: ast.Call) -> bool:
    if isinstance(node, ast.Call):
        return module.calls.callee(node).constructor
    if isinstance(node, (ast.List, ast.Tuple)):
        return all(_is_new(module, element, write) for element in node.elts)
    if isinstance(node, ast.Name):
        owner = module.names.owner(node.id, module.calls.scope(write))
        bindings = owner.bindings[node.id] if owner is not None else []
        given = _just_given(module, node.id, write)
        values = [b.node for b in bindings] if given is None else [given]
        return bool(values) and all(isinstance(v, ast.Call) and _is_new(module, v, write) for v in values)
    return False


def _just_given(module: Module, name: str, write: ast.Call) -> ast.expr | None:
    """What a variable got right before a call, in the same block; ``None`` where that is not known."""
    statement: ast.AST = write
    while not isinstance(statement, ast.stmt):
        statement = module.parents[statement]
    around = module.parents[statement]
    blocks = (getattr(around, field, None) for field in _BLOCKS)
    block = next((b for b in blocks if isinstance(b, list) and statement in b), [])
    for before in reversed(block[: block.index(statement)] if block else []):
        given = assigned_at(before)
        if given is not None and any(path(target) == name for target in given.targets):
            return given.value
        if any(isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load) for n in own_nodes(before)):
            return None
    return None


_BLOCKS = ("body", "orelse", "finalbody")


def _names(code: ast.AST, session: str) -> set[str]:
    """What a session is called, by itself and in the ``with`` blocks that enter it."""
    items = (item for block in own_of(code, ast.With, ast.AsyncWith) for item in block.items)
    entered = {path(i.optional_vars) for i in items if i.optional_vars is not None and path(i.context_expr) == session}
    return {session} | entered


def _reads(call: ast.Call, sessions: set[str]) -> bool:
    """Whether a call asks the database through the session for something."""
    assert isinstance(call.func, ast.Attribute)
    known = effects().get(call.func.attr)
    asks = known is not None and known.effect in ASKING
    return asks and path(call.func.value) in sessions
