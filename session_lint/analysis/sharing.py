"""Sessions that two threads, processes or tasks use at the same time."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.asynchronous import is_async
from session_lint.analysis.handing import Handing, given, handings, is_request, runs
from session_lint.analysis.holding import arguments
from session_lint.analysis.members import used_beside
from session_lint.analysis.reach import after
from session_lint.flow import PointKind
from session_lint.python.nodes import path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below
from session_lint.values import dataclass
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.flow import Point

_WAITING = frozenset(["join", "result", "shutdown", "wait", "get", "exception", "done", "cancel", "communicate"])
"""Methods by which one waits for a thread, a future, a pool; whoever has one of these may be done by then."""
_TOLD = frozenset(["join", "wait"])
"""Those of what a thread is given to say by it that it is done: a queue, an event."""
_SEVERAL = 2


@dataclass(frozen=True, eq=False)
class Sharing:
    """A session that something else uses at the same time as its opener, or as others.

    :param call: the hand-over.
    :param other: the use at the same time; the hand-over itself where several get it.
    """

    handing: Handing
    call: ast.Call
    other: ast.AST
    name: str
    code: ast.AST

    @property
    def several(self) -> bool:
        """Whether the others are several of the same kind."""
        return self.other is self.call


def with_threads(facts: ModuleFacts) -> Iterator[Sharing]:
    """Every session that a thread gets while its opener still uses it, or that several threads get."""
    started: set[ast.AST] = set()
    for handing in (*handings(facts, "thread"), *handings(facts, "task", "gather")):
        if handing.where != "thread" and (not handing.threads or not started.isdisjoint(handing.threads)):
            continue
        if handing.borrowed is None or not (handing.borrowed.managed or _outlives(facts, handing)):
            for sharing in _shared(facts, handing):
                started.add(sharing.call)
                yield sharing


def _outlives(facts: ModuleFacts, handing: Handing) -> bool:
    """Whether a request's session is given to what nobody waits for, of which a rule of its own speaks."""
    assert facts.module is not None
    return is_request(handing.borrowed) and not waited_for(facts.module, handing)


def waited_for(module: Module, handing: Handing) -> bool:
    """Whether a code waits for what it has set going."""
    ends = ending(module, handing, frozenset())
    return any(map(ends, after(handing.solved.graph, [handing.point], ends)))


def with_processes(facts: ModuleFacts) -> Iterator[Sharing]:
    """Every session that is given to another process; where that is a fork, one that is used afterwards."""
    for handing in handings(facts, "process", "fork"):
        if handing.where == "fork":
            yield from _shared(facts, handing)
        elif handing.borrowed is None or not handing.borrowed.managed:
            yield _sharing(facts, handing, handing.call)


def between_tasks(facts: ModuleFacts) -> Iterator[Sharing]:
    """Every asynchronous session that several tasks get, or a task and the code that goes on."""
    assert facts.module is not None or not facts.solved
    for handing in handings(facts, "task", "gather"):
        assert facts.module is not None
        site = handing.fact.site
        known = handing.borrowed.is_async if handing.borrowed else site is not None and is_async(facts.module, site)
        if known is False or handing.threads or (handing.where == "task" and _outlives(facts, handing)):
            continue
        if handing.count >= _SEVERAL:
            yield _sharing(facts, handing, handing.call)
        elif handing.where == "task":
            yield from _shared(facts, handing)


def _shared(facts: ModuleFacts, handing: Handing) -> Iterator[Sharing]:
    assert facts.module is not None
    if handing.count >= _SEVERAL:
        yield _sharing(facts, handing, handing.call)
        return
    if handing.where == "gather":
        return  # one that is awaited
    names = frozenset(n for n in handing.fact.names if isinstance(n, str))
    ends = ending(facts.module, handing, names)
    uses = _using(facts.module, handing, names)
    points = after(handing.solved.graph, [handing.point], lambda p: ends(p) or uses(p))
    others = [point.node for point in points if uses(point) and not ends(point)]
    if others:
        yield _sharing(facts, handing, handing.call if handing.call in others else others[0])
    elif handing.where == "thread" and not waited_for(facts.module, handing):
        beside = used_beside(facts.module, handing)
        if beside is not None:
            yield _sharing(facts, handing, beside)


def _sharing(facts: ModuleFacts, handing: Handing, other: ast.AST) -> Sharing:
    code = handing.solved.code
    site = handing.fact.site
    assert site is not None
    name = handing.borrowed.called if handing.borrowed else facts.variable(site.node, code)
    return Sharing(handing, handing.call, other, name, code)


def ending(module: Module, handing: Handing, names: frozenset[str]) -> Callable[[Point], bool]:
    """Whether a point waits for what was set going, or gives the session's last variable something else."""
    made = handing.call
    receiver = path(made.func.value) if isinstance(made.func, ast.Attribute) else ""
    handles = _handles(handing.solved.code, made, receiver)
    told = {path(n) for n in below(made) if isinstance(n, (ast.Name, ast.Attribute))} - {"self", "cls", ""}

    def ends(point: Point) -> bool:
        node = point.node
        if point.kind is PointKind.CALL and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            return node.func.attr in _WAITING and path(node.func.value) not in names and waits(node.func, node)
        if point.kind is PointKind.EXIT and isinstance(node, ast.withitem):
            return node.optional_vars is not None and path(node.optional_vars) == receiver
        if point.kind is PointKind.AWAIT and isinstance(node, ast.Await):
            return awaited(node.value) or (isinstance(node.value, ast.Call) and runs(module, node.value) == "gather")
        return point.kind is PointKind.STORE and path(node) in names and len(names) == 1

    def awaited(value: ast.expr) -> bool:
        if value is made or (path(value) and _within(path(value), handles)):
            return True
        return any(map(awaited, arguments(value))) if isinstance(value, ast.Call) else False

    def waits(func: ast.Attribute, call: ast.Call) -> bool:
        if func.value is made:  # pool.submit(work, session).result()
            return True
        on = path(func.value)
        given = (p for a in call.args for n in below(a) if (p := path(n)))
        return _within(on, handles) or (on in told and func.attr in _TOLD) or any(_within(p, handles) for p in given)

    return ends


def _handles(code: ast.AST, made: ast.Call, receiver: str) -> set[str]:
    """The variables that may lead to what a call has set going: its receiver, and all that its value is put into."""
    found = {receiver} - {""}
    pairs = list(_bindings(code))
    size = -1
    while len(found) != size:
        size = len(found)
        for target, value in pairs:
            if target not in found and any(n is made or _within(path(n), found) for n in value):
                found.add(target)
    return found


@remembered
def _bindings(code: ast.AST) -> list[tuple[str, list[ast.AST]]]:
    """What a code puts where: each variable with all parts of what it may get something from."""
    found: list[tuple[ast.expr, ast.AST]] = []
    for node in below(code):
        if isinstance(node, ast.Assign):
            found += [(target, node.value) for target in node.targets]
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            found.append((node.target, node.value))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            found.append((node.target, node.iter))
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            found.append((node.optional_vars, node.context_expr))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found += [(node.func.value, argument) for argument in node.args]  # threads.append(thread)
    return [(p, below(value)) for target, value in found for part in below(target) if (p := path(part))]


def _within(name: str, handles: set[str]) -> bool:
    return name in handles or any(name.startswith(f"{handle}.") for handle in handles)


def _using(module: Module, handing: Handing, names: frozenset[str]) -> Callable[[Point], bool]:
    """Whether a point uses the session: one of its methods, its block's end, giving it to another."""
    fact = handing.fact

    def uses(point: Point) -> bool:
        node = point.node
        if point.kind is PointKind.EXIT:
            return ("with", node) in fact.names
        if point.kind is not PointKind.CALL or not isinstance(node, ast.Call):
            return False
        if node is handing.call:
            return handing.where != "fork"
        if runs(module, node) == handing.where:
            return bool(given(module, node, fact, handing.where))
        method = node.func if isinstance(node.func, ast.Attribute) else None
        return method is not None and method.attr in effects() and path(method.value) in names

    return uses
