"""The way of a finding through the graph of its function: found again from the steps that the finding tells."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from session_lint.analysis.trace import place
from session_lint.flow import EdgeKind

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from session_lint.finding import Location
    from session_lint.flow import Block, Edge, Graph
    from session_lint.source import Source

    State = tuple[Block, int]

_RAISE = 6
"""A step that nobody tells of is rather one that completes than one that raises,"""
_UNTAKEN = 200
"""and an edge that the analysis knows nobody takes stands only where it must;"""
_SKIP = 5_000
"""a step that is nowhere in the graph is passed over."""


@dataclass(frozen=True)
class Stop:
    """A step of a finding inside of its function, or several that are passed at once.

    :param numbers: the steps' numbers in the trace, from 1.
    :param place: where it stands.
    :param kind: the edge that has to be taken there; ``None`` for reaching the place.
    """

    numbers: tuple[int, ...]
    place: Location
    kind: EdgeKind | None = None


@dataclass(frozen=True)
class Way:
    """A way from the entry of a graph.

    :param edges: in the order in which they are taken.
    :param stops: the numbers of the steps that stand in a block.
    """

    edges: tuple[Edge, ...]
    stops: dict[Block, list[int]]


def way(graph: Graph, taken: AbstractSet[Edge], stops: Sequence[Stop], source: Source, *, out: bool) -> Way | None:
    """The likeliest way past all stops, in their order.

    :param taken: the edges that the analysis takes.
    :param source: the text of the module.
    :param out: whether it goes on until it leaves the function.
    :returns: ``None`` where no stop stands in the graph.
    """
    search = _Search(taken, stops, lambda node: source.start(place(node)) if hasattr(place(node), "lineno") else None)
    ends = {graph.exit, graph.raised} if out else None
    before, last = search.run(graph.entry, ends)
    return search.told(before, last) if last is not None else None


class _Search:
    """Dijkstra's search over blocks and how many stops have been passed."""

    def __init__(
        self, taken: AbstractSet[Edge], stops: Sequence[Stop], at: Callable[[ast.AST], Location | None]
    ) -> None:
        self.taken, self.stops, self.at = taken, stops, at

    def run(
        self, entry: Block, ends: AbstractSet[Block] | None
    ) -> tuple[dict[State, tuple[State, Edge | None] | None], State | None]:
        """How each state was reached first, and the one at the end of the way."""
        start = entry, self._inside(entry, 0)
        order = count()
        queue: list[tuple[int, int, State, tuple[State, Edge | None] | None]] = [(0, next(order), start, None)]
        before: dict[State, tuple[State, Edge | None] | None] = {}
        while queue:
            cost, _, state, came = heapq.heappop(queue)
            if state in before:
                continue
            before[state] = came
            if state[1] == len(self.stops) and (ends is None or state[0] in ends):
                return before, state
            for more, after, edge in self._next(state):
                heapq.heappush(queue, (cost + more, next(order), after, (state, edge)))
        return before, None

    def _next(self, state: State) -> Iterator[tuple[int, State, Edge | None]]:
        block, passed = state
        for edge in block.edges:
            now = passed + self._by(edge, passed)
            cost = 1 if edge.kind is not EdgeKind.RAISE or now > passed else _RAISE
            yield cost if edge in self.taken else cost + _UNTAKEN, (edge.target, self._inside(edge.target, now)), edge
        if passed < len(self.stops):
            yield _SKIP, (block, passed + 1), None

    def _by(self, edge: Edge, passed: int) -> bool:
        """Whether taking an edge passes the next stop."""
        if passed == len(self.stops):
            return False
        stop = self.stops[passed]
        node = edge.node
        if edge.kind is EdgeKind.RAISE and edge.source.points:
            node = edge.source.points[-1].node
        elif stop.kind is None and edge.kind in (EdgeKind.TRUE, EdgeKind.FALSE):
            return False  # its test has been passed in the block before
        return node is not None and stop.kind in (edge.kind, None) and self.at(node) == stop.place

    def _inside(self, block: Block, passed: int) -> int:
        """How many stops have been passed at the end of a block."""
        for point in block.points:
            if passed < len(self.stops):
                stop = self.stops[passed]
                passed += stop.kind is None and self.at(point.node) == stop.place
        return passed

    def told(self, before: dict[State, tuple[State, Edge | None] | None], last: State) -> Way | None:
        """The way that leads to a state."""
        edges: list[Edge] = []
        stops: dict[Block, list[int]] = {}
        state, came = last, before[last]
        while came is not None:
            earlier, edge = came
            if edge is not None:
                edges.append(edge)
                between = earlier[1] + self._by(edge, earlier[1])
                self._note(stops, edge.target if edge.kind is EdgeKind.CATCH else edge.source, earlier[1], between)
                self._note(stops, edge.target, between, state[1])
            state, came = earlier, before[earlier]
        self._note(stops, state[0], 0, state[1])
        return (
            Way(tuple(reversed(edges)), {block: sorted(numbers) for block, numbers in stops.items()}) if stops else None
        )

    def _note(self, stops: dict[Block, list[int]], block: Block, first: int, last: int) -> None:
        if last > first:
            stops.setdefault(block, []).extend(n for stop in self.stops[first:last] for n in stop.numbers)
