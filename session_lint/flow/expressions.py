"""Expressions: their points in the order in which CPython evaluates them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.flow.graph import RAISING, Block, Edge, EdgeKind, Point, PointKind

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExpressionBuilder:
    """The part of the builder that knows blocks, points and expressions."""

    def __init__(self) -> None:
        self.current: Block | None = None
        self.depth = 0
        self.entered: set[Block] = set()
        self.handler: Block = Block(0)

    # blocks

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
        """End the block here, where the target of exceptions changes or a loop comes back."""
        if self.current is not None and self.current.points:
            block = self.new_block()
            self.jump(block)
            self.current = block
        return self.current

    def emit(self, kind: PointKind, node: ast.AST, value: ast.AST | None = None) -> None:
        """A point; one that may raise ends its block."""
        if self.current is None:
            return
        self.current.points.append(Point(kind, node, value))
        if kind in RAISING:
            self.link(self.current, EdgeKind.RAISE, self.handler)
            block = self.new_block()
            self.jump(block)
            self.current = block

    def raise_point(self, kind: PointKind, node: ast.AST) -> None:
        """A point that always raises."""
        if self.current is not None:
            self.current.points.append(Point(kind, node))
            self.link(self.current, EdgeKind.RAISE, self.handler)
            self.current = None

    def store(self, target: ast.expr, value: ast.AST | None) -> None:
        """Bind a target; what its own expressions compute comes first."""
        for node in _inner(target):
            self.expr(node)
        self.emit(PointKind.STORE, target, value)

    def next_item(self, node: ast.For | ast.AsyncFor | ast.comprehension, inside: Block, done: Block) -> None:
        """Ask an iterator for its next item."""
        if self.current is None:
            return
        self.current.points.append(Point(PointKind.NEXT, node))
        self.link(self.current, EdgeKind.RAISE, self.handler)
        self.link(self.current, EdgeKind.ITEM, inside, node)
        self.link(self.current, EdgeKind.EXHAUSTED, done, node)
        self.current = None

    # expressions

    def expr(self, node: ast.AST) -> None:
        """Evaluate an expression."""
        if self.current is None:
            return
        method = getattr(self, f"on_{type(node).__name__}", None)
        if method is not None:
            method(node)
        else:
            self.exprs(_children(node))

    def exprs(self, nodes: Sequence[ast.AST]) -> None:
        """Evaluate several, in order."""
        for node in nodes:
            self.expr(node)

    def on_Constant(self, _node: ast.Constant) -> None:
        pass

    def on_Name(self, _node: ast.Name) -> None:
        pass

    def on_BinOp(self, node: ast.BinOp) -> None:
        chain: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):  # long sums nest to the left, deeper than the stack
            chain.append(left.right)
            left = left.left
        self.expr(left)
        self.exprs(chain[::-1])

    def on_Call(self, node: ast.Call) -> None:
        self.expr(node.func)
        self.exprs(node.args)
        for keyword in node.keywords:
            self.expr(keyword.value)
        self.emit(PointKind.CALL, node)

    def on_Await(self, node: ast.Await) -> None:
        self.expr(node.value)
        self.emit(PointKind.AWAIT, node)

    def on_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        if node.value is not None:
            self.expr(node.value)
        self.emit(PointKind.YIELD, node)

    on_YieldFrom = on_Yield

    def on_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.expr(node.value)
        self.emit(PointKind.STORE, node.target, node.value)

    def on_Lambda(self, node: ast.Lambda) -> None:
        self.exprs([d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None])

    def on_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None:
                self.expr(key)
            self.expr(value)

    def on_IfExp(self, node: ast.IfExp) -> None:
        then, other, after = self.new_block(), self.new_block(), self.new_block()
        self.test(node.test, then, other)
        for block, arm in ((then, node.body), (other, node.orelse)):
            self.resume(block)
            self.expr(arm)
            self.emit(PointKind.PHI, node, arm)
            self.jump(after)
        self.resume(after)

    def on_BoolOp(self, node: ast.BoolOp) -> None:
        after = self.new_block()
        stops = isinstance(node.op, ast.Or)
        for value in node.values[:-1]:
            self.expr(value)
            goes_on, ends = self.new_block(), self.new_block()
            self.branch(value, goes_on if not stops else ends, ends if not stops else goes_on)
            self.resume(ends)
            self.emit(PointKind.PHI, node, value)
            self.jump(after)
            self.resume(goes_on)
        self.expr(node.values[-1])
        self.emit(PointKind.PHI, node, node.values[-1])
        self.jump(after)
        self.resume(after)

    def on_ListComp(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> None:
        results: list[ast.expr] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.comprehension(node.generators, results)

    on_SetComp = on_ListComp
    on_DictComp = on_ListComp

    def on_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self.expr(node.generators[0].iter)  # the rest runs when somebody asks for items

    def comprehension(self, generators: list[ast.comprehension], results: list[ast.expr]) -> None:
        """The loops of a comprehension, the outermost first."""
        if self.current is None:
            return
        if not generators:
            self.exprs(results)
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

    # tests

    def test(self, node: ast.expr, then: Block, other: Block) -> None:
        """Evaluate a test and go to one of two blocks, with short circuits."""
        if self.current is None:
            return
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
        """The two edges of an evaluated test; a constant has one."""
        if self.current is None:
            return
        constant = _truth(node)
        if constant is not False:
            self.link(self.current, EdgeKind.TRUE, then, node)
        if constant is not True:
            self.link(self.current, EdgeKind.FALSE, other, node)
        self.current = None


def _truth(node: ast.expr) -> bool | None:
    """The outcome of a test that is a constant."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = _truth(node.operand)
        return None if inner is None else not inner
    return bool(node.value) if isinstance(node, ast.Constant) else None


def _children(node: ast.AST) -> list[ast.AST]:
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop))]


def _inner(target: ast.expr) -> list[ast.AST]:
    """The expressions that are evaluated to find out where a target is."""
    if isinstance(target, ast.Attribute):
        return [target.value]
    if isinstance(target, ast.Subscript):
        return [target.value, target.slice]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [node for element in target.elts for node in _inner(element)]
    return _inner(target.value) if isinstance(target, ast.Starred) else []
