"""A forward dataflow engine that keeps facts apart: no merging where ways join, a cap for each block and group."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from session_lint.flow.graph import Block, Edge, Graph, Point

from session_lint.flow.graph import RAISING, EdgeKind

F = TypeVar("F")


class SolverLimit(Exception):
    """A code whose facts do not stay few even when widened; callers treat it as unknown."""


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

    def widen(self, fact: F) -> F:
        """A coarser fact that stands for this one; widening twice changes nothing."""


class Solution(Generic[F]):
    """The facts at the start of each block, in the order of discovery."""

    def __init__(self) -> None:
        self.facts: dict[Block, list[F]] = {}
        self._before: dict[tuple[Block, F], tuple[Block, F, Edge] | None] = {}

    def path(self, block: Block, fact: F) -> list[tuple[Block, F, Edge | None]]:
        """A shortest way from the entry: each block with the fact at its start and the edge that led there."""
        way: list[tuple[Block, F, Edge | None]] = []
        while True:
            before = self._before[(block, fact)]
            way.append((block, fact, before[2] if before else None))
            if before is None:
                return way[::-1]
            block, fact = before[0], before[1]


def solve(graph: Graph, problem: Problem[F], cap: int = 32) -> Solution[F]:
    """All facts that may hold, breadth first.

    :param cap: how many facts of one group a block keeps before further ones are widened.
    :raises SolverLimit: where a group has more than 16 times that many facts in a block even so.
    """
    solution: Solution[F] = Solution()
    queue: deque[tuple[Block, F]] = deque()
    counts: dict[tuple[Block, Hashable], int] = {}

    def arrive(block: Block, fact: F, before: tuple[Block, F, Edge] | None) -> None:
        if (block, fact) in solution._before:  # noqa: SLF001  # the two are one thing
            return
        slot = (block, problem.group(fact))
        count = counts.get(slot, 0)
        if count >= cap:
            fact = problem.widen(fact)
            if (block, fact) in solution._before:  # noqa: SLF001
                return
            if count >= 16 * cap:
                raise SolverLimit
        counts[slot] = count + 1
        solution._before[(block, fact)] = before  # noqa: SLF001
        solution.facts.setdefault(block, []).append(fact)
        queue.append((block, fact))

    for fact in problem.entry():
        arrive(graph.entry, fact, None)
    while queue:
        block, start = queue.popleft()
        done, raised = _through(block, start, problem)
        for edge in block.edges:
            for fact in raised if edge.kind is EdgeKind.RAISE else done:
                for after in problem.follow(edge, fact):
                    arrive(edge.target, after, (block, start, edge))
    return solution


def _through(block: Block, fact: F, problem: Problem[F]) -> tuple[list[F], list[F]]:
    """The facts at the end of a block: where its last point completed, and where it raised."""
    done = [fact]
    raised: list[F] = []
    for point in block.points:
        if point.kind in RAISING:
            raised = [after for one in done for after in problem.transfer_raise(point, one)]
        done = [after for one in done for after in problem.transfer(point, one)]
    return done, raised
