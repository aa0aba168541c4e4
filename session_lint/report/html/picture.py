"""The control-flow graph of the function that holds a finding, as a picture: where each box and line goes."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from session_lint.analysis.state import NOTHING
from session_lint.flow import EdgeKind, SolverLimit, build, taken
from session_lint.report.html.boxes import WIDEST, Box, Line, box_of, size_of
from session_lint.report.html.condensed import Arc, Condensed, Node, condense, short
from session_lint.report.html.ways import Stop, Way, way
from session_lint.report.layered import draw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding, Step
    from session_lint.flow import Code, Edge, Graph
    from session_lint.report.layered import Point

MARGIN = 22.0
TOLD = 12
"""How many stops of a long way are told in words, at its beginning and at its end."""
_LEAVING = ("leaves here", "the exception leaves", "the generator ends here")
"""What is said of a last step from which the way goes on until it is out of the function."""
_KINDS = {
    "is true": EdgeKind.TRUE,
    "is false": EdgeKind.FALSE,
    "may raise": EdgeKind.RAISE,
    "raises": EdgeKind.RAISE,
    "loop ends": EdgeKind.EXHAUSTED,
}


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
    """The graph of the function that a finding is in, with its way; ``None`` where there is nothing to show."""
    code = _holding(finding, facts)
    if code is None:
        return None
    out = bool(finding.trace) and finding.trace[-1].message.startswith(_LEAVING)
    try:
        graph, edges = _followed(facts, code)
        found = way(graph, edges, _stops(finding, code), facts.source, out=out)
        if found is None:
            return None
        return _laid_out(graph, condense(graph, edges, found), found, finding, facts.source.lines)
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
    """The boxes and lines in their places, after a box for the call of the function."""
    name = short(finding.symbol, WIDEST) or "module"
    begin = Node([], on=True)
    nodes, arcs = [begin, *found.nodes], [Arc(begin, found.nodes[0], EdgeKind.NEXT, on=True), *found.arcs]
    boxes = [Box("start", (Line(0, name),), on=True, raises=False)]
    boxes += [box_of(node, graph, on, source, finding) for node in found.nodes]
    sizes = [size_of(b, [arc.label for arc in arcs if arc.source is n]) for n, b in zip(nodes, boxes, strict=True)]
    at = {node: index for index, node in enumerate(nodes)}
    drawing = draw(sizes, [(at[arc.source], at[arc.target]) for arc in arcs])
    placed = tuple(
        replace(box, x=x + MARGIN, y=y, width=size[0], height=size[1])
        for box, (x, y), size in zip(boxes, drawing.places, sizes, strict=True)
    )
    wires = tuple(sorted(_wires(arcs, drawing.lines), key=lambda wire: wire.on))  # the way is drawn over the others
    words = _words(name, placed, on)
    return Picture(name, drawing.width + 2 * MARGIN, drawing.height, placed, wires, words, found.left_out)


def _wires(arcs: Sequence[Arc], lines: Sequence[list[Point]]) -> Iterator[Wire]:
    first: dict[Node, float] = {}
    for arc, line in zip(arcs, lines, strict=True):
        first[arc.source] = min(first.get(arc.source, line[0][0]), line[0][0])
    for arc, line in zip(arcs, lines, strict=True):
        points = tuple((x + MARGIN, y) for x, y in line)
        yield Wire(points, arc.label, arc.on, arc.exceptional, before=line[0][0] == first[arc.source])


def _words(name: str, boxes: Sequence[Box], on: Way) -> str:
    """The way in words."""
    rows: list[str] = [name]
    for block in [*(edge.source for edge in on.edges), *(edge.target for edge in on.edges[-1:])]:
        said = [f"line {point.row}" for point in (*block.points[:1], *block.points[-1:]) if point.row]
        rows += [row for row in dict.fromkeys(said) if row != rows[-1]]
    last = next((box.lines[0].text for box in boxes if box.on and box.kind in ("end", "raised")), "")
    if len(rows) > 2 * TOLD:
        rows = [*rows[:TOLD], "…", *rows[-TOLD:]]
    return ", ".join([*rows, *([last] if last else [])])
