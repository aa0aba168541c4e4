"""A control-flow graph as people look at one: what always runs together is one node, and empty blocks are none."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_lint.flow import EdgeKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from session_lint.flow import Block, Edge, Graph
    from session_lint.report.html.ways import Way

MOST = 60
"""How many nodes are drawn at most; of a larger graph the way and what is next to it."""
EXCEPTIONAL = frozenset({EdgeKind.RAISE, EdgeKind.CATCH, EdgeKind.UNCAUGHT, EdgeKind.UNWIND})
_LABELS = {
    EdgeKind.TRUE: "true",
    EdgeKind.FALSE: "false",
    EdgeKind.ITEM: "next item",
    EdgeKind.EXHAUSTED: "no more",
    EdgeKind.CASE: "case",
    EdgeKind.UNCAUGHT: "not caught",
    EdgeKind.SWALLOW: "swallowed",
}


@dataclass(eq=False)
class Node:
    """Blocks that run one after the other.

    :param on: whether the way goes through it.
    :param raises: whether an exception may leave the code from here; such an edge is drawn only where the way takes it.
    """

    blocks: list[Block]
    on: bool = False
    raises: bool = False


@dataclass(eq=False)
class Arc:
    """An edge between nodes."""

    source: Node
    target: Node
    kind: EdgeKind
    label: str = ""
    on: bool = False

    @property
    def exceptional(self) -> bool:
        """Whether an exception takes it."""
        return self.kind in EXCEPTIONAL


@dataclass
class Condensed:
    """A graph to be drawn; the first node is where it begins.

    :param left_out: how many nodes are not drawn.
    """

    nodes: list[Node]
    arcs: list[Arc] = field(default_factory=list)
    left_out: int = 0


def condense(graph: Graph, taken: AbstractSet[Edge], way: Way) -> Condensed:
    """What is drawn of a graph.

    :param taken: the edges that the analysis takes; only they are drawn, and the way.
    """
    edges = _seen(graph, taken | set(way.edges))
    nodes = _chains(graph, edges, way)
    node_of = {block: node for node in nodes for block in node.blocks}
    for block in [graph.entry, *(edge.target for edge in way.edges)]:
        node_of[_past(block, edges)].on = True
    found = Condensed(nodes, _arcs(edges, node_of, set(way.edges), graph.raised))
    return _cut(_without_idle_ends(found, graph))


def _seen(graph: Graph, wanted: AbstractSet[Edge]) -> dict[Block, list[Edge]]:
    """The wanted edges out of each block that they reach."""
    edges: dict[Block, list[Edge]] = {}
    todo = [graph.entry]
    for block in todo:
        if block not in edges:
            edges[block] = [edge for edge in block.edges if edge in wanted]
            todo += [edge.target for edge in edges[block]]
    return edges


def _past(block: Block, edges: dict[Block, list[Edge]]) -> Block:
    """The block, or the one behind it where nothing happens in it and there is one way on."""
    while not block.points and len(edges[block]) == 1 and edges[block][0].target is not block:
        block = edges[block][0].target
    return block


def _chains(graph: Graph, edges: dict[Block, list[Edge]], way: Way) -> list[Node]:
    """The blocks in nodes: a block joins the one before it where nothing else leads to it or away from there."""
    kept = [block for block in edges if _past(block, edges) is block]
    coming: dict[Block, set[Block]] = {block: set() for block in kept}
    for block in kept:
        for edge in edges[block]:
            coming[_past(edge.target, edges)].add(block)
    first = _past(graph.entry, edges)
    stop = {edge.source for edge in way.edges if edge.kind in EXCEPTIONAL} | {
        way.edges[-1].target if way.edges else first
    }
    node_of: dict[Block, Node] = {}
    for block in kept:
        (before,) = coming[block] if len(coming[block]) == 1 else (None,)
        alone = before is not None and block not in (first, graph.exit, graph.raised) and before not in stop
        if before is not None and alone and before in node_of and _joins(before, block, edges):
            node_of[block] = node_of[before]
            node_of[before].blocks.append(block)
        else:
            node_of[block] = Node([block])
    return list(dict.fromkeys(node_of[block] for block in kept))


def _joins(before: Block, block: Block, edges: dict[Block, list[Edge]]) -> bool:
    """Whether control goes on from one block to the other and nowhere else, but by the same exception."""
    on = [edge for edge in edges[before] if edge.kind is not EdgeKind.RAISE]
    raising = [{_past(e.target, edges) for e in edges[b] if e.kind is EdgeKind.RAISE} for b in (before, block)]
    goes_on = len(on) == 1 and on[0].kind is EdgeKind.NEXT and _past(on[0].target, edges) is block
    return goes_on and (not all(raising) or raising[0] == raising[1])


def _arcs(
    edges: dict[Block, list[Edge]], node_of: dict[Block, Node], on: AbstractSet[Edge], raised: Block
) -> list[Arc]:
    arcs: dict[tuple[Node, Node, bool, str], Arc] = {}
    for block, node in node_of.items():
        for edge in edges[block]:
            target, label = node_of[_past(edge.target, edges)], _label(edge)
            if target is node and edge.kind is EdgeKind.NEXT and block is not node.blocks[-1]:
                continue
            if target.blocks[0] is raised and edge not in on:
                node.raises = True
                continue
            key = node, target, edge.kind in EXCEPTIONAL, label
            arc = arcs.setdefault(key, Arc(node, target, edge.kind, label))
            arc.on = arc.on or edge in on
    return list(arcs.values())


def _label(edge: Edge) -> str:
    if edge.kind is EdgeKind.CATCH and isinstance(edge.node, ast.ExceptHandler):
        return "caught" if edge.node.type is None else short(ast.unparse(edge.node.type), 24)
    return _LABELS.get(edge.kind, "")


def short(text: str, most: int) -> str:
    """A text, or as much of it as fits."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _without_idle_ends(found: Condensed, graph: Graph) -> Condensed:
    """Without the end that nothing leads to."""
    reached = {arc.target for arc in found.arcs}
    ends = {graph.exit, graph.raised}
    nodes = [n for n in found.nodes if n.blocks[0] not in ends or n in reached or n is found.nodes[0]]
    return Condensed(nodes, found.arcs)


def _cut(found: Condensed) -> Condensed:
    """At most :data:`MOST` nodes: those of the way, their neighbours."""
    if len(found.nodes) <= MOST:
        return found
    on = [node for node in found.nodes if node.on]
    kept = set(on if len(on) <= MOST else [*on[: MOST // 2], *on[-MOST // 2 :]])
    for near in _neighbours(found.arcs, kept):
        if len(kept) == MOST:
            break
        kept.add(near)
    nodes = [node for node in found.nodes if node in kept]
    arcs = [arc for arc in found.arcs if arc.source in kept and arc.target in kept]
    return Condensed(nodes, arcs, len(found.nodes) - len(nodes))


def _neighbours(arcs: Sequence[Arc], nodes: AbstractSet[Node]) -> list[Node]:
    beside = [arc.target for arc in arcs if arc.source in nodes] + [arc.source for arc in arcs if arc.target in nodes]
    return [node for node in dict.fromkeys(beside) if node not in nodes]
