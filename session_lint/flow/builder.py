"""From a syntax tree to a control-flow graph.

Statements are here, expressions in :mod:`session_lint.flow.expressions`. What has to happen on the way out of a block
(a ``finally`` body, an ``__exit__``) is kept on a stack of *cleanups*; every way out unwinds it, innermost first, with a copy
of its own, as CPython does.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_lint.flow.expressions import ExpressionBuilder
from session_lint.flow.graph import Block, Code, Edge, EdgeKind, Graph, Point, PointKind

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRY: tuple[type[ast.AST], ...] = (ast.Try, ast.TryStar) if sys.version_info >= (3, 11) else (ast.Try,)


@dataclass(eq=False)
class Cleanup:
    """What runs when control leaves a block: a ``finally`` body, the exit of a ``with`` item, or nothing (a handler's end).

    :param outer: where an exception goes that is raised while it runs.
    :param copies: the first block of the copy for each destination that was needed.
    """

    node: ast.Try | ast.withitem | None
    outer: Block
    depth: int
    height: int
    copies: dict[Block, Block] = field(default_factory=dict)


@dataclass(eq=False)
class Loop:
    """Where ``break`` and ``continue`` go, and how high the stack of cleanups was outside."""

    after: Block
    head: Block
    height: int


def build(code: Code) -> Graph:
    """The control-flow graph of a function, lambda or module body.

    :raises RecursionError: where the code nests deeper than the interpreter's stack.
    """
    return GraphBuilder(code).build()


class GraphBuilder(ExpressionBuilder):
    """Builds one graph. ``self.current`` is the open block, ``None`` after a jump."""

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code = code
        self.cleanups: list[Cleanup] = []
        self.loops: list[Loop] = []

    def build(self) -> Graph:
        """Build the graph and number its reachable blocks."""
        self.exit = self.new_block()
        self.raised = self.new_block()
        self.handler = self.raised
        entry = self.current = self.new_block()
        if isinstance(self.code, ast.Lambda):
            self.expr(self.code.body)
            self.emit(PointKind.RETURN, self.code.body, self.code.body)
        else:
            self.body(self.code.body)
        self.jump(self.exit)
        return Graph(self.code, _numbered(entry, self.exit, self.raised), entry, self.exit, self.raised)

    # statements

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """One statement after the other, until control cannot go on."""
        for statement in statements:
            if self.current is None:
                return
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """One statement."""
        self.emit(PointKind.STATEMENT, node)
        method = getattr(self, f"do_{type(node).__name__}", None)
        if method is not None:
            method(node)

    def do_Expr(self, node: ast.Expr) -> None:
        self.expr(node.value)

    def do_Assign(self, node: ast.Assign) -> None:
        self.expr(node.value)
        for target in node.targets:
            self.store(target, node.value)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.expr(node.value)
            self.store(node.target, node.value)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        self.expr(node.value)
        self.store(node.target, node)

    def do_Delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            self.emit(PointKind.DELETE, target)

    def do_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self.emit(PointKind.STORE, alias, node)

    do_ImportFrom = do_Import

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for expr in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if expr is not None:
                self.expr(expr)
        self.emit(PointKind.STORE, node)

    do_AsyncFunctionDef = do_FunctionDef

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        for expr in (*node.decorator_list, *node.bases, *(k.value for k in node.keywords)):
            self.expr(expr)
        self.body(node.body)
        if self.current is not None:
            self.emit(PointKind.STORE, node)

    def do_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            self.expr(node.value)
        self.emit(PointKind.RETURN, node, node.value)
        self.leave(self.exit, 0)

    def do_Raise(self, node: ast.Raise) -> None:
        if isinstance(node.exc, ast.Call):  # making the exception is part of raising it
            self.exprs([node.exc.func, *node.exc.args, *(k.value for k in node.exc.keywords)])
        elif node.exc is not None:
            self.expr(node.exc)
        if node.cause is not None:
            self.expr(node.cause)
        self.raise_point(PointKind.RAISE, node)

    def do_Assert(self, node: ast.Assert) -> None:
        passed, failed = self.new_block(), self.new_block()
        self.test(node.test, passed, failed)
        if failed in self.entered:
            self.current = failed
            if node.msg is not None:
                self.expr(node.msg)
            self.raise_point(PointKind.RAISE, node)
        self.resume(passed)

    def do_Break(self, _node: ast.Break) -> None:
        self.leave(self.loops[-1].after, self.loops[-1].height)

    def do_Continue(self, _node: ast.Continue) -> None:
        self.leave(self.loops[-1].head, self.loops[-1].height)

    def do_If(self, node: ast.If) -> None:
        then, other, after = self.new_block(), self.new_block(), self.new_block()
        self.test(node.test, then, other)
        for block, body in ((then, node.body), (other, node.orelse)):
            self.resume(block)
            self.body(body)
            self.jump(after)
        self.resume(after)

    def do_While(self, node: ast.While) -> None:
        head, inside, done, after = (self.new_block() for _ in range(4))
        self.jump(head)
        self.resume(head)
        self.test(node.test, inside, done)
        self.loop_body(node, inside, head, after)
        self.resume(done)
        self.body(node.orelse)
        self.jump(after)
        self.resume(after)

    def do_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.expr(node.iter)
        head, inside, done, after = (self.new_block() for _ in range(4))
        self.jump(head)
        self.resume(head)
        self.next_item(node, inside, done)
        self.resume(inside)
        self.store(node.target, node)
        self.loop_body(node, self.split(), head, after)
        self.resume(done)
        self.body(node.orelse)
        self.jump(after)
        self.resume(after)

    do_AsyncFor = do_For

    def loop_body(self, node: ast.For | ast.AsyncFor | ast.While, inside: Block | None, head: Block, after: Block) -> None:
        """The body of a loop, back to its head."""
        self.loops.append(Loop(after, head, len(self.cleanups)))
        if inside is not None:
            self.resume(inside)
            self.body(node.body)
            self.jump(head)
        self.loops.pop()

    def do_Match(self, node: ast.Match) -> None:
        self.expr(node.subject)
        after = self.new_block()
        for case in node.cases:
            if self.current is None:
                break
            self.case(case, after)
        self.jump(after)
        self.resume(after)

    def case(self, case: ast.match_case, after: Block) -> None:
        """One case; control goes on in ``self.current`` where it does not match."""
        inside, otherwise = self.new_block(), self.new_block()
        assert self.current is not None
        self.link(self.current, EdgeKind.CASE, inside, case)
        if not _irrefutable(case.pattern):
            self.link(self.current, EdgeKind.NEXT, otherwise)
        self.resume(inside)
        for pattern in ast.walk(case.pattern):
            if isinstance(pattern, (ast.MatchAs, ast.MatchStar)) and pattern.name or isinstance(pattern, ast.MatchMapping) and pattern.rest:
                self.emit(PointKind.STORE, pattern, case)
        if case.guard is not None:
            guarded = self.new_block()
            self.test(case.guard, guarded, otherwise)
            self.resume(guarded)
        self.body(case.body)
        self.jump(after)
        self.resume(otherwise)

    # with

    def do_With(self, node: ast.With | ast.AsyncWith) -> None:
        self.with_items(node.items, node.body)

    do_AsyncWith = do_With

    def with_items(self, items: list[ast.withitem], body: list[ast.stmt]) -> None:
        """The items of a ``with``, each around the next, the body innermost."""
        if not items:
            self.body(body)
            return
        item = items[0]
        self.expr(item.context_expr)
        self.emit(PointKind.ENTER, item)
        after, failing = self.new_block(), self.new_block()
        outer, self.handler = self.handler, failing
        self.cleanups.append(Cleanup(item, outer, self.depth, len(self.cleanups)))
        self.split()  # what raises from here on goes to the item's exit
        if item.optional_vars is not None:
            self.store(item.optional_vars, item)
        self.with_items(items[1:], body)
        if self.current is not None:
            self.leave(after, len(self.cleanups) - 1)
        self.cleanups.pop()
        self.handler = outer
        if failing in self.entered:
            self.current = failing
            self.emit(PointKind.EXIT, item)
            assert self.current is not None
            self.link(self.current, EdgeKind.SWALLOW, after, item)
            self.link(self.current, EdgeKind.UNWIND, outer, item)
        self.resume(after)

    # try

    def do_Try(self, node: ast.Try) -> None:
        if not node.finalbody:
            self.guarded(node)
            return
        outer, after, failing = self.handler, self.new_block(), self.new_block()
        self.cleanups.append(Cleanup(node, outer, self.depth, len(self.cleanups)))
        self.handler = failing
        self.split()
        self.guarded(node)
        if self.current is not None:
            self.leave(after, len(self.cleanups) - 1)
        self.cleanups.pop()
        self.handler = outer
        if failing in self.entered:
            self.final_on_error(node, failing)
        self.resume(after)

    do_TryStar = do_Try

    def final_on_error(self, node: ast.Try, failing: Block) -> None:
        """The copy of a ``finally`` body that an exception enters, and leaves again at its end."""
        self.depth += 1
        inside = self.new_block()
        self.link(failing, EdgeKind.CATCH, inside, node)
        self.cleanups.append(Cleanup(None, self.handler, self.depth, len(self.cleanups)))
        self.resume(inside)
        self.body(node.finalbody)
        if self.current is not None:
            self.raise_point(PointKind.RERAISE, node)
        self.cleanups.pop()
        self.depth -= 1

    def guarded(self, node: ast.Try) -> None:
        """``try``, ``except`` and ``else``, without the ``finally``."""
        if not node.handlers:
            self.body(node.body)
            self.body(node.orelse if self.current is not None else [])
            return
        outer, dispatch, after = self.handler, self.new_block(), self.new_block()
        self.handler = dispatch
        self.split()
        self.body(node.body)
        self.handler = outer
        self.split()
        self.body(node.orelse)
        self.jump(after)
        if dispatch in self.entered:
            self.handlers(node, dispatch, after)
        self.resume(after)

    def handlers(self, node: ast.Try, dispatch: Block, after: Block) -> None:
        """The ``except`` clauses of a ``try``, and the way past them."""
        self.depth += 1
        self.cleanups.append(Cleanup(None, self.handler, self.depth, len(self.cleanups)))
        bodies = []
        for handler in node.handlers:
            block = self.new_block()
            self.link(dispatch, EdgeKind.CATCH, block, handler)
            bodies.append((block, handler))
        if not any(_catches_all(handler) for handler in node.handlers):
            self.link(dispatch, EdgeKind.UNCAUGHT, self.handler, node)
        for block, handler in bodies:
            self.resume(block)
            self.emit(PointKind.STATEMENT, handler)
            if handler.name:
                self.emit(PointKind.STORE, handler, handler)
            self.body(handler.body)
            self.leave(after, len(self.cleanups) - 1)
        self.cleanups.pop()
        self.depth -= 1

    # leaving

    def leave(self, target: Block, height: int) -> None:
        """Go to ``target`` through every cleanup above ``height``, innermost first."""
        if self.current is None:
            return
        for index in range(len(self.cleanups) - 1, height - 1, -1):
            cleanup = self.cleanups[index]
            if cleanup.node is None:
                continue
            key = target
            copy = cleanup.copies.get(key)
            if copy is not None:
                self.jump(copy)
                return
            copy = cleanup.copies[key] = self.new_block(cleanup.depth)
            self.jump(copy)
            self.resume(copy)
            self.run_cleanup(cleanup, index)
            if self.current is None:
                return
        self.jump(target)

    def run_cleanup(self, cleanup: Cleanup, index: int) -> None:
        """One copy of a cleanup, in the surroundings that it stands in."""
        saved = self.cleanups, self.handler, self.depth, self.loops
        self.cleanups = self.cleanups[:index]
        self.loops = [loop for loop in self.loops if loop.height <= index]
        self.handler, self.depth = cleanup.outer, cleanup.depth
        if isinstance(cleanup.node, ast.withitem):
            self.emit(PointKind.EXIT, cleanup.node)
        elif cleanup.node is not None:
            self.body(cleanup.node.finalbody)
        self.cleanups, self.handler, self.depth, self.loops = saved


def _numbered(entry: Block, *ends: Block) -> list[Block]:
    """The blocks that can be reached, in order of discovery; the ends are always there."""
    found = [entry]
    seen = {entry}
    for block in found:
        for edge in block.edges:
            if edge.target not in seen:
                seen.add(edge.target)
                found.append(edge.target)
    found += [end for end in ends if end not in seen]
    for index, block in enumerate(found):
        block.index = index
    return found


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_irrefutable, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))


def _catches_all(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or isinstance(handler.type, ast.Name) and handler.type.id == "BaseException"


__all__ = ["Edge", "Point", "build"]
