"""Statements, but for ``try`` and ``with``."""

# ruff: noqa: N802, N815  # the methods are named after the nodes they build

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.flow.expressions import inner
from session_lint.flow.graph import Block, EdgeKind, PointKind
from session_lint.flow.leaving import Loop
from session_lint.flow.protected import Protected

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Statements(Protected):
    """The part of the builder that goes through a body."""

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """One statement after the other, until control cannot go on."""
        for statement in statements:
            if self.current is None:
                return
            self.emit(PointKind.STATEMENT, statement)
            method = getattr(self, "do_" + type(statement).__name__, None)
            if method is not None:
                method(statement)

    def do_Expr(self, node: ast.Expr) -> None:
        """An expression for its effects."""
        self.expr(node.value)

    def do_Assign(self, node: ast.Assign) -> None:
        """The value, then the targets from left to right."""
        unpacks = any(isinstance(target, (ast.Tuple, ast.List)) for target in node.targets)
        self.assign(node.targets, node.value, apart=unpacks)

    def assign(self, targets: list[ast.expr], value: ast.expr, *, apart: bool) -> None:
        """Bind targets to a value.

        :param apart: whether ``a, b = (c, d) if test else (e, f)`` is ``a, b = c, d`` on one way, and not on the other.
        """
        if not (apart and isinstance(value, ast.IfExp) and _tuples(value)):
            self.expr(value)
            for target in targets:
                self.store(target, value)
            return
        then, other, after = self.new_block(), self.new_block(), self.new_block()
        self.test(value.test, then, other)
        for block, chosen in ((then, value.body), (other, value.orelse)):
            self.resume(block)
            self.assign(targets, chosen, apart=True)
            self.jump(after)
        self.resume(after)

    def do_AnnAssign(self, node: ast.AnnAssign) -> None:
        """An assignment, where there is a value."""
        if node.value is not None:
            self.expr(node.value)
            self.store(node.target, node.value)

    def do_AugAssign(self, node: ast.AugAssign) -> None:
        """The target is read first."""
        self.exprs(inner(node.target))
        self.expr(node.value)
        self.emit(PointKind.STORE, node.target, node)

    def do_Delete(self, node: ast.Delete) -> None:
        """One after the other; ``del (a, b)`` is ``del a, b``."""
        for target in _leaves(node.targets):
            self.exprs(inner(target))
            self.emit(PointKind.DELETE, target)

    def do_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        """A binding for each name."""
        for alias in node.names:
            self.emit(PointKind.STORE, alias, node)

    do_ImportFrom = do_Import

    def do_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Decorators and defaults; the body runs when somebody calls it."""
        self.exprs([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        self.emit(PointKind.STORE, node)

    do_AsyncFunctionDef = do_FunctionDef

    def do_ClassDef(self, node: ast.ClassDef) -> None:
        """The body runs here and now."""
        self.exprs([*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)])
        self.body(node.body)
        self.emit(PointKind.STORE, node)

    def do_Return(self, node: ast.Return) -> None:
        """The value is there before anything is unwound."""
        self.exprs([node.value])
        self.emit(PointKind.RETURN, node, node.value)
        self.leave(self.exit, 0)

    def do_Raise(self, node: ast.Raise) -> None:
        """Making the exception is part of raising it: what the call itself might raise is not told apart."""
        if isinstance(node.exc, ast.Call):
            self.exprs([node.exc.func, *node.exc.args, *(keyword.value for keyword in node.exc.keywords)])
        else:
            self.exprs([node.exc])
        self.exprs([node.cause])
        self.stop(PointKind.RAISE, node)

    def do_Assert(self, node: ast.Assert) -> None:
        """The message is evaluated where the test failed."""
        passed, failed = self.new_block(), self.new_block()
        self.test(node.test, passed, failed)
        self.resume(failed)
        self.exprs([node.msg])
        self.stop(PointKind.RAISE, node)
        self.resume(passed)

    def do_Break(self, _node: ast.Break) -> None:
        """Past the loop, its ``else`` too."""
        self.leave(self.loops[-1].after, self.loops[-1].height)

    def do_Continue(self, _node: ast.Continue) -> None:
        """Back to the head."""
        self.leave(self.loops[-1].head, self.loops[-1].height)

    def do_If(self, node: ast.If) -> None:
        """A chain of ``elif`` nests to the right, deeper than the stack."""
        after = self.new_block()
        while True:
            then, other = self.new_block(), self.new_block()
            self.test(node.test, then, other)
            self.resume(then)
            self.body(node.body)
            self.jump(after)
            self.resume(other)
            if self.current is None or len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]
            self.emit(PointKind.STATEMENT, node)
        self.body(node.orelse)
        self.jump(after)
        self.resume(after)

    def do_While(self, node: ast.While) -> None:
        """A loop with a test at its head."""
        head, inside, done = self.loop_head()
        self.test(node.test, inside, done)
        self.resume(inside)
        self.loop(node, head, done)

    def do_For(self, node: ast.For | ast.AsyncFor) -> None:
        """A loop with an iterator at its head."""
        self.expr(node.iter)
        head, inside, done = self.loop_head()
        self.next_item(node, inside, done)
        self.resume(inside)
        self.store(node.target, node)
        self.loop(node, head, done)

    do_AsyncFor = do_For

    def loop_head(self) -> tuple[Block, Block, Block]:
        """Go on at a head; also the block inside the loop, and the one where it is done."""
        head, inside, done = self.new_block(), self.new_block(), self.new_block()
        self.jump(head)
        self.resume(head)
        return head, inside, done

    def loop(self, node: ast.For | ast.AsyncFor | ast.While, head: Block, done: Block) -> None:
        """The body of a loop, back to its head, and the ``else``."""
        after = self.new_block()
        self.loops.append(Loop(after, head, len(self.cleanups)))
        self.body(node.body)
        self.jump(head)
        self.loops.pop()
        self.resume(done)
        self.body(node.orelse)
        self.jump(after)
        self.resume(after)

    def do_Match(self, node: ast.Match) -> None:
        """The cases in order, until one matches."""
        self.expr(node.subject)
        after = self.new_block()
        for case in node.cases:
            self.case(case, after)
        self.jump(after)
        self.resume(after)

    def case(self, case: ast.match_case, after: Block) -> None:
        """One case; building goes on where it does not match."""
        matched, inside, otherwise = self.new_block(), self.new_block(), self.new_block()
        if self.current is not None:
            self.link(self.current, EdgeKind.CASE, matched, case)
            if not _irrefutable(case.pattern):
                self.link(self.current, EdgeKind.NEXT, otherwise)
        self.resume(matched)
        for pattern in _captures(case.pattern):
            self.emit(PointKind.STORE, pattern, case)
        if case.guard is not None:
            self.test(case.guard, inside, otherwise)
        else:
            self.jump(inside)
        self.resume(inside)
        self.body(case.body)
        self.jump(after)
        self.resume(otherwise)


def _leaves(targets: Sequence[ast.expr]) -> Iterator[ast.expr]:
    for target in targets:
        if isinstance(target, (ast.Tuple, ast.List)):
            yield from _leaves(target.elts)
        else:
            yield target


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchOr):
        return any(map(_irrefutable, pattern.patterns))
    return isinstance(pattern, ast.MatchAs) and (pattern.pattern is None or _irrefutable(pattern.pattern))


def _captures(pattern: ast.pattern) -> Iterator[ast.pattern]:
    """The patterns that bind a name; the alternatives of an ``|`` bind the same ones."""
    parts = [part for part in ast.iter_child_nodes(pattern) if isinstance(part, ast.pattern)]
    for part in parts[:1] if isinstance(pattern, ast.MatchOr) else parts:
        yield from _captures(part)
    if getattr(pattern, "name", None) or getattr(pattern, "rest", None):
        yield pattern


def _tuples(value: ast.expr) -> bool:
    """Whether an expression is a tuple, or a choice between some."""
    if isinstance(value, ast.IfExp):
        return _tuples(value.body) and _tuples(value.orelse)
    return isinstance(value, ast.Tuple)
