"""The control-flow graph of the function that holds a finding, as a picture: where each box and line goes."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.analysis.state import NOTHING
from session_lint.flow import EdgeKind, PointKind, SolverLimit, build, taken
from session_lint.report.frame import columns, shape
from session_lint.report.html.condensed import Arc, Condensed, Node, condense, short
from session_lint.report.html.ways import Stop, Way, way
from session_lint.report.layered import draw

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding, Step
    from session_lint.flow import Block, Code, Edge, Graph
    from session_lint.report.layered import Point

CHARACTER, LINE, PADDING, MARGIN = 6.63, 17.0, 9.0, 22.0
"""Of the font of 11 pixels that the boxes are written in."""
NUMBER = 14.0
"""The width of a step's number."""
WIDEST, MOST_LINES = 38, 7
_LEAVING = ("leaves here", "the exception leaves", "the generator ends here")
"""What is said of a last step from which the way goes on until it is out of the function."""
_KINDS = {"is true": EdgeKind.TRUE, "is false": EdgeKind.FALSE, "may raise": EdgeKind.RAISE, "raises": EdgeKind.RAISE}


@dataclass(frozen=True)
class Line:
    """A line of a box.

    :param row: its line in the file; 0 where it is not from there.
    :param steps: the numbers of the steps of the finding that stand in it.
    """

    row: int
    text: str
    steps: tuple[int, ...] = ()


@dataclass(frozen=True)
class Box:
    """A node of the graph.

    :param kind: ``code``, ``start``, ``end``, ``raised`` or ``choice``.
    :param on: whether the way goes through it.
    :param raises: whether an exception may leave the function from here, on another way.
    """

    kind: str
    lines: tuple[Line, ...]
    on: bool
    raises: bool
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = 0.0

    @property
    def numbered(self) -> bool:
        """Whether its lines stand in the file."""
        return any(line.row for line in self.lines)


@dataclass(frozen=True)
class Wire:
    """An edge of the graph.

    :param before: whether its label stands to the left of where it begins.
    """

    points: tuple[Point, ...]
    label: str
    on: bool
    exceptional: bool
    before: bool = False

    @property
    def turn(self) -> float:
        """How far down it has left its row."""
        (x, top), (turned, bottom) = self.points[:2]
        return bottom if x == turned and len(self.points) > 2 else top  # noqa: PLR2004


@dataclass(frozen=True)
class Picture:
    """A graph that is laid out.

    :param words: the way through it, for those who do not see it.
    :param left_out: how many boxes are not drawn, because there are too many.
    """

    name: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    wires: tuple[Wire, ...]
    words: str
    left_out: int


def picture(finding: Finding, facts: ModuleFacts) -> Picture | None:
    """The graph of the function that a finding is in, with the finding's way; ``None`` where there is nothing to show."""
    code = _holding(finding, facts)
    if code is None:
        return None
    out = bool(finding.trace) and finding.trace[-1].message.startswith(_LEAVING)
    try:
        graph, edges = _followed(facts, code)
        found = way(graph, edges, _stops(finding, code), facts.source, out=out)
        return found and _laid_out(graph, condense(graph, edges, found), found, finding, facts.source.lines)
    except RecursionError:  # code that is nested very deeply
        return None


def _holding(finding: Finding, facts: ModuleFacts) -> Code | None:
    """The innermost function around a finding, or the module."""
    row = finding.location.row
    codes = [code for code, _ in facts.module.codes] if facts.module is not None else []
    around = [code for code in codes if isinstance(code, ast.Module) or code.lineno <= row <= (code.end_lineno or 0)]
    return max(around, key=lambda code: getattr(code, "lineno", 0), default=None)


def _followed(facts: ModuleFacts, code: Code) -> tuple[Graph, AbstractSet[Edge]]:
    """A code's graph, and the edges that the analysis follows; all, where there are too many ways."""
    assert facts.module is not None
    try:
        solved = facts.module.solve(code, NOTHING, hops=0)
    except SolverLimit:
        graph = build(code)
        return graph, {edge for block in graph.blocks for edge in block.edges}
    return solved.graph, taken(solved.graph, solved.problem, solved.solution)


def _stops(finding: Finding, code: Code) -> list[Stop]:
    """The steps of a finding that stand in a code; what raises and what leaves there are one stop."""
    steps = [(n, s) for n, s in enumerate(finding.trace, 1) if s.filename == finding.filename and _inside(s, code)]
    found: list[Stop] = []
    for number, step in steps:
        kind = next((kind for words, kind in _KINDS.items() if words in step.message), None)
        if found and found[-1].place == step.location and step.message.startswith(_LEAVING):
            found[-1] = Stop((*found[-1].numbers, number), step.location, found[-1].kind)
        else:
            found.append(Stop((number,), step.location, kind))
    return found or [Stop((0,), finding.location)]


def _inside(step: Step, code: Code) -> bool:
    return isinstance(code, ast.Module) or code.lineno <= step.location.row <= (code.end_lineno or 0)


def _laid_out(graph: Graph, found: Condensed, on: Way, finding: Finding, source: Sequence[str]) -> Picture:
    name = short(finding.symbol, WIDEST) or "module"
    start = Box("start", (Line(0, name),), on=True, raises=False)
    boxes = [start, *(_box(node, graph, on, source, finding) for node in found.nodes)]
    labels = [(), *([arc.label for arc in found.arcs if arc.source is node] for node in found.nodes)]
    sizes = [_size(box, beside) for box, beside in zip(boxes, labels, strict=True)]
    at = {node: index for index, node in enumerate(found.nodes, 1)}
    edges = [(0, 1), *((at[arc.source], at[arc.target]) for arc in found.arcs)]
    drawing = draw(sizes, edges)
    placed = [
        Box(box.kind, box.lines, box.on, box.raises, x + MARGIN, y, *size)
        for box, (x, y), size in zip(boxes, drawing.places, sizes, strict=True)
    ]
    arcs = [Arc(found.nodes[0], found.nodes[0], EdgeKind.NEXT, on=True), *found.arcs]
    first = {
        arc.source: min(line[0][0] for a, line in zip(arcs, drawing.lines, strict=True) if a.source is arc.source)
        for arc in arcs
    }
    wires = [
        Wire(
            tuple((x + MARGIN, y) for x, y in line), arc.label, arc.on, arc.exceptional, line[0][0] == first[arc.source]
        )
        for arc, line in zip(arcs, drawing.lines, strict=True)
    ]
    wires.sort(key=lambda wire: wire.on)  # the way is drawn over the others
    width = drawing.width + 2 * MARGIN
    return Picture(name, width, drawing.height, tuple(placed), tuple(wires), _words(name, placed, on), found.left_out)


def _size(box: Box, labels: Sequence[str]) -> tuple[float, float]:
    """How large a box is: its lines have room in it, and the labels below it."""
    wide = max(CHARACTER * columns(line.text) + NUMBER * len(line.steps) for line in box.lines)
    rows = 5 * CHARACTER if box.numbered else 0.0
    below = (len(labels) + 1) * (CHARACTER * max(map(columns, labels[1:])) + 8) if len(labels) > 1 else 0.0
    return max(wide + rows + 2 * PADDING, below if len(labels) > 2 else 0.0), LINE * len(box.lines) + PADDING  # noqa: PLR2004


def _box(node: Node, graph: Graph, on: Way, source: Sequence[str], finding: Finding) -> Box:
    first = node.blocks[0]
    if first is graph.exit:
        return Box(
            "end", (Line(0, "returns" if not isinstance(graph.code, ast.Module) else "ends"),), node.on, raises=False
        )
    if first is graph.raised:
        return Box("raised", (Line(0, "the exception leaves"),), node.on, raises=False)
    lines = _lines(node, on, source, finding)
    if not lines:
        row = next((e.node.lineno for e in first.edges if isinstance(e.node, (ast.Try, ast.ExceptHandler))), 0)
        text = f"try in line {row}: caught?" if row else "which way?"
        return Box("choice", (Line(0, text),), node.on, node.raises)
    return Box("code", _fewer(lines), node.on, node.raises)


def _lines(node: Node, on: Way, source: Sequence[str], finding: Finding) -> list[Line]:
    """The lines of the source that a node runs, with the steps in them."""
    points = [point for block in node.blocks for point in block.points]
    begun = [p for p in points if p.kind is PointKind.STATEMENT and not isinstance(p.node, _QUIET)]
    rows: dict[tuple[int, str], list[int]] = {(p.row, _HOW.get(p.kind, "")): [] for p in begun or points}
    for block in node.blocks:
        for number in on.stops.get(block, ()):
            row = finding.trace[number - 1].location.row if number else finding.location.row
            key = next((key for key in rows if key[0] == row), (row, ""))
            rows.setdefault(key, []).extend([number] if number else [])
    return [
        Line(row, short(how + _text(source, row), WIDEST), tuple(dict.fromkeys(rows[row, how])))
        for row, how in sorted(rows)
    ]


_QUIET = (ast.For, ast.AsyncFor, ast.Try)
"""Statements in whose beginning nothing happens that has no box of its own."""
_HOW = {PointKind.EXIT: "end of ", PointKind.RERAISE: "goes on after "}


def _text(source: Sequence[str], row: int) -> str:
    return shape(source[row - 1]).strip() if 1 <= row <= len(source) else ""


def _fewer(lines: list[Line]) -> tuple[Line, ...]:
    """The lines, or, where they are many, the first and the last ones and those with steps."""
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    kept = {0, 1, len(lines) - 1} | {n for n, line in enumerate(lines) if line.steps}
    found: list[Line] = []
    for number, line in enumerate(lines):
        if number in kept:
            found.append(line)
        elif number - 1 in kept:
            found.append(Line(0, "⋯"))
    return tuple(found)


def _words(name: str, boxes: Sequence[Box], on: Way) -> str:
    """The way in words."""
    rows: list[str] = [name]
    for block in [*(edge.source for edge in on.edges), *(edge.target for edge in on.edges[-1:])]:
        row = next((str(point.row) for point in block.points if point.row), "")
        if row and rows[-1] != f"line {row}":
            rows.append(f"line {row}")
    last = next((box.lines[0].text for box in boxes if box.on and box.kind in ("end", "raised")), "")
    return ", ".join([*rows, *([last] if last else [])])
