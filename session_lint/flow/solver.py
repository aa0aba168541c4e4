"""A forward dataflow engine that keeps facts apart: no merging where ways join, a cap for each block and group."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from session_lint.flow.graph import RAISING, EdgeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from session_lint.flow.graph import Block, Code, Edge, Graph, Point

F = TypeVar("F")

CAP = 32
LEAST = 8
ROOM = 6_400
"""How many facts of one group a graph's blocks may keep together before each keeps fewer than ``CAP``."""
HARD = 16
MOST = 60_000
"""How many facts all blocks of a code may have together: some seconds' work. Real code has a few thousand at most."""


class SolverLimit(Exception):  # noqa: N818  # a limit that was reached, not an error of anybody's
    """A code whose facts do not stay few even when widened; callers treat it as unknown.

    :param code: the function or module body.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(f"too many facts in {getattr(code, 'name', type(code).__name__)}")
        self.code = code


class Problem(Protocol[F]):
    """What an analysis says about facts; facts are hashable values."""

    def entry(self) -> Iterable[F]:
        """The facts at the entry."""

    def transfer(self, point: Point, fact: F) -> Iterable[F]:
        """The facts after a point has completed."""

    def transfer_raise(self, point: Point, fact: F) -> Iterable[F]:
        """The facts after a point has raised: an acquisition that raises acquired nothing."""

    def follow(self, edge: Edge, fact: F) -> Iterable[F]:
        """The facts at the far end of an edge; none where it cannot be taken."""

    def group(self, fact: F) -> Hashable:
        """Facts of one group count against the cap together."""

    def fresh(self, fact: F, seen: dict[Hashable, Any]) -> F | None:
        """What of a fact is new where others have arrived before: ``None`` where these stand for all of it.

        :param seen: what the problem remembers of those; it adds what is new.
        """

    def key(self, fact: F) -> Hashable:
        """What two facts have in common of which the one that arrives first stands for both."""

    def widen(self, fact: F, *, more: bool = False) -> F:
        """A coarser fact that stands for this one; widening twice changes nothing.

        :param more: whether even that is too fine: there are many that are widened already.
        """


class Solution(Generic[F]):
    """What may hold where.

    :param facts: the facts at the start of each block, in the order of discovery.
    :param before: how each was reached first, by its block and key; ``None`` at the entry.
    :param key: what the problem tells facts apart by.
    """

    def __init__(
        self,
        facts: dict[Block, list[F]],
        before: dict[tuple[Block, Hashable], tuple[Block, F, Edge] | None],
        key: Callable[[F], Hashable],
    ) -> None:
        self.facts = facts
        self._before = before
        self._key = key

    def path(self, block: Block, fact: F) -> list[tuple[Block, F, Edge | None]]:
        """A shortest way from the entry: each block with the fact at its start and the edge that led there.

        :raises KeyError: where the fact does not hold at the start of the block.
        """
        way: list[tuple[Block, F, Edge | None]] = []
        before = self._before[block, self._key(fact)]
        while before is not None:
            way.append((block, fact, before[2]))
            block, fact = before[0], before[1]
            before = self._before[block, self._key(fact)]
        way.append((block, fact, None))
        return way[::-1]


def solve(graph: Graph, problem: Problem[F], cap: int | None = None) -> Solution[F]:
    """All facts that may hold, breadth first.

    :param cap: how many facts of one group a block keeps before further ones are widened; of a large graph, fewer.
    :raises SolverLimit: where a group has more than ``HARD`` times that many facts in a block even so, or all blocks
        together have more than ``MOST``.
    """
    worklist = _Worklist(graph, problem, cap or max(LEAST, min(CAP, ROOM // len(graph.blocks))))
    queue = worklist.queue
    arrive = worklist.arrive
    follow = problem.follow
    for fact in problem.entry():
        arrive(graph.entry, fact, None)
    while queue:
        block, start = queue.popleft()
        done, raised = _through(block, start, problem)
        for edge in block.edges:
            for fact in raised if edge.kind is EdgeKind.RAISE else done:
                for after in follow(edge, fact):
                    arrive(edge.target, after, (block, start, edge))
    return Solution(worklist.facts, worklist.before, problem.key)


class _Worklist(Generic[F]):
    """What has been found, and what is still to be followed."""

    def __init__(self, graph: Graph, problem: Problem[F], cap: int) -> None:
        self.code = graph.code
        self.problem = problem
        self.cap = cap
        self.queue: deque[tuple[Block, F]] = deque()
        self.facts: dict[Block, list[F]] = {}
        self.key = problem.key
        self.fresh = problem.fresh
        self.seen: defaultdict[Block, dict[Hashable, Any]] = defaultdict(dict)
        self.before: dict[tuple[Block, Hashable], tuple[Block, F, Edge] | None] = {}
        self.counts: dict[tuple[Block, Hashable], int] = {}

    def arrive(self, block: Block, fact: F, before: tuple[Block, F, Edge] | None) -> None:
        """A fact reaches the start of a block."""
        new = self.fresh(fact, self.seen[block])
        if new is None:
            return
        fact = new
        key = block, self.key(fact)
        if key in self.before:
            return
        slot = block, self.problem.group(fact)
        count = self.counts.get(slot, 0)
        if count >= self.cap:
            fact = self.problem.widen(fact, more=count >= HARD * self.cap // 2)
            key = block, self.key(fact)
            if key in self.before:
                return
            if count >= HARD * self.cap:
                raise SolverLimit(self.code)
        if len(self.before) >= MOST:
            raise SolverLimit(self.code)
        self.counts[slot] = count + 1
        self.before[key] = before
        self.facts.setdefault(block, []).append(fact)
        self.queue.append((block, fact))


def taken(graph: Graph, problem: Problem[F], solution: Solution[F]) -> frozenset[Edge]:
    """The edges of a graph that some fact of a solution takes; the others are on no way, as the problem sees it."""
    return frozenset(edge for block in graph.blocks for edge in _left(block, problem, solution.facts.get(block, ())))


def _left(block: Block, problem: Problem[F], facts: Iterable[F]) -> Iterator[Edge]:
    """The edges by which some facts leave a block."""
    for start in facts:
        done, raised = _through(block, start, problem)
        for edge in block.edges:
            there = raised if edge.kind is EdgeKind.RAISE else done
            if any(True for fact in there for _ in problem.follow(edge, fact)):
                yield edge


def _through(block: Block, fact: F, problem: Problem[F]) -> tuple[list[F], list[F]]:
    """The facts at the end of a block: where its last point completed, and where it raised."""
    done: list[F] = [fact]
    raised: list[F] = []
    transfer = problem.transfer
    for point in block.points:
        if point.kind in RAISING:
            raised = [after for one in done for after in problem.transfer_raise(point, one)]
        done = [after for one in done for after in transfer(point, one)]
    return done, raised
