"""Expressions: their points in the order in which CPython evaluates them."""

# ruff: noqa: N802, N815  # the methods are named after the nodes they build

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.flow.branches import Branches
from session_lint.flow.graph import PointKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Expressions(Branches):
    """The part of the builder that evaluates and binds."""

    def expr(self, node: ast.AST) -> None:
        """Evaluate an expression."""
        if self.current is None:
            return
        method = getattr(self, "on_" + type(node).__name__, None)
        if method is not None:
            method(node)
        else:
            self.exprs(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))

    def exprs(self, nodes: Iterable[ast.AST | None]) -> None:
        """Evaluate several, in order; what is left out in the source is ``None``."""
        for node in nodes:
            if node is not None:
                self.expr(node)

    def store(self, target: ast.expr, value: ast.AST | None) -> None:
        """Bind a target; what its own expressions compute comes first."""
        self.exprs(inner(target))
        self.emit(PointKind.STORE, target, value)

    def on_Constant(self, node: ast.Constant) -> None:
        """A constant: nothing happens."""

    def on_Name(self, node: ast.Name) -> None:
        """A name: nothing happens."""

    def on_BinOp(self, node: ast.BinOp) -> None:
        """A sum; long ones nest to the left, deeper than the stack."""
        chain: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            chain.append(left.right)
            left = left.left
        self.expr(left)
        self.exprs(reversed(chain))

    def on_Call(self, node: ast.Call) -> None:
        """A call; chains like ``select(x).where(y).limit(z)`` nest to the left, deeper than the stack."""
        chain: list[ast.expr] = []
        first: ast.expr = node
        while isinstance(first, (ast.Call, ast.Attribute)):
            chain.append(first)
            first = first.func if isinstance(first, ast.Call) else first.value
        self.expr(first)
        called = {link.func for link in chain if isinstance(link, ast.Call)}
        for link in reversed(chain):
            if isinstance(link, ast.Call):
                self.exprs(link.args)
                self.exprs(keyword.value for keyword in link.keywords)
                self.emit(PointKind.CALL, link)
            elif link not in called and link.attr in self.reads:  # type: ignore[attr-defined]
                self.emit(PointKind.READ, link)

    def on_Attribute(self, node: ast.Attribute) -> None:
        """A field is read."""
        self.expr(node.value)
        if node.attr in self.reads:
            self.emit(PointKind.READ, node)

    def on_Await(self, node: ast.Await) -> None:
        """``await``: others run, and their exceptions may arrive here."""
        self.expr(node.value)
        self.emit(PointKind.AWAIT, node)

    def on_Yield(self, node: ast.Yield | ast.YieldFrom) -> None:
        """``yield``: the consumer goes on, throws, or closes."""
        self.exprs([node.value])
        self.emit(PointKind.YIELD, node)

    on_YieldFrom = on_Yield

    def on_NamedExpr(self, node: ast.NamedExpr) -> None:
        """A walrus."""
        self.expr(node.value)
        self.emit(PointKind.STORE, node.target, node.value)

    def on_Lambda(self, node: ast.Lambda) -> None:
        """The defaults; the body runs when somebody calls it."""
        self.exprs([*node.args.defaults, *node.args.kw_defaults])

    def on_Dict(self, node: ast.Dict) -> None:
        """Each key before its value."""
        for key, value in zip(node.keys, node.values, strict=True):
            self.exprs([key, value])

    def on_ListComp(self, node: ast.ListComp | ast.SetComp) -> None:
        """A comprehension runs here and now."""
        self.comprehension(node.generators, [node.elt])

    on_SetComp = on_ListComp

    def on_DictComp(self, node: ast.DictComp) -> None:
        """The key is evaluated before the value."""
        self.comprehension(node.generators, [node.key, node.value])

    def on_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """The outermost iterable; the rest runs when somebody asks for items."""
        self.expr(node.generators[0].iter)


def inner(target: ast.expr) -> Iterator[ast.expr]:
    """The expressions that are evaluated to find out where a target is."""
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from inner(element)
    elif isinstance(target, ast.Starred):
        yield from inner(target.value)
    elif isinstance(target, (ast.Attribute, ast.Subscript)):
        yield target.value
        if isinstance(target, ast.Subscript):
            yield target.slice
