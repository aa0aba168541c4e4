"""The boxes of a picture: which lines stand in them, and how large they are."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.analysis.trace import place
from session_lint.flow import PointKind
from session_lint.report.columns import columns
from session_lint.report.html.condensed import short
from session_lint.report.html.ink import shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.finding import Finding
    from session_lint.flow import Block, Graph, Point
    from session_lint.report.html.condensed import Node
    from session_lint.report.html.ways import Way

CHARACTER, LINE, PADDING = 6.63, 17.0, 9.0
"""Of the font of 11 pixels that the boxes are written in."""
NUMBER = 14.0
"""The width of a step's number."""
WIDEST, MOST_LINES = 38, 7


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


def size_of(box: Box, labels: Sequence[str]) -> tuple[float, float]:
    """How large a box is: its lines have room in it, and the labels of its edges below it."""
    wide = max(CHARACTER * columns(line.text) + NUMBER * len(line.steps) for line in box.lines)
    rows = 5 * CHARACTER if box.numbered else 0.0
    beside = max(map(columns, labels[1:]), default=0) if len(labels) > 2 else 0  # noqa: PLR2004  # of two one stands outside
    below = (len(labels) + 1) * (CHARACTER * beside + 8) if beside else 0.0
    return max(wide + rows + 2 * PADDING, below), LINE * len(box.lines) + PADDING


def box_of(node: Node, graph: Graph, on: Way, source: Sequence[str], finding: Finding) -> Box:
    """What is written in the box of a node."""
    first = node.blocks[0]
    if first is graph.exit:
        text = "ends" if isinstance(graph.code, ast.Module) else "returns"
        return Box("end", (Line(0, text),), node.on, raises=False)
    if first is graph.raised:
        return Box("raised", (Line(0, "the exception leaves"),), node.on, raises=False)
    lines = _lines(node, on, source, finding)
    if not lines:
        return Box("choice", (_choice(first),), node.on, node.raises)
    return Box("code", _fewer(lines), node.on, node.raises)


def _choice(block: Block) -> Line:
    """What is written where a block does nothing but part ways: by a test, or by what catches an exception."""
    asked = next((edge.node for edge in block.edges if isinstance(edge.node, ast.expr)), None)
    if asked is not None:
        return Line(asked.lineno, short(shape(ast.unparse(asked)), WIDEST))
    row = next((edge.node.lineno for edge in block.edges if isinstance(edge.node, (ast.Try, ast.ExceptHandler))), 0)
    return Line(0, f"line {row}: caught?" if row else "which way?")


def _lines(node: Node, on: Way, source: Sequence[str], finding: Finding) -> list[Line]:
    """The lines of the source that a node runs, with the steps in them."""
    points = [point for block in node.blocks for point in block.points]
    begun = [p for p in points if p.kind is PointKind.STATEMENT and not _quiet(p.node)]
    rows: dict[tuple[int, str], list[int]] = {(_row(p), _HOW.get(p.kind, "")): [] for p in begun or points}
    for block in node.blocks:
        for number in on.stops.get(block, ()):
            row = finding.trace[number - 1].location.row if number else finding.location.row
            key = next((key for key in rows if key[0] == row), (row, ""))
            rows.setdefault(key, []).extend([number] if number else [])
    return [
        Line(row, short(how + _text(source, row), WIDEST), tuple(dict.fromkeys(rows[row, how])))
        for row, how in sorted(rows)
    ]


def _quiet(node: ast.AST) -> bool:
    """Whether nothing happens where a statement begins that does not stand elsewhere: loops, `try`, docstrings."""
    return isinstance(node, (ast.For, ast.AsyncFor, ast.Try)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


_HOW = {PointKind.EXIT: "end of ", PointKind.RERAISE: "goes on after "}


def _row(point: Point) -> int:
    return getattr(place(point.node), "lineno", 0)


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
