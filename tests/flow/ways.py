"""What the graph says about a program: a problem whose facts are whole ways, events and all."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple

from session_lint.flow import Edge, EdgeKind, Graph, Point, PointKind, build, solve
from tests.flow.execution import Event, Ways

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

CATCHES = {"Exception": {"A", "B", "AssertionError"}, "BaseException": {"A", "B", "AssertionError"}}


class Way(NamedTuple):
    """A way to somewhere.

    :param flying: the exception on its way.
    :param caught: the exceptions being handled, the innermost last.
    :param values: whose value each expression and variable has, and which.
    :param returning: each ``return`` that is under way, and whose value; the last one interrupts those before it.
    """

    events: tuple[Event, ...] = ()
    flying: str | None = None
    caught: tuple[str, ...] = ()
    values: frozenset[tuple[object, tuple[int | None, object]]] = frozenset()
    returning: tuple[tuple[ast.Return, int | None], ...] = ()

    def happen(self, name: str, choice: object) -> Way:
        """The way after an event."""
        return self._replace(events=(*self.events, (name, choice)))

    def set(self, key: object, value: tuple[int | None, object]) -> Way:
        """The way after something got a value."""
        others = frozenset(one for one in self.values if one[0] != key)
        return self._replace(values=others | {(key, value)})

    def get(self, node: ast.AST | None) -> tuple[int | None, object]:
        """The value of an expression that has been evaluated: whose it is, and what it is."""
        if isinstance(node, ast.Constant):
            return None, node.value
        if isinstance(node, ast.NamedExpr):
            return self.get(node.target)
        if isinstance(node, ast.UnaryOp):
            return None, not self.get(node.operand)[1]
        key = node.id if isinstance(node, ast.Name) else node
        return dict(self.values).get(key, (None, None))


class AllWays:
    """The problem.

    :param cut: fills with the first events of the ways that go on.
    """

    def __init__(self, graph: Graph, most: int, raises: list[str]) -> None:
        self.most = most
        self.raises = raises
        self.cut: set[tuple[Event, ...]] = set()
        self.parents = {child: node for node in ast.walk(graph.code) for child in ast.iter_child_nodes(node)}
        self.finals = dict(_finals(graph.code))

    def entry(self) -> Iterable[Way]:
        """Nothing has happened."""
        return [Way()]

    def transfer(self, point: Point, way: Way) -> Iterable[Way]:
        """What may happen at a point."""
        node, kind = point.node, point.kind
        if kind is PointKind.STATEMENT:
            return [self.abandon(way, self.loop(node) if isinstance(node, (ast.Break, ast.Continue)) else node)]
        if kind is PointKind.PHI:
            return [way.set(node, way.get(point.value))]
        if kind is PointKind.STORE and isinstance(node, ast.Name):
            return [way.set(node.id, way.get(point.value))]
        if kind is PointKind.RETURN and isinstance(node, ast.Return):
            return [way._replace(returning=(*way.returning, (node, way.get(point.value)[0])))]
        name, options = self.happening(point, way)
        if not name:
            return [way]
        if len(way.events) == self.most:
            self.cut.add(way.events)
            return []
        number = int(name.split()[1])
        return [way.happen(name, option).set(node, (number, option)) for option in options]

    def transfer_raise(self, point: Point, way: Way) -> Iterable[Way]:
        """What may be raised at a point."""
        node, kind = point.node, point.kind
        if kind is PointKind.RERAISE:
            return [way._replace(flying=way.caught[-1])]
        if kind is PointKind.RAISE and isinstance(node, ast.Assert):
            return [way._replace(flying="AssertionError")]
        if kind is PointKind.RAISE and isinstance(node, ast.Raise):
            return [way._replace(flying=node.exc.id if isinstance(node.exc, ast.Name) else way.caught[-1])]
        name, _ = self.happening(point, way)
        if not name or len(way.events) == self.most:
            return []
        return [way.happen(name, kind)._replace(flying=kind) for kind in self.raises]

    def happening(self, point: Point, way: Way) -> tuple[str, list[Any]]:
        """The event that a point is, and its options."""
        node = point.node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            options: dict[str, list[Any]] = {"t": ["ok"], "q": [True, False], "k": [0, 1, 2]}
            return (f"call {_number(node)}", options[node.func.id]) if node.func.id in options else ("", [])
        if isinstance(node, ast.withitem):
            word = "enter" if point.kind is PointKind.ENTER else "exit"
            swallow = ["swallow"] if way.flying is not None else []
            return f"{word} {_number(node.context_expr)}", ["ok", *swallow]
        if isinstance(node, ast.For):
            return f"next {_number(node.iter)}", ["item", "end"]
        return "", []

    def follow(self, edge: Edge, way: Way) -> Iterable[Way]:
        """The way along an edge, if it is one."""
        found = self.along(edge, way)
        if found is None:
            return []
        found = found._replace(caught=found.caught[: edge.target.depth])
        assert len(found.caught) == edge.target.depth, "a block that handles more than was caught"
        return [found]

    def along(self, edge: Edge, way: Way) -> Way | None:
        """The way along an edge, before the depth of its target is looked at."""
        node, kind = edge.node, edge.kind
        last = way.events[-1][1] if way.events else None
        if kind in (EdgeKind.TRUE, EdgeKind.FALSE):
            return way if bool(way.get(node)[1]) is (kind is EdgeKind.TRUE) else None
        if kind in (EdgeKind.ITEM, EdgeKind.EXHAUSTED):
            return way if last == {EdgeKind.ITEM: "item", EdgeKind.EXHAUSTED: "end"}[kind] else None
        if kind is EdgeKind.CATCH:
            return self.catch(edge, way)
        if kind is EdgeKind.UNCAUGHT:
            return None if any(_catches(other.node, way.flying) for other in edge.source.edges) else way
        if kind is EdgeKind.UNWIND:
            return way if last == "ok" else None
        if kind is EdgeKind.SWALLOW:
            assert isinstance(node, ast.withitem)
            return self.abandon(way, node)._replace(flying=None) if last == "swallow" else None
        matches = [self.matches(other.node, way) for other in edge.source.edges if other.kind is EdgeKind.CASE]
        if kind is EdgeKind.CASE:
            return way if matches[0] else None
        return None if kind is EdgeKind.NEXT and any(matches) else way

    def catch(self, edge: Edge, way: Way) -> Way | None:
        """The way into a clause, or into a ``finally`` body with the exception that it interrupts."""
        earlier = edge.source.edges[: edge.source.edges.index(edge)]
        if way.flying is None or any(_catches(other.node, way.flying) for other in earlier):
            return None
        if isinstance(edge.node, ast.ExceptHandler) and not _catches(edge.node, way.flying):
            return None
        return way._replace(flying=None, caught=(*way.caught[: edge.target.depth - 1], way.flying))

    def matches(self, case: ast.AST | None, way: Way) -> bool:
        """Whether the subject of a ``match`` is what a case names."""
        assert isinstance(case, ast.match_case)
        match = self.parents[case]
        assert isinstance(match, ast.Match)
        numbers = [n.value for n in ast.walk(case.pattern) if isinstance(n, ast.Constant)]
        return not numbers or way.get(match.subject)[1] in numbers

    def abandon(self, way: Way, node: ast.AST) -> Way:
        """A ``return`` is under way only in ``finally`` bodies around it: what goes on outside them has given it up."""
        inside = self.finals[node][1]
        return way._replace(returning=tuple(one for one in way.returning if self.finals[one[0]][0] & inside))

    def loop(self, node: ast.AST) -> ast.AST:
        """The loop that a ``break`` or ``continue`` is about."""
        inner = node
        while not (isinstance(node, (ast.For, ast.While)) and inner in node.body):
            inner, node = node, self.parents[node]
        return node

    def group(self, way: Way) -> Hashable:
        """Each way stands for itself."""
        return way

    def fresh(self, way: Way, seen: dict[Hashable, Any]) -> Way | None:  # noqa: ARG002
        """All of it."""
        return way

    def key(self, way: Way) -> Hashable:
        """Each way stands for itself."""
        return way

    def widen(self, way: Way, *, more: bool = False) -> Way:  # noqa: ARG002
        """No way is like another."""
        return way


def _finals(
    node: ast.AST, within: frozenset[ast.AST] = frozenset(), inside: frozenset[ast.AST] = frozenset()
) -> Iterable[tuple[ast.AST, tuple[frozenset[ast.AST], frozenset[ast.AST]]]]:
    """For each node, the ``try`` statements that it leaves through their ``finally``, and those in whose it stands."""
    yield node, (within, inside)
    for child in ast.iter_child_nodes(node):
        final = isinstance(node, ast.Try) and child in node.finalbody
        guarded = isinstance(node, ast.Try) and not final
        yield from _finals(child, within | {node} if guarded else within, inside | {node} if final else inside)


def _number(call: ast.expr) -> int:
    assert isinstance(call, ast.Call)
    assert isinstance(call.args[0], ast.Constant)
    return int(str(call.args[0].value))


def _catches(handler: ast.AST | None, kind: str | None) -> bool:
    if not isinstance(handler, ast.ExceptHandler):
        return False
    if handler.type is None:
        return True
    names = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return any(kind in CATCHES.get(name, {name}) for name in names)


def ways(text: str, most: int, raises: list[str]) -> Ways:
    """Every way of at most ``most`` events through the graph of a program."""
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    graph = build(function)
    problem = AllWays(graph, most, raises)
    facts = solve(graph, problem).facts
    whole: set[tuple[tuple[Event, ...], tuple[str, Any]]] = set()
    for way in facts.get(graph.exit, []):
        whole.add((way.events, ("return", way.returning[-1][1] if way.returning else None)))
    for way in facts.get(graph.raised, []):
        whole.add((way.events, ("raise", way.flying)))
    return Ways(whole, problem.cut)
