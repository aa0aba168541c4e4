"""The control-flow graph: blocks of points, joined by edges that say why control takes them."""

from __future__ import annotations

import ast
from enum import Enum

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module
"""What has a graph of its own."""


class PointKind(str, Enum):
    """What a point does. Only the first nine can raise; they end their block."""

    CALL = "call"  # node: ast.Call; the callee and the arguments have been evaluated by earlier points
    AWAIT = "await"  # node: ast.Await
    YIELD = "yield"  # node: ast.Yield | ast.YieldFrom; the consumer may throw or close here
    ENTER = "enter"  # node: ast.withitem; __enter__ / __aenter__ of node.context_expr, evaluated before
    EXIT = "exit"  # node: ast.withitem; __exit__ / __aexit__, one copy for every way out
    NEXT = "next"  # node: ast.For | ast.AsyncFor | ast.comprehension; asks the iterator for an item
    RAISE = "raise"  # node: ast.Raise | ast.Assert; always raises
    RERAISE = "reraise"  # node: ast.Try; the end of a finally body that an exception entered; always raises
    LOOKUP = "lookup"  # node: ast.Try | ast.withitem; the body has no call, but a lookup that may raise
    STATEMENT = "statement"  # node: ast.stmt or ast.ExceptHandler; it begins
    STORE = "store"  # node: the target; value: where its value comes from
    DELETE = "delete"  # node: the target of a del
    PHI = "phi"  # node: ast.BoolOp | ast.IfExp; value: the operand that became its value on this way
    READ = "read"  # node: ast.Attribute; a field is read that has one of the names that were asked for
    RETURN = "return"  # node: ast.Return, or the body of a lambda; value: ast.expr | None


RAISING = frozenset(list(PointKind)[:9])


class EdgeKind(str, Enum):
    """Why control takes an edge."""

    NEXT = "next"
    TRUE = "true"  # node: the test, an expression without and/or/not at its top
    FALSE = "false"
    ITEM = "item"  # node: the For or comprehension; it had another item
    EXHAUSTED = "exhausted"
    CASE = "case"  # node: ast.match_case; its pattern matched
    RAISE = "raise"  # the last point of the source raised
    CATCH = "catch"  # node: ast.ExceptHandler, or ast.Try for the entry of a finally body with an exception in flight
    UNCAUGHT = "uncaught"  # node: ast.Try; none of its handlers matched
    UNWIND = "unwind"  # node: ast.withitem; __exit__ ran and the exception goes on
    SWALLOW = "swallow"  # node: ast.withitem; __exit__ ran and the exception ends here


class Point:
    """One step of evaluation. See :class:`PointKind` for what ``node`` and ``value`` hold."""

    __slots__ = ("kind", "node", "value")

    def __init__(self, kind: PointKind, node: ast.AST, value: ast.AST | None = None) -> None:
        self.kind = kind
        self.node = node
        self.value = value

    @property
    def row(self) -> int:
        """The source line, from 1."""
        node = self.node.context_expr if isinstance(self.node, ast.withitem) else self.node
        return getattr(node, "lineno", 0)


class Edge:
    """A way control may go, from the end of ``source`` to the start of ``target``."""

    __slots__ = ("kind", "node", "source", "target")

    def __init__(self, kind: EdgeKind, source: Block, target: Block, node: ast.AST | None = None) -> None:
        self.kind = kind
        self.source = source
        self.target = target
        self.node = node


class Block:
    """A basic block: points that run one after the other; only the last can raise.

    A block that a lookup enters (:attr:`PointKind.LOOKUP`) has a ``CATCH`` or ``SWALLOW`` way on, but no
    ``UNCAUGHT`` or ``UNWIND``: the exception is only there because somebody expects it.

    :param depth: how many exceptions are being handled here, the innermost last: one for each
        enclosing ``except`` body, and for each ``finally`` body entered by an exception.
    """

    __slots__ = ("depth", "edges", "index", "points")

    def __init__(self, index: int, depth: int = 0) -> None:
        self.index = index
        self.depth = depth
        self.points: list[Point] = []
        self.edges: list[Edge] = []


class Graph:
    """The graph of one function or module body.

    :param exit: where ``return`` and the end of the body lead.
    :param raised: where an exception leads that leaves the code.
    """

    __slots__ = ("blocks", "code", "entry", "exit", "raised")

    def __init__(self, code: Code, blocks: list[Block], entry: Block, exit: Block, raised: Block) -> None:  # noqa: A002
        self.code = code
        self.blocks = blocks
        self.entry = entry
        self.exit = exit
        self.raised = raised

    @property
    def ends(self) -> bool:
        """Whether any way leads to the end; none does out of ``while True`` without a ``break``."""
        return any(edge.target is self.exit for block in self.blocks for edge in block.edges)
