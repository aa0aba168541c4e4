"""What may run after a point of a graph, on the ways that no exception takes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from session_lint.flow import EdgeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from session_lint.flow import Block, Graph, Point


def after(graph: Graph, starts: Iterable[Point], ends: Callable[[Point], bool]) -> Iterator[Point]:
    """Every point that some way reaches from one of ``starts``, itself only where a way comes back to it.

    :param ends: whether a point ends the ways through it; it is the last that they give.
    """
    given: set[Point] = set()
    for _, points in _stretches(graph, starts, ends):
        for point in points:
            if point not in given:
                given.add(point)
                yield point


def escapes(graph: Graph, starts: Iterable[Point], ends: Callable[[Point], bool]) -> bool:
    """Whether some way from one of ``starts`` comes to the end of the code, past every point that ``ends`` it."""
    return any(block is graph.exit for block, _ in _stretches(graph, starts, ends))


def _stretches(
    graph: Graph, starts: Iterable[Point], ends: Callable[[Point], bool]
) -> Iterator[tuple[Block, list[Point]]]:
    """The blocks that the ways go through, each with those of its points that they reach."""
    wanted = set(starts)
    todo: deque[tuple[Block, int]] = deque(
        (block, index + 1) for block in graph.blocks for index, point in enumerate(block.points) if point in wanted
    )
    seen: set[Block] = set()
    while todo:
        block, first = todo.popleft()
        if first == 0:
            if block in seen:
                continue
            seen.add(block)
        points = block.points[first:]
        last = next((index for index, point in enumerate(points) if ends(point)), None)
        yield block, points if last is None else points[: last + 1]
        if last is None:
            todo.extend((edge.target, 0) for edge in block.edges if edge.kind is not EdgeKind.RAISE)
