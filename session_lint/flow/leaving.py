"""Ways out: ``return``, ``break`` and ``continue`` through every cleanup between here and there.

What has to happen on the way out of a block (a ``finally`` body, an ``__exit__``) is kept on a stack of *cleanups*.
Every way out unwinds it, innermost first, with a copy of its own, as CPython does. Ways with the same destination share
a copy, so that their number grows with the destinations and not with the ways. Only a ``finally`` inside the body of
another doubles what is inside it, in CPython's bytecode too.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from typing import TYPE_CHECKING

from session_lint.flow.expressions import Expressions
from session_lint.flow.graph import PointKind
from session_lint.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from session_lint.flow.graph import Block


@dataclass(eq=False)
class Cleanup:
    """What runs when control leaves a block.

    :param node: the ``try`` whose ``finally`` body it is, or the item whose exit it is.
    :param handler: where an exception goes that is raised while it runs.
    :param depth: how many exceptions are being handled where it stands.
    :param copies: the first block of the copy for each destination that was needed.
    """

    node: ast.Try | ast.withitem
    handler: Block
    depth: int
    copies: dict[Block, Block] = field(default_factory=dict)


@dataclass(eq=False)
class Loop:
    """Where ``break`` and ``continue`` go.

    :param height: how many cleanups surround the loop.
    """

    after: Block
    head: Block
    height: int


class Leaving(Expressions):
    """The part of the builder that knows what surrounds it."""

    def __init__(self, reads: AbstractSet[str] = frozenset()) -> None:
        super().__init__(reads)
        self.cleanups: list[Cleanup] = []
        self.loops: list[Loop] = []

    @abstractmethod
    def body(self, statements: Sequence[ast.stmt]) -> None:
        """One statement after the other, until control cannot go on."""

    def guard(self, node: ast.Try | ast.withitem) -> Block:
        """Start a block that is left through a cleanup; its exceptions go to the block that is returned."""
        failing = self.new_block()
        self.cleanups.append(Cleanup(node, self.handler, self.depth))
        self.handler = failing
        return failing

    def unguard(self, after: Block) -> None:
        """End that block: fall through its cleanup to ``after``."""
        self.leave(after, len(self.cleanups) - 1)
        self.handler = self.cleanups.pop().handler

    def leave(self, target: Block, height: int) -> None:
        """Go to ``target`` through every cleanup above ``height``, innermost first."""
        for index in range(len(self.cleanups) - 1, height - 1, -1):
            if self.current is None:
                return
            cleanup = self.cleanups[index]
            known = target in cleanup.copies
            copy = cleanup.copies.setdefault(target, self.new_block(cleanup.depth))
            self.jump(copy)
            if not known:
                self.resume(copy)
                self.run(cleanup, index)
        self.jump(target)

    def run(self, cleanup: Cleanup, index: int) -> None:
        """One copy of a cleanup, in the surroundings that it stands in."""
        saved = self.cleanups, self.loops, self.handler, self.depth
        self.cleanups = self.cleanups[:index]
        self.loops = [loop for loop in self.loops if loop.height <= index]
        self.handler, self.depth = cleanup.handler, cleanup.depth
        if isinstance(cleanup.node, ast.withitem):
            self.emit(PointKind.EXIT, cleanup.node)
        else:
            self.body(cleanup.node.finalbody)
        self.cleanups, self.loops, self.handler, self.depth = saved
