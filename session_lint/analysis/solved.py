"""The solution for one code: where each way ends, and every point with what holds there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.flow import PointKind
from session_lint.python.nodes import own_nodes
from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator

    from session_lint.analysis.lifecycle import Lifecycle
    from session_lint.analysis.state import Fact
    from session_lint.flow import Block, Code, Edge, Graph, Point, Solution


@dataclass(eq=False)
class Solved:
    """The solution for one code and one start.

    :param exits: the facts at its ends; ``flying`` tells the exceptional ones apart.
    """

    code: Code
    graph: Graph
    solution: Solution[Fact]
    problem: Lifecycle

    @cached_property
    def exits(self) -> list[Fact]:
        """The facts at the normal and the exceptional end."""
        facts = self.solution.facts
        return [*facts.get(self.graph.exit, ()), *facts.get(self.graph.raised, ())]

    @cached_property
    def ends(self) -> list[tuple[Block, Fact]]:
        """Where each way ends: the exits, and wherever the last name of an open session went."""
        facts = self.solution.facts
        found = [(block, fact) for block in (self.graph.exit, self.graph.raised) for fact in facts.get(block, ())]
        known = {fact for _, fact in found}
        for block, there in facts.items():
            found += [
                (block, fact) for fact in there if fact not in known and any(m.what == "dropped" for m in fact.marks)
            ]
            known.update(there)
        return found

    def way(self, block: Block, fact: Fact) -> list[tuple[Block, Fact, Edge | None]]:
        """A shortest way from the entry to a fact."""
        return self.solution.path(block, fact)

    def visits(self, *kinds: PointKind) -> Iterator[tuple[Point, Fact]]:
        """Every point of these kinds with every fact that arrives there."""
        for point, fact, _, _ in self.arrivals(*kinds):
            yield point, fact

    def arrivals(self, *kinds: PointKind) -> Iterator[tuple[Point, Fact, Block, Fact]]:
        """The same, with the block and the fact at its start, for :meth:`way`."""
        for block, facts in self.solution.facts.items():
            last = max((index for index, point in enumerate(block.points) if point.kind in kinds), default=-1)
            for start in facts if last >= 0 else ():
                for point, current in zip(block.points[: last + 1], self._passing(block, start), strict=False):
                    if point.kind in kinds:
                        yield from ((point, fact, block, start) for fact in current)

    def here(self, done: ast.AST, has: Callable[[Fact], bool]) -> ast.AST | None:
        """What is done to a session as its code sees it: the call, where it is done in what is called.

        :param done: where it is done.
        :param has: whether it is done, by a fact.
        """
        if done in own_nodes(self.code):
            return done
        for point, fact in self.visits(PointKind.CALL):
            if not has(fact) and any(map(has, self.problem.transfer(point, fact))):
                return point.node
        return None

    def _passing(self, block: Block, start: Fact) -> Iterator[list[Fact]]:
        """The facts that arrive at each point of a block, worked out once and no further than somebody asks."""
        known = self._known.setdefault((block, start), [[start]])
        for index in range(len(block.points)):
            if index == len(known):
                passed = block.points[index - 1]
                known.append([after for fact in known[-1] for after in self.problem.transfer(passed, fact)])
            yield known[index]

    @cached_property
    def _known(self) -> dict[tuple[Block, Fact], list[list[Fact]]]:
        return {}
