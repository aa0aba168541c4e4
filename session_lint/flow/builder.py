"""From a syntax tree to a control-flow graph.

The builder is stacked up from parts, each of which knows the ones below it: :mod:`~session_lint.flow.blocks`,
:mod:`~session_lint.flow.branches`, :mod:`~session_lint.flow.expressions`, :mod:`~session_lint.flow.leaving`,
:mod:`~session_lint.flow.protected`, :mod:`~session_lint.flow.statements`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.flow.graph import Block, Code, EdgeKind, Graph, PointKind
from session_lint.flow.statements import Statements

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def build(code: Code, reads: AbstractSet[str] = frozenset()) -> Graph:
    """The control-flow graph of a function, lambda or module body.

    :param reads: the names of fields whose reading is a point.
    :returns: a graph whose blocks can all be reached, in order of discovery from the entry; only the two ends are
        always there.
    :raises RecursionError: where the code nests deeper than the interpreter's stack.
    """
    builder = Statements(reads)
    if isinstance(code, ast.Lambda):
        builder.expr(code.body)
        builder.emit(PointKind.RETURN, code.body, code.body)
    else:
        builder.body(code.body)
    builder.jump(builder.exit)
    blocks = _reached(builder.entry, builder.exit, builder.raised)
    return Graph(code, blocks, builder.entry, builder.exit, builder.raised)


def _reached(entry: Block, *ends: Block) -> list[Block]:
    """The blocks that can be reached, numbered; edges skip those in which nothing happens."""
    found = [entry]
    seen = {entry}
    for block in found:
        for edge in block.edges:
            target = edge.target = _past_empty(edge.target)
            if target not in seen:
                seen.add(target)
                found.append(target)
    found += [end for end in ends if end not in seen]
    for index, block in enumerate(found):
        block.index = index
    return found


def _past_empty(block: Block) -> Block:
    """The first block from here on in which something happens; every loop has one at its head."""
    while not block.points and len(block.edges) == 1 and block.edges[0].kind is EdgeKind.NEXT:
        block = block.edges[0].target
    return block
