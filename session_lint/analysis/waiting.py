"""Transactions that are open while the code waits for the outside world."""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING

from session_lint.analysis import effects
from session_lint.analysis.arguments import parameters_given
from session_lint.analysis.calling import own_effect
from session_lint.analysis.closures import of_own_object
from session_lint.analysis.coroutines import gathered, only_made
from session_lint.analysis.decorating import decorated
from session_lint.analysis.everywhere import known_there
from session_lint.analysis.family import family, is_abstract
from session_lint.analysis.handing import awaited_function, runs
from session_lint.analysis.objects import known_as
from session_lint.analysis.places import is_test
from session_lint.analysis.state import NOTHING, State, settled
from session_lint.analysis.streaming import keeps, stays
from session_lint.analysis.summaries import is_generator
from session_lint.flow import RAISING, EdgeKind, PointKind
from session_lint.python.nodes import nodes_in, own_nodes, own_of, path
from session_lint.python.scopes import children
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site
    from session_lint.flow import Block, Code, Point
    from session_lint.python.scopes import FunctionNode, Scope

_STREAM = "the end of a stream of events"
_ANSWER = "somebody's answer"
_DEEPEST = 3
"""How many calls away something slow is looked for."""
_ASKING = ("read", "write", "flush", "nested")
_MOST = 60
"""How many calls of a function are looked at for one that is slow."""


@dataclass(frozen=True, eq=False)
class Slow:
    """Something slow that a call does, by itself or somewhere inside.

    :param what: what it waits for.
    :param inside: the calls that lead there, from the function that is called to the slow one; empty for itself.
    """

    what: str
    inside: tuple[ast.Call, ...] = ()


@dataclass(frozen=True, eq=False)
class Waiting:
    """A slow call in the middle of a transaction.

    :param call: the call, in the code that has the session.
    :param begun: the operation that began the transaction.
    """

    call: ast.Call
    slow: Slow
    begun: ast.AST
    site: Site
    name: str
    code: ast.AST
    borrowed: bool


def waitings(facts: ModuleFacts) -> Iterator[Waiting]:
    """The first slow call of each transaction that is provably open there, in the order of the text."""
    if facts.module is None:
        return
    seen: set[tuple[ast.AST, ast.AST]] = set()
    slow = _SlowCalls(facts.module)
    for solved, borrowed in _solutions(facts, slow):
        found: list[Waiting] = []
        for point, fact, block, start in solved.arrivals(PointKind.CALL) if slow.any_in(solved.code) else ():
            call = point.node
            if not isinstance(call, ast.Call) or fact.site is None or fact.state is not State.ACTIVE:
                continue
            if settled(fact) or fact.marked("failed"):
                continue  # a session without a name was leaked, which another rule tells, as one does of failures
            waits = slow.call(call)
            if waits is None or not _counts(facts.module, call, waits, fact, borrowed):
                continue
            begun = _begun(solved, block, start, call)
            if begun is not None and not _ends_first(facts.module, call, solved.code, fact, waits):
                started = min(map(str, solved.problem.start.names), default="")
                own = facts.variable(fact.site.node, solved.code) or started
                name = borrowed.called if borrowed else own
                found.append(Waiting(call, waits, begun, fact.site, name, solved.code, borrowed=borrowed is not None))
        found = [] if found and _listens(solved.code) else found
        for one in sorted(found, key=lambda w: (w.call.lineno, w.call.col_offset)):
            if (one.begun, one.code) not in seen and (one.call, one.code) not in seen:
                seen |= {(one.begun, one.code), (one.call, one.code)}
                yield one


class _SlowCalls:
    """What the calls of a module wait for, each looked at once, when it is asked for."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._found: dict[ast.Call, Slow | None] = {}

    def call(self, call: ast.Call) -> Slow | None:
        """What a call waits for, if it surely waits for the outside."""
        if call not in self._found:
            self._found[call] = self._look(call) if call in self._module.calls else None
        return self._found[call]

    def _look(self, call: ast.Call) -> Slow | None:
        slow = Slow(_STREAM) if stays(self._module, call) else slowness(self._module, call, 0)
        return None if slow is None or _set_going(self._module, call) else slow

    def any_in(self, code: ast.AST) -> bool:
        """Whether some call of a code does."""
        return any(self.call(call) is not None for call in own_of(code, ast.Call))


def _counts(module: Module, call: ast.Call, slow: Slow, fact: Fact, borrowed: Borrowed | None) -> bool:
    """Whether the transaction of a session is what somebody waits for, too."""
    if slow.what == _STREAM:
        return keeps(module, call, fact, borrowed)
    return slow.what != _ANSWER or fact.pending is not None  # at a terminal, only locks keep anybody else waiting


def _solutions(facts: ModuleFacts, slow: _SlowCalls) -> Iterator[tuple[Solved, Borrowed | None]]:
    """How the sessions fare that are the codes' own, somebody else's, or passed by a decorator.

    Of the second kind only those are followed of which some call of the code could be told.
    """
    assert facts.module is not None
    yield from ((solved, None) for solved in facts.solved)
    for one in facts.borrowed:
        if slow.any_in(one.code) and one.solved is not None:
            yield one.solved, one
    for code, _ in facts.module.codes:
        yield from ((solved, None) for solved in decorated(facts.module, code))


def _listens(code: ast.AST) -> bool:
    """Whether a code asks the database to tell it of something: it keeps the connection to wait for that."""
    texts = (n.value for n in own_of(code, ast.Constant) if isinstance(n.value, str))
    return any(text.lstrip()[:7].upper() == "LISTEN " for text in texts)


def _set_going(module: Module, call: ast.Call) -> bool:
    """Whether a call only makes a coroutine, which something else runs: ``create_task(client.get(url))``."""
    above = module.parents.get(call)
    while isinstance(above, (ast.Starred, ast.List, ast.Tuple, ast.GeneratorExp, ast.ListComp)):
        above = module.parents.get(above)
    made = isinstance(above, ast.Call) and bool(runs(module, above))
    return made and above not in module.names.scopes.awaited


def slowness(module: Module, call: ast.Call, depth: int) -> Slow | None:
    """What a call waits for, if it surely does: by the tables, or by the calls of the function that it calls."""
    slow = _slowness(module, call, depth) or _slow_among(module, call, depth)
    return None if slow is None or only_made(module, call) else slow


def _slow_among(module: Module, call: ast.Call, depth: int) -> Slow | None:
    """The first that surely waits of the coroutines that a call gathers."""
    for made in gathered(module, call):
        slow = _slowness(module, made, depth)
        if slow is not None:
            return Slow(slow.what, (made, *slow.inside))
    return None


def _slowness(module: Module, call: ast.Call, depth: int) -> Slow | None:
    what = module.calls.waits_for(call)
    if what:
        return Slow(what)
    callee = module.calls.callee(call)
    if callee.meaning is not None or depth >= _DEEPEST or len(callee.names) > 1:
        return None  # of several, one may be quick
    found = (module.at(callee), callee.function) if callee.function is not None else awaited_function(module, call)
    if found is None or found[0].is_memoised(found[1]):
        return None  # of what is remembered, only the first call waits
    home, function = found
    known, key = home.program.slow, (function, depth)  # how far it is followed hangs on how far away it is
    if key not in known:
        known[key] = _inside(home, function, depth) or _in_all(home, function, depth)
    return known[key]  # type: ignore[return-value]


def _in_all(home: Module, function: FunctionNode, depth: int) -> Slow | None:
    """What an abstract method waits for, where each class of the project that has one of its own waits in that."""
    owner = home.names.scopes.of[function].parent
    if owner is None or not isinstance(owner.node, ast.ClassDef) or not is_abstract(home.names, function):
        return None
    others = home.program.each_mentioning(home, owner.node.name)
    if others is None:
        return None
    first: Slow | None = None
    for module, method in _below(chain([home], others), owner, function.name):
        slow = _inside(module, method, depth)
        if slow is None:
            return None
        first = first or slow
    return first


def _below(modules: Iterable[Module], owner: Scope, name: str) -> Iterator[tuple[Module, FunctionNode]]:
    """The methods of a name that classes below one have, but for those of tests."""
    for module in (one for one in modules if not is_test(one.source.filename)):
        for scope in module.names.scopes.classes:
            own = scope.bindings.get(name, ()) if scope is not owner else ()
            methods = [b.node for b in own if isinstance(b.node, (ast.FunctionDef, ast.AsyncFunctionDef))]
            if methods and any(above is owner for _, above in family(module, scope)):
                yield from ((module, method) for method in methods)


def _inside(home: Module, function: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> Slow | None:
    """The first slow call of a function that it makes on every way through."""
    return _first_slow(home, function.body, depth)


def _first_slow(home: Module, nodes: Iterable[ast.AST], depth: int) -> Slow | None:
    """The first slow call that is made on every way through some statements, as far as no exception ends it."""
    todo = [*nodes][::-1]
    count = 0
    while todo and count < _MOST:
        node = todo.pop()
        if isinstance(node, ast.Call):
            count += 1
            found = slowness(home, node, depth + 1) if node in home.calls else None
            if found is not None:
                return Slow(found.what, (node, *found.inside))
        if isinstance(node, ast.If):
            found = _first_slow(home, [node.test], depth)
            if found is None and node.body and isinstance(node.body[-1], ast.Return) and not node.orelse:
                leaving = _first_slow(home, node.body, depth)
                if leaving is not None:  # what follows is the other side
                    return leaving if _waits_or_raises(home, todo[::-1], depth) else None
            found = found or _on_both_sides(home, node.body, node.orelse, depth)
            if found is not None:
                return found
        elif isinstance(node, (ast.For, ast.While)) and _runs_once(node):
            todo += reversed(_until_left(node))
        elif not isinstance(node, _DECIDING):
            todo += reversed(children(node))
    return None


def _on_both_sides(home: Module, one: list[ast.stmt], other: list[ast.stmt], depth: int) -> Slow | None:
    """What both sides of a test wait for, or the one of which the other only complains."""
    found: list[Slow | None] = []
    for side in (other, one):  # most tests have no other side: nothing is asked of their first
        slow = _first_slow(home, side, depth)
        if slow is None and not _raises(side):
            return None
        found.append(slow)
    return found[1] or found[0]


def _waits_or_raises(home: Module, nodes: Sequence[ast.AST], depth: int) -> bool:
    return _raises(nodes) or _first_slow(home, nodes, depth) is not None


def _raises(nodes: Sequence[ast.AST]) -> bool:
    return bool(nodes) and isinstance(nodes[-1], ast.Raise)


def _runs_once(loop: ast.For | ast.While) -> bool:
    """Whether the body of a loop surely runs: it runs for ever, a number of times, or tries again and again."""
    if isinstance(loop, ast.While):
        return isinstance(loop.test, ast.Constant) and bool(loop.test.value)
    if not isinstance(loop.iter, ast.Call) or path(loop.iter.func) != "range" or not loop.iter.args:
        return False
    first, *rest = loop.iter.args
    start = first.value if rest and isinstance(first, ast.Constant) else 0
    times = rest[0] if rest else first
    if isinstance(times, ast.BinOp) and isinstance(times.op, ast.Add):
        times = times.left if isinstance(times.right, ast.Constant) else times.right
    if isinstance(times, ast.Constant):
        return isinstance(times.value, int) and isinstance(start, int) and times.value > start
    return any(part in path(times).rpartition(".")[2].lower() for part in _TRYING)


def _until_left(loop: ast.For | ast.While) -> list[ast.stmt]:
    """The statements of a loop up to the first that may leave it under some condition: what follows need not run."""
    found: list[ast.stmt] = []
    for statement in loop.body:
        found.append(statement)
        tests = [n for n in nodes_in([statement]) if isinstance(n, (ast.If, ast.Match))]
        if any(isinstance(n, _LEAVING) for test in tests for n in own_nodes(test)):
            break
    return found


_LEAVING = (ast.Return, ast.Break, ast.Continue)
_DECIDING = (
    *(ast.If, ast.While, ast.For, ast.AsyncFor, ast.IfExp, ast.BoolOp, ast.Match),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ExceptHandler),
)
"""What does not run all that stands in it, or not now."""
_TRYING = ("retr", "attempt", "tries")
"""Parts of the words for how often something is tried, which is once at least."""


def _unconditional(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """The calls of a function that no test, loop or handler decides about."""
    todo: list[ast.AST] = function.body[::-1]  # type: ignore[assignment]  # more than statements comes to it
    count = 0
    while todo and count < _MOST:
        node = todo.pop()
        if isinstance(node, ast.Call):
            count += 1
            yield node
        if not isinstance(node, _DECIDING):
            todo += reversed(children(node))


def _begun(solved: Solved, block: Block, start: Fact, slow: ast.AST) -> ast.AST | None:
    """The operation that has surely begun the transaction which is open at a call: the way there is gone once more.

    One that has raised may have found no database at all.
    """
    begun: ast.AST | None = None
    way = solved.way(block, start)
    edges = [*(edge for _, _, edge in way[1:]), None]
    for (there, fact, _), left in zip(way, edges, strict=True):
        current = [fact]
        raised = _raising(there) if left is not None and left.kind is EdgeKind.RAISE else None
        for point in there.points:
            if left is None and point.node is slow and point.kind is PointKind.CALL:
                return begun  # at the end of the way, which a loop may have led past it before
            if point is not raised and any(one.site is start.site and _begins(solved, point, one) for one in current):
                begun = begun or getattr(point.node, "iter", point.node)
            current = [after for one in current for after in solved.problem.transfer(point, one)]
            if all(one.state is not State.ACTIVE for one in current):
                begun = None
    return None


def _raising(block: Block) -> Point | None:
    """The point whose exception leaves a block."""
    return next((point for point in reversed(block.points) if point.kind in RAISING), None)


def _begins(solved: Solved, point: Point, fact: Fact) -> bool:
    """Whether a point asks the database for something through the session, so that a transaction is open then."""
    if point.kind is PointKind.NEXT:
        return effects.iterates(point.node.iter, fact)  # type: ignore[attr-defined]
    if point.kind is not PointKind.CALL:
        return False
    return _asks(solved.problem.module, point.node, solved.code, fact, 0)  # type: ignore[arg-type]  # a call


def _asks(module: Module, call: ast.Call, code: Code, fact: Fact, depth: int) -> bool:
    """Whether a call surely asks the database for something through a session, by itself or in what it calls."""
    own = own_effect(module, call, fact)
    if own is not None:
        return own[0].effect in _ASKING and bool(own[0].to)
    entered = _entered(module, call, code, fact) if depth < _DEEPEST else None
    if entered is None:
        return False
    home, function, inside = entered
    return any(_asks(home, one, function, inside, depth + 1) for one in _unconditional(function) if one in home.calls)


def _entered(module: Module, call: ast.Call, code: Code, fact: Fact) -> tuple[Module, FunctionNode, Fact] | None:
    """The function that a call runs with a session, and the fact by which it knows that; ``None`` where it has none."""
    callee = module.calls.callee(call)
    if callee.function is None or is_generator(callee.function):
        return None
    given = frozenset(parameters_given(module, call, callee.function, fact, bound=callee.bound))
    given |= known_as(module, call, callee, fact) | of_own_object(module, code, call, callee, fact)
    stored = {n.id for n in own_of(callee.function, ast.Name) if not isinstance(n.ctx, ast.Load)}
    names = frozenset[object](name for name in given if name.partition(".")[0] not in stored)
    names |= frozenset().union(*(known_there(module, code, callee, fact) or ()))
    return (module.at(callee), callee.function, NOTHING._replace(site=fact.site, names=names)) if names else None


def _ends_first(module: Module, call: ast.Call, code: Code, fact: Fact, slow: Slow) -> bool:
    """Whether a function that has the session ends the transaction before it waits."""
    entered = _entered(module, call, code, fact) if slow.inside else None
    if entered is None:
        return False
    home, function, inside = entered
    for one in _unconditional(function):
        if one is slow.inside[0]:
            return False
        own = own_effect(home, one, inside) if one in home.calls else None
        if own is not None and own[0].effect in ("commit", "rollback", "close"):
            return True
    return False
