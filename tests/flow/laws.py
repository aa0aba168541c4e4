"""What holds of every graph."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING

from session_lint.flow import RAISING, Block, Code, EdgeKind, Graph, PointKind, build

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)
NEVER_COMPLETE = {PointKind.RAISE, PointKind.RERAISE}
ALTERNATIVES = [
    {EdgeKind.NEXT},
    {EdgeKind.TRUE},
    {EdgeKind.FALSE},
    {EdgeKind.TRUE, EdgeKind.FALSE},
    {EdgeKind.ITEM, EdgeKind.EXHAUSTED},
    {EdgeKind.CASE},
    {EdgeKind.CASE, EdgeKind.NEXT},
    {EdgeKind.CATCH},
    {EdgeKind.CATCH, EdgeKind.UNCAUGHT},
    {EdgeKind.SWALLOW},
    {EdgeKind.SWALLOW, EdgeKind.UNWIND},
    set(),
]


def codes(tree: ast.AST) -> Iterator[Code]:
    """Everything in a module that has a graph."""
    for node in ast.walk(tree):
        if isinstance(node, CODES):
            yield node


def broken(graph: Graph) -> list[str]:
    """The laws that a graph breaks, and where."""
    found = [f"{name}: {block.index}" for block in graph.blocks for name, law in LAWS.items() if not law(graph, block)]
    whole = {"every block can be reached": _unreachable(graph), "blocks are numbered in order": _misnumbered(graph)}
    return [*found, *(f"{name}: {where}" for name, where in whole.items() if where)]


def _raises(_graph: Graph, block: Block) -> bool:
    last = bool(block.points) and block.points[-1].kind in RAISING
    return [edge.kind for edge in block.edges].count(EdgeKind.RAISE) == int(last)


def _only_last_raises(_graph: Graph, block: Block) -> bool:
    return not any(point.kind in RAISING for point in block.points[:-1])


def _never_completes(_graph: Graph, block: Block) -> bool:
    never = bool(block.points) and block.points[-1].kind in NEVER_COMPLETE
    return not never or len(block.edges) == 1


def _goes_on(graph: Graph, block: Block) -> bool:
    return bool(block.edges) == (block not in (graph.exit, graph.raised))


def _alternatives(_graph: Graph, block: Block) -> bool:
    kinds = [edge.kind for edge in block.edges if edge.kind is not EdgeKind.RAISE]
    several = [kind for kind in kinds if kind is not EdgeKind.CATCH]
    return set(kinds) in ALTERNATIVES and len(several) == len(set(several))


def _atoms(_graph: Graph, block: Block) -> bool:
    tests = [edge.node for edge in block.edges if edge.kind in (EdgeKind.TRUE, EdgeKind.FALSE)]
    return not any(_compound(node) or (isinstance(node, ast.Constant) and len(tests) > 1) for node in tests)


def _compound(node: ast.AST | None) -> bool:
    return isinstance(node, ast.BoolOp) or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))


def _depth(_graph: Graph, block: Block) -> bool:
    for edge in block.edges:
        deeper = edge.target.depth - block.depth
        if deeper > (1 if edge.kind is EdgeKind.CATCH else 0):
            return False
        if edge.kind is EdgeKind.CATCH and edge.target.depth == 0:
            return False
    return True


def _ends(graph: Graph, block: Block) -> bool:
    return not (block in (graph.exit, graph.raised) and (block.points or block.depth))


def _owned(graph: Graph, block: Block) -> bool:
    known = set(graph.blocks)
    return all(edge.source is block and edge.target in known for edge in block.edges)


def _returns(_graph: Graph, block: Block) -> bool:
    """A ``return`` ends its block: what is left to do is cleaning up."""
    return not any(point.kind is PointKind.RETURN for point in block.points[:-1])


LAWS = {
    "a block whose last point raises has one RAISE edge, others have none": _raises,
    "only the last point raises": _only_last_raises,
    "what always raises does not go on": _never_completes,
    "only the two ends have no edges": _goes_on,
    "the edges are alternatives of one choice": _alternatives,
    "tests are atoms": _atoms,
    "an exception is caught one at a time": _depth,
    "the two ends are empty": _ends,
    "edges belong to their source and stay in the graph": _owned,
    "a return ends its block": _returns,
}


def _unreachable(graph: Graph) -> list[int]:
    seen = {graph.entry}
    queue = [graph.entry]
    for block in queue:
        for edge in block.edges:
            if edge.target not in seen:
                seen.add(edge.target)
                queue.append(edge.target)
    return [block.index for block in graph.blocks if block not in seen | {graph.exit, graph.raised}]


def _misnumbered(graph: Graph) -> list[int]:
    indices = [block.index for block in graph.blocks]
    if graph.blocks[0] is not graph.entry:
        return indices[:1]
    return [b for a, b in pairwise([-1, *indices]) if b != a + 1]


def size(source: str) -> int:
    """How many blocks the first function of a source has."""
    return len(build(next(code for code in codes(ast.parse(source)) if not isinstance(code, ast.Module))).blocks)
