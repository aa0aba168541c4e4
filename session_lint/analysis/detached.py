"""Objects that are read after their session has committed, or rolled back, and closed: expired, and without a session.

What finds such sessions is imported where a module has the words for one: most have not, and every start pays.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.ended import by_hand_of, ended, in_blocks_of
from session_lint.analysis.expired import Held, expressions
from session_lint.analysis.loading import COLLECTING, elements, for_call, is_lazy, needs_session
from session_lint.analysis.reach import after
from session_lint.flow import PointKind, build
from session_lint.python.nodes import assigned_in, own_of, path
from session_lint.python.scopes import below, parameters
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.flow import Code, Graph, Point
    from session_lint.python.scopes import FunctionNode


@dataclass(frozen=True, eq=False)
class Read:
    """A read of an expired object without a session.

    :param node: the attribute.
    :param held: where the object is from.
    :param call: the call that it came out of, where it was loaded in another function, or that it was given to.
    :param given: whether it was given to that.
    :param waits: whether the session is open still, but asynchronous: nobody awaits what the read asks it for.
    """

    node: ast.Attribute
    held: Held
    code: ast.AST
    call: ast.Call | None = None
    given: bool = False
    waits: bool = False


def reads(facts: ModuleFacts) -> Iterator[Read]:
    """The first read of each object after its session's end, in the code that loads it or in one that calls that."""
    if facts.module is None:
        return
    codes = [code for code, _ in facts.module.codes]
    for block, variables in in_blocks_of(facts, codes):
        for held in variables:
            found = _first_read(facts.module, block.solved.graph, block.ends, held)
            if found is not None:
                yield Read(found, held, block.solved.code)
    for one, variables in by_hand_of(facts, codes):
        for held in variables:
            found = _first_read(facts.module, one.solved.graph, one.closes, held, one.read_there(facts.module))
            if found is not None:
                yield Read(found, held, one.solved.code)
    for code in codes:
        yield from _reads_of_results(facts.module, code)
        yield from _read_at_once(facts.module, code)
        yield from _reads_of_saved(facts.module, code)
    if "await" in facts.source.text and ".commit" in facts.source.text:
        yield from _reads_of_awaited(facts.module)


def _reads_of_awaited(module: Module) -> Iterator[Read]:
    """The reads of objects that an awaited commit has expired, where the session has not been closed yet."""
    from session_lint.analysis.awaited_reads import commits, expired, expires, points_of  # noqa: PLC0415  (see the top)

    for code, _ in module.codes:
        for name, calls in commits(module, code).items():
            variables = [*expired(module, code, name, calls)]
            if not variables or not expires(module, code, name):
                continue
            graph = build(code, frozenset())
            for held in variables:
                found = _first_read(module, graph, points_of(graph, calls), held)
                if found is not None:
                    yield Read(found, held, code, waits=True)


# what is read


def _first_read(
    module: Module,
    graph: Graph,
    starts: list[Point],
    held: Held,
    there: Callable[[Point, ast.AST], bool] = lambda _point, _node: True,
) -> ast.Attribute | None:
    """The first read, in the order of the text, of an attribute that needs the session.

    :param there: whether a read in a statement counts.
    """
    found: list[ast.Attribute] = []
    for point in after(graph, starts, _ending(module, held.name)):
        if point.kind is PointKind.STATEMENT:
            found += (node for node in _attributes(module, point.node, held) if there(point, node))
    return min(found, key=lambda n: (n.lineno, n.col_offset), default=None)


def _ending(module: Module, name: str) -> Callable[[Point], bool]:
    """Whether a point gives a variable something else, or hands its object to somebody who may attach it again."""

    def ends(point: Point) -> bool:
        if point.kind in (PointKind.STORE, PointKind.DELETE):
            return path(point.node) == name or path(point.node).startswith(f"{name}.")
        if point.kind is not PointKind.CALL or not isinstance(point.node, ast.Call):
            return False
        called = module.names.qualify(point.node.func, module.calls.scope(point.node))
        if called and called <= _HARMLESS:
            return False
        values = [*point.node.args, *(k.value for k in point.node.keywords)]
        return any(isinstance(v, ast.Name) and v.id == name for v in values)

    return ends


_HARMLESS = frozenset(f"builtins.{name}" for name in (*COLLECTING, "enumerate", "zip", "len", "print"))
"""What attaches nothing to a session."""


def _attributes(module: Module, statement: ast.AST, held: Held) -> Iterator[ast.Attribute]:
    """The reads of attributes in a statement's own expressions."""
    for node in expressions(statement):
        if not isinstance(node, ast.Attribute) or not _reads_field(module, node):
            continue
        if not _asks(held, node.attr):
            continue
        if _is_one(module, node.value, held) or (held.what.many and _is_element(module, node.value, held.name)):
            yield node


def _asks(held: Held, attribute: str) -> bool:
    """Whether reading an attribute of an object asks the session that it has no more."""
    return is_lazy(held.what, attribute) if held.lazy else needs_session(held.what, attribute)


def _is_one(module: Module, node: ast.expr, held: Held) -> bool:
    if held.what.many:
        return isinstance(node, ast.Subscript) and path(node.value) == held.name
    return isinstance(node, ast.Name) and node.id == held.name and not _hidden(module, node)


def _hidden(module: Module, node: ast.Name) -> bool:
    """Whether a variable is that of a comprehension or a lambda around it, which hides the function's own."""
    above = module.parents.get(node)
    while above is not None and not isinstance(above, ast.stmt):
        own = {arg.arg for arg in parameters(above)} if isinstance(above, ast.Lambda) else set[str]()
        targets = [made.target for made in getattr(above, "generators", ())]
        if node.id in own or any(path(n) == node.id for target in targets for n in below(target)):
            return True
        above = module.parents.get(above)
    return False


def _is_element(module: Module, node: ast.expr, name: str) -> bool:
    """Whether a variable runs over the collection, in a loop or comprehension around the place."""
    if not isinstance(node, ast.Name):
        return False
    above = module.parents.get(node)
    while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
        loops = [above] if isinstance(above, ast.For) else getattr(above, "generators", [])
        if any((name, node.id) == (o, path(t)) for loop in loops for o, t in elements(loop.iter, loop.target)):
            return True
        above = module.parents.get(above)
    return False


# what a function gives to its callers


def _given(home: Module, function: FunctionNode) -> Held | None:
    """The object of a scope that has ended by then, which a function returns."""
    program = home.program
    return program.pending.ask(program.detaching, function, lambda: _work_out_given(home, function))


def _work_out_given(home: Module, function: FunctionNode) -> Held | None:
    from session_lint.analysis.fetching import is_plain  # noqa: PLC0415  (see the top)

    found = _of_decorated(home, function)
    if found is None and is_plain(home, function):
        for one, variables in ended(home.program.facts(home), function):
            found = one.returned(home, variables) or found
    return found


def _of_decorated(module: Module, code: Code) -> Held | None:
    """What a function returns that it has from the session which its one decorator passes to it, commits and closes."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or len(code.decorator_list) != 1:
        return None
    if not _is_decorated(module, code):
        return None
    from session_lint.analysis.decorating import arriving  # noqa: PLC0415  (see the top)
    from session_lint.analysis.fetching import fetched_by  # noqa: PLC0415  (see the top)
    from session_lint.analysis.in_blocks import expires  # noqa: PLC0415  (see the top)

    (decorator,) = code.decorator_list
    for lent, name in arriving(module, code, decorator) if own_of(code, ast.Return) else ():
        found = fetched_by(module, code, {name}) if lent.commits and lent.returns else None
        if found is not None and expires(lent.home, lent.solved, lent.site.origin.node):
            return Held(
                "", found.what, found.node, ((decorator, "this decorator commits, which expires it, and closes"),)
            )
    return None


def _reads_of_saved(module: Module, code: Code) -> Iterator[Read]:
    """The reads in a code of objects that it has given to a function which has saved them."""
    from session_lint.analysis.saving import saves  # noqa: PLC0415  (see the top)

    for call, held, graph, points in saves(module, code):
        found = _first_read(module, graph, points, held)
        if found is not None:
            yield Read(found, held, code, call, given=True)


def _reads_of_results(module: Module, code: Code) -> Iterator[Read]:
    """The reads in a code of objects that come out of its calls."""
    assigned = assigned_in(code)
    read = {n.value.id for n in own_of(code, ast.Attribute) if isinstance(n.value, ast.Name)} if assigned else set()
    loops = own_of(code, ast.For, ast.comprehension)
    read |= {name for n in loops for name, _ in elements(n.iter, n.target)}
    for node in assigned:
        target = node.targets[0]
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or not isinstance(call, ast.Call):
            continue
        if target.id not in read:
            continue
        held = _held_of(module, call)
        if held is not None:
            mine = replace(held, name=target.id)
            graph = build(code, frozenset())
            starts = [p for b in graph.blocks for p in b.points if p.node is target]
            found = _first_read(module, graph, starts, mine)
            if found is not None:
                yield Read(found, mine, code, call)


def _read_at_once(module: Module, code: Code) -> Iterator[Read]:
    """The reads in a code of what comes out of a call by no variable: ``load(key).name``, ``for user in users()``."""
    for node in own_of(code, ast.Attribute):
        call = _called(node.value)
        if call is not None and _reads_field(module, node):
            held = _held_of(module, call)
            if held is not None and not held.what.many and _asks(held, node.attr):
                yield Read(node, replace(held, name=f"{path(call.func)}()"), code, call)
    for loop in own_of(code, ast.For, ast.comprehension):
        call, target = _called(loop.iter), loop.target
        held = _held_of(module, call) if call is not None and isinstance(target, ast.Name) else None
        if held is not None and held.what.many:
            place = loop if isinstance(loop, ast.For) else module.parents[loop]
            read = [
                n
                for n in own_of(place, ast.Attribute)
                if path(n.value) == target.id and _reads_field(module, n) and _asks(held, n.attr)  # type: ignore[attr-defined]
            ]
            if read:
                first = min(read, key=lambda n: (n.lineno, n.col_offset))
                yield Read(first, replace(held, name=target.id), code, call)  # type: ignore[attr-defined]  # a name


def _called(node: ast.expr) -> ast.Call | None:
    node = node.value if isinstance(node, ast.Await) else node
    return node if isinstance(node, ast.Call) else None


def _reads_field(module: Module, node: ast.Attribute) -> bool:
    """Whether an attribute is read, and not called: nobody knows what a method asks for."""
    return isinstance(node.ctx, ast.Load) and node not in module.names.scopes.called


def _held_of(module: Module, call: ast.Call) -> Held | None:
    callee = module.calls.callee(call)
    if callee.function is None:
        return None
    home = module.at(callee)
    function = callee.function
    if not (home.opens_one(function) or ends_by_hand(home, function) or _is_decorated(home, function)):
        return None
    held = _given(home, function)
    return held and replace(held, what=for_call(module, call, function, held.what, bound=callee.bound))


def ends_by_hand(home: Module, function: ast.AST) -> bool:
    """Whether a function may commit and close a session by hand that it has from another one, or in a field."""
    methods = {c.func.attr for c in home.calls_in(function) if isinstance(c.func, ast.Attribute)}
    return "close" in methods and not methods.isdisjoint(("commit", "rollback"))


def _is_decorated(home: Module, function: ast.AST) -> bool:
    """Whether a decorator passes a session to a function."""
    if not getattr(function, "decorator_list", ()):
        return False
    from session_lint.analysis.decorating import decorated  # noqa: PLC0415  (see the top)

    return bool(decorated(home, function))
