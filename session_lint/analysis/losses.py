"""What was written through a session of one's own and thrown away by closing it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, held
from session_lint.analysis.inference import may_commit
from session_lint.analysis.makers import options
from session_lint.analysis.state import SiteKind, State
from session_lint.flow import PointKind
from session_lint.python.names import own_of, path
from session_lint.values import dataclass
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts, Obligation
    from session_lint.analysis.module import Module

_ADDING = ("add", "add_all", "merge")


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
            found = _loss(facts.module, obligation)
            if found is not None:
                yield found


def _loss(module: Module, obligation: Obligation) -> Loss | None:
    if any(e.fact.marked(what) for e in obligation.endings for what in ("committed", "exposed", "yielded", "lent")):
        return None
    if obligation.site.kind is SiteKind.SCOPE and may_commit(module, obligation.site.node):
        return None
    normal = [e for e in obligation.endings if e.normal]
    if not all(e.closed for e in normal):
        return None  # it is open, or somebody has it: another rule's, or another's to commit
    lost = [
        (e.solved.here(m.node, lambda fact, write=m.node: fact.pending is write), m.node, m.other)  # type: ignore[misc]
        for e in normal
        for m in e.fact.marked("lost")
        if m.node
    ]
    here, write, closed = max(lost, key=lambda one: getattr(one[0], "lineno", 0), default=(None, None, None))
    if here is None or write is None or closed is None or _may_commit(module, obligation, write):
        return None
    return Loss(obligation, here, write, closed)


def _may_commit(module: Module, obligation: Obligation, write: ast.AST) -> bool:
    """Whether the write may be saved by itself, or not be meant to be saved."""
    origin = obligation.site.origin.node
    if isinstance(origin, ast.Call) and origin in module.calls and "autocommit" in options(module, origin):
        return True
    if "autocommit" in module.source.text.lower():  # of the engine or the connection
        return True
    code = obligation.site.code
    calls = [n for n in own_of(code, ast.Call) if isinstance(n.func, ast.Attribute)]
    caught = {n for handler in own_of(code, ast.ExceptHandler) for n in own_of(handler, ast.Call)}
    ending = [
        call
        for call in calls
        if call.func.attr == "commit" or (call.func.attr == "rollback" and call not in caught)  # type: ignore[attr-defined]
    ]
    if ending and {*ending} - _of_no_avail(obligation):
        return True  # on a connection, or on purpose
    if not _attaches(module, write):
        return False
    return any(_reads(call, obligation.name) for call in calls) or _unchanged(module, code, write)


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


def _attaches(module: Module, write: ast.AST) -> bool:
    """Whether what is added may be there already: it was not made here, and is added to be asked for more."""
    if write not in module.calls:
        return True  # of another file: what it is given was made by somebody else
    assert isinstance(write, ast.Call)
    if not (isinstance(write.func, ast.Attribute) and write.func.attr in _ADDING and write.args):
        return False
    return not _is_new(module, write.args[0], write)


def _unchanged(module: Module, code: ast.AST, write: ast.AST) -> bool:
    """Whether what is added came out of a method's call, of another session's perhaps, and nothing of it is changed."""
    argument = write.args[0] if isinstance(write, ast.Call) and write.args else None
    if not isinstance(argument, ast.Name) or write not in module.calls:
        return False
    bindings = module.calls.scope(write).bindings.get(argument.id, ())  # type: ignore[arg-type]  # a call
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
        return bool(bindings) and all(isinstance(b.node, ast.Call) and _is_new(module, b.node, write) for b in bindings)
    return False


def _reads(call: ast.Call, session: str) -> bool:
    """Whether a call asks the database through the session for something."""
    assert isinstance(call.func, ast.Attribute)
    known = effects().get(call.func.attr)
    asks = known is not None and known.effect in ("read", "build")
    return asks and path(call.func.value) == session
