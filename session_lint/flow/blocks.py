"""Blocks under construction: where the next point goes, and where an exception goes from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.flow.graph import RAISING, Block, Edge, EdgeKind, Point, PointKind

if TYPE_CHECKING:
    import ast
    from collections.abc import Set as AbstractSet


class Blocks:
    """The state of a builder.

    ``current`` is the open block, ``None`` where control cannot be: nothing is built there. ``handler`` is where an
    exception goes that is raised now. ``depth`` is how many exceptions are being handled (see :class:`Block`).

    :param reads: the names of fields whose reading is a point.
    """

    def __init__(self, reads: AbstractSet[str] = frozenset()) -> None:
        self.reads = reads
        self.exit, self.raised = Block(0), Block(0)
        self.entry = self.new_block()
        self.current: Block | None = self.entry
        self.handler = self.raised
        self.entered: set[Block] = {self.entry}

    depth = 0

    def new_block(self, depth: int | None = None) -> Block:
        """A block without a way into it yet."""
        return Block(0, self.depth if depth is None else depth)

    def link(self, source: Block, kind: EdgeKind, target: Block, node: ast.AST | None = None) -> None:
        """An edge."""
        source.edges.append(Edge(kind, source, target, node))
        self.entered.add(target)

    def jump(self, target: Block) -> None:
        """Control goes on at ``target``, if it gets here at all."""
        if self.current is not None:
            self.link(self.current, EdgeKind.NEXT, target)
            self.current = None

    def resume(self, block: Block) -> None:
        """Go on building at a block, if there is a way into it."""
        self.current = block if block in self.entered else None

    def split(self) -> Block | None:
        """Go on in a new block, and return the one that ends here."""
        before = self.current
        if before is not None:
            block = self.new_block()
            self.jump(block)
            self.current = block
        return before

    def emit(self, kind: PointKind, node: ast.AST, value: ast.AST | None = None) -> None:
        """A point; one that may raise ends its block."""
        if self.current is None:
            return
        self.current.points.append(Point(kind, node, value))
        if kind in RAISING:
            self.link(self.current, EdgeKind.RAISE, self.handler)
            self.split()

    def stop(self, kind: PointKind, node: ast.AST) -> Block | None:
        """A point that ends its block and is left by edges of its own; the block, if control gets here at all."""
        block, self.current = self.current, None
        if block is not None:
            block.points.append(Point(kind, node))
            self.link(block, EdgeKind.RAISE, self.handler)
        return block
