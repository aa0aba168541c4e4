"""Layered drawing of a directed graph: boxes in rows, edges as polylines that run between and past them.

The steps are those of Sugiyama, Tagawa and Toda (1981): turn edges round until there is no cycle, rank by the longest
way, order each row by barycentres, and give the boxes the places that are nearest to their neighbours'.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Point = tuple[float, float]
Size = tuple[float, float]

ACROSS = 18.0
"""Between two boxes of a row."""
DOWN = 42.0
"""Between two rows; edges turn and have their labels there."""
LANE = 4.0
"""How wide the place is that an edge takes in a row which it passes."""
TURN, ARRIVE = 24.0, 8.0
"""How far below its row an edge turns that goes back up, below its label, and how far above the other one."""
SWEEPS = 12


@dataclass(frozen=True)
class Drawing:
    """Where everything is, from the upper left corner.

    :param places: the upper left corner of each box.
    :param lines: the points of each edge, from its source to its target.
    """

    width: float
    height: float
    places: list[Point]
    lines: list[list[Point]]


def draw(boxes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> Drawing:
    """A drawing of a graph; the same for the same graph.

    :param boxes: the width and height of each node; the first one is where the graph begins.
    :param edges: source and target of each, as indices of boxes.
    """
    back = _back(len(boxes), edges)
    rank = _ranks(len(boxes), [edge for edge, up in zip(edges, back, strict=True) if not up])
    rows = _Rows(boxes, edges, back, rank)
    rows.order()
    rows.place()
    return rows.drawing()


def _back(count: int, edges: Sequence[tuple[int, int]]) -> list[bool]:
    """Which edges close a cycle, seen from the first node."""
    leaving: list[list[int]] = [[] for _ in range(count)]
    for number, (source, _) in enumerate(edges):
        leaving[source].append(number)
    back = [False] * len(edges)
    way, seen = set[int](), set[int]()  # the nodes between the root and here, and all that have been met
    for root in range(count):
        stack = [root] if root not in seen else []
        while stack:
            node = stack[-1]
            seen.add(node)
            way.add(node)
            if not leaving[node]:
                way.discard(stack.pop())
                continue
            number = leaving[node].pop(0)
            target = edges[number][1]
            back[number] = target in way
            if target not in seen:
                stack.append(target)
    return back


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The row of each node: one below the lowest of its predecessors."""
    missing = [0] * count
    leaving: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        missing[target] += 1
        leaving[source].append(target)
    rank = [0] * count
    ready = [node for node in range(count) if not missing[node]]
    for node in ready:
        for target in leaving[node]:
            rank[target] = max(rank[target], rank[node] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return rank


class _Rows:
    """The rows under construction. An *item* is a node, or the lane of an edge in a row that it passes."""

    def __init__(
        self, boxes: Sequence[Size], edges: Sequence[tuple[int, int]], back: Sequence[bool], rank: Sequence[int]
    ) -> None:
        self.boxes, self.edges, self.back, self.rank = boxes, edges, back, list(rank)
        self.widths = [width for width, _ in boxes]
        self.rows: list[list[int]] = [[] for _ in range(max(rank) + 1)]
        for node, row in enumerate(rank):
            self.rows[row].append(node)
        self.above: dict[int, list[int]] = {}
        self.below: dict[int, list[int]] = {}
        self.beside: dict[int, int] = {}  # the node that the end of a way back up stands next to
        self.lanes = [self._lanes(*edge, up) for edge, up in zip(edges, back, strict=True)]
        self.x: list[float] = []

    def _lanes(self, source: int, target: int, up: bool) -> list[int]:  # noqa: FBT001
        """The items through which an edge passes, from the top down, after linking them."""
        if up:
            first, last = self.rank[target], self.rank[source] + 1
        else:
            first, last = self.rank[source] + 1, self.rank[target]
        lanes = list(range(len(self.widths), len(self.widths) + last - first))
        self.widths += [LANE] * len(lanes)
        for lane, row in zip(lanes, range(first, last), strict=True):
            self.rows[row].append(lane)
        if up:
            self.beside |= {lanes[-1]: source, lanes[0]: target}
        for upper, lower in pairwise(lanes if up else [source, *lanes, target]):
            self.below.setdefault(upper, []).append(lower)
            self.above.setdefault(lower, []).append(upper)
        return lanes

    def order(self) -> None:
        """Order the rows so that few edges cross."""
        best, fewest = [list(row) for row in self.rows], self._crossings()
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            for row in self.rows if down else self.rows[::-1]:
                self._sort(row, self.above if down else self.below)
            crossings = self._crossings()
            if crossings < fewest:
                best, fewest = [list(row) for row in self.rows], crossings
        self.rows = best

    def _sort(self, row: list[int], near: dict[int, list[int]]) -> None:
        at = {item: float(place) for line in self.rows for place, item in enumerate(line)}
        wish = {i: sum(at[n] for n in near[i]) / len(near[i]) if i in near else at[i] for i in row}
        wish |= {i: wish[self.beside[i]] + 0.5 for i in row if i not in near and i in self.beside}
        row.sort(key=lambda item: wish[item])

    def _crossings(self) -> int:
        found = 0
        for upper, lower in pairwise(self.rows):
            at = {item: place for place, item in enumerate(lower)}
            ends = [at[n] for item in upper for n in sorted(self.below.get(item, ()), key=lambda n: at[n])]
            found += sum(a > b for place, a in enumerate(ends) for b in ends[place + 1 :])
        return found

    def place(self) -> None:
        """Give each item the middle that is nearest to its neighbours'."""
        self.x = [0.0] * len(self.widths)
        for row in self.rows:
            self._settle(row, [0.0] * len(row))
        for sweep in range(SWEEPS):
            down = sweep % 2 == 0
            near = self.above if down else self.below
            for row in self.rows if down else self.rows[::-1]:
                self._settle(row, [self._wish(item, near) for item in row])
        left = min(x - width / 2 for x, width in zip(self.x, self.widths, strict=True))
        self.x = [x - left for x in self.x]

    def _wish(self, item: int, near: dict[int, list[int]]) -> float:
        if item in near:
            return sum(self.x[n] for n in near[item]) / len(near[item])
        if item in self.beside:
            node = self.beside[item]
            return self.x[node] + self.widths[node] / 2 + ACROSS
        return self.x[item]

    def _settle(self, row: list[int], wishes: list[float]) -> None:
        """Places in the order of the row, wide enough apart, with the least sum of squares from the wishes."""
        offset, offsets = 0.0, [0.0]
        for left, right in pairwise(row):
            offset += (self.widths[left] + self.widths[right]) / 2 + ACROSS
            offsets.append(offset)
        groups: list[tuple[float, int]] = []  # sum of wishes, and how many share the mean
        for wish, shift in zip(wishes, offsets, strict=True):
            total, count = wish - shift, 1
            while groups and groups[-1][0] / groups[-1][1] > total / count:
                total, count = total + groups[-1][0], count + groups[-1][1]
                groups.pop()
            groups.append((total, count))
        means = [total / count for total, count in groups for _ in range(count)]
        for item, mean, shift in zip(row, means, offsets, strict=True):
            self.x[item] = mean + shift

    def drawing(self) -> Drawing:
        """The finished drawing."""
        heights = [max(self.boxes[i][1] if i < len(self.boxes) else 0.0 for i in row) for row in self.rows]
        tops = [DOWN]
        for height in heights:
            tops.append(tops[-1] + height + DOWN)
        places = [(self.x[n] - self.widths[n] / 2, tops[self.rank[n]]) for n in range(len(self.boxes))]
        lines = [self._line(number, tops, heights) for number in range(len(self.edges))]
        right = max(x + width / 2 for x, width in zip(self.x, self.widths, strict=True))
        return Drawing(right, tops[-1], places, lines)

    def _line(self, number: int, tops: list[float], heights: list[float]) -> list[Point]:
        (source, target), lanes = self.edges[number], self.lanes[number]
        start, end = self._port(number, source, leaving=True), self._port(number, target, leaving=False)
        row, last = self.rank[source], self.rank[target]
        bottom = tops[row] + heights[row]
        line = [(start, tops[row] + self.boxes[source][1]), (start, bottom)]
        if self.back[number]:
            turn = self.x[lanes[-1]]
            line += [(start, bottom + TURN), (turn, bottom + TURN)]
            rows = range(last, row + 1)
            for lane, passed in reversed(list(zip(lanes, rows, strict=True))):
                line += [(self.x[lane], tops[passed] + heights[passed]), (self.x[lane], tops[passed])]
            line += [(self.x[lanes[0]], tops[last] - ARRIVE), (end, tops[last] - ARRIVE)]
        else:
            for lane, passed in zip(lanes, range(row + 1, last), strict=True):
                line += [(self.x[lane], tops[passed]), (self.x[lane], tops[passed] + heights[passed])]
        return _plain([*line, (end, tops[last])])

    def _port(self, number: int, node: int, *, leaving: bool) -> float:
        """Where on its lower or upper side an edge touches a box: in the order of where the edges come from."""
        side = 0 if leaving else 1
        ends = [n for n, edge in enumerate(self.edges) if edge[side] == node]
        ends.sort(key=lambda n: (self._next(n, leaving=leaving), n))
        return self.x[node] + self.widths[node] * ((ends.index(number) + 1) / (len(ends) + 1) - 0.5)

    def _next(self, number: int, *, leaving: bool) -> float:
        lanes = self.lanes[number]
        if not lanes:
            return self.x[self.edges[number][1 if leaving else 0]]
        return self.x[lanes[0] if leaving is not self.back[number] else lanes[-1]]


def _plain(line: list[Point]) -> list[Point]:
    """A line without points that change nothing."""
    found = line[:1]
    for before, after in pairwise(line):
        if before != after:
            found.append(after)
    return found
