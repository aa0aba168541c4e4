"""A graph as text: for golden tests, and for people who wonder why."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.flow.graph import Block, Edge, Graph, Point

WIDTH = 60


def render(graph: Graph) -> str:
    """One line for each block, point and edge; the same text for the same graph.

    :returns: lines without a final newline. ``exit`` and ``raised`` are named, other blocks numbered in order of
        discovery; a block's depth stands behind its name where it is not 0.
    """
    names = {block: str(block.index) for block in graph.blocks} | {graph.exit: "exit", graph.raised: "raised"}
    return "\n".join(line for block in graph.blocks for line in _block(block, names))


def _block(block: Block, names: dict[Block, str]) -> Iterator[str]:
    if not block.points and not block.edges:
        return  # one of the two ends
    yield names[block] + (f" depth {block.depth}" if block.depth else "") + ":"
    for point in block.points:
        yield f"  {point.kind.value} {_point(point)}"
    for edge in block.edges:
        yield f"  {_edge(edge)} -> {names[edge.target]}"


def _point(point: Point) -> str:
    text = snippet(point.node)
    if point.value is None or point.value is point.node:
        return text
    return f"{text} <- {snippet(point.value)}"


def _edge(edge: Edge) -> str:
    return edge.kind.value if edge.node is None else f"{edge.kind.value} {snippet(edge.node)}"


def snippet(node: ast.AST) -> str:
    """The source of a node, as much of it as fits on a line; a compound statement's first line."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return f"{'class' if isinstance(node, ast.ClassDef) else 'def'} {node.name}"
    text = ast.unparse(node).strip().partition("\n")[0].removesuffix(":")
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
