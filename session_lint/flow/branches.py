"""Tests and what they decide: short circuits, conditional expressions, the loops of comprehensions.

A test is taken apart until its edges carry atoms, so that an analysis of guards never meets ``and``, ``or`` or ``not``.
"""

# ruff: noqa: N802  # the methods are named after the nodes they build

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from session_lint.flow.blocks import Blocks
from session_lint.flow.graph import Block, EdgeKind, PointKind

if TYPE_CHECKING:
    from collections.abc import Sequence


class Branches(Blocks, ABC):
    """The part of the builder that forks."""

    @abstractmethod
    def expr(self, node: ast.AST) -> None:
        """Evaluate an expression."""

    @abstractmethod
    def store(self, target: ast.expr, value: ast.AST | None) -> None:
        """Bind a target."""

    def test(self, node: ast.expr, then: Block, other: Block) -> None:
        """Evaluate a test and go to one of two blocks."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.test(node.operand, other, then)
        elif isinstance(node, ast.BoolOp):
            for value in node.values[:-1]:
                more = self.new_block()
                self.test(value, *((more, other) if isinstance(node.op, ast.And) else (then, more)))
                self.resume(more)
            self.test(node.values[-1], then, other)
        else:
            self.expr(node)
            self.branch(node, then, other)

    def branch(self, node: ast.expr, then: Block, other: Block) -> None:
        """The two edges of an evaluated atom; a constant has one."""
        if self.current is None:
            return
        constant = bool(node.value) if isinstance(node, ast.Constant) else None
        if constant is not False:
            self.link(self.current, EdgeKind.TRUE, then, node)
        if constant is not True:
            self.link(self.current, EdgeKind.FALSE, other, node)
        self.current = None

    def test_value(self, node: ast.expr, then: Block, other: Block) -> None:
        """The same for a test whose value is wanted too, because it may become the value of the ``or`` around it."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.test_value(node.operand, other, then)
            return
        if not isinstance(node, ast.BoolOp):
            self.test(node, then, other)
            return
        for value in node.values[:-1]:
            more = self.new_block()
            self.operand(node, value, *((more, other) if isinstance(node.op, ast.And) else (then, more)), more)
            self.resume(more)
        self.operand(node, node.values[-1], then, other, None)

    def operand(self, node: ast.BoolOp, value: ast.expr, then: Block, other: Block, more: Block | None) -> None:
        """Test one operand; on a way that does not ask for ``more`` operands it becomes the value of ``node``."""
        yes, no = self.new_block(), self.new_block()
        self.test_value(value, yes, no)
        for block, target in ((yes, then), (no, other)):
            self.resume(block)
            if target is not more:
                self.emit(PointKind.PHI, node, value)
            self.jump(target)

    def on_BoolOp(self, node: ast.BoolOp) -> None:
        """``and``, ``or`` where the value is wanted."""
        after = self.new_block()
        for value in node.values[:-1]:
            more = self.new_block()
            self.operand(node, value, *((more, after) if isinstance(node.op, ast.And) else (after, more)), more)
            self.resume(more)
        self.arm(node, node.values[-1], after)
        self.resume(after)

    def on_IfExp(self, node: ast.IfExp) -> None:
        """A conditional expression."""
        then, other, after = self.new_block(), self.new_block(), self.new_block()
        self.test(node.test, then, other)
        for block, value in ((then, node.body), (other, node.orelse)):
            self.resume(block)
            self.arm(node, value, after)
        self.resume(after)

    def arm(self, node: ast.expr, value: ast.expr, after: Block) -> None:
        """Evaluate what becomes the value of ``node`` on this way."""
        self.expr(value)
        self.emit(PointKind.PHI, node, value)
        self.jump(after)

    def next_item(self, node: ast.For | ast.AsyncFor | ast.comprehension, inside: Block, done: Block) -> None:
        """Ask an iterator for its next item."""
        head = self.stop(PointKind.NEXT, node)
        if head is not None:
            self.link(head, EdgeKind.ITEM, inside, node)
            self.link(head, EdgeKind.EXHAUSTED, done, node)

    def comprehension(self, generators: Sequence[ast.comprehension], results: Sequence[ast.expr]) -> None:
        """The loops of a comprehension, the outermost first."""
        if not generators:
            for result in results:
                self.expr(result)
            return
        first = generators[0]
        self.expr(first.iter)
        head, inside, after = self.new_block(), self.new_block(), self.new_block()
        self.jump(head)
        self.resume(head)
        self.next_item(first, inside, after)
        self.resume(inside)
        self.store(first.target, first)
        for test in first.ifs:
            passed = self.new_block()
            self.test(test, passed, head)
            self.resume(passed)
        self.comprehension(generators[1:], results)
        self.jump(head)
        self.resume(after)
