"""``try`` and ``with``: where exceptions go, and what runs on their way.

An exception finds an ``except`` clause in a *dispatch* block, which has no points, only a ``CATCH`` edge for each
clause and an ``UNCAUGHT`` one. It finds a ``finally`` body or an ``__exit__`` in a *failing* block, which is left by
``CATCH`` into the body's copy, or by ``SWALLOW`` and ``UNWIND`` after the exit.
"""

# ruff: noqa: N802, N815  # the methods are named after the nodes they build

from __future__ import annotations

import ast

from session_lint.flow.graph import Block, EdgeKind, Point, PointKind
from session_lint.flow.leaving import Leaving
from session_lint.flow.lookups import only_looks_up


class Protected(Leaving):
    """The part of the builder that knows exceptions."""

    def do_With(self, node: ast.With | ast.AsyncWith) -> None:
        """The items of a ``with``, each around the next, the body innermost."""
        self.with_items(node.items, node.body)

    do_AsyncWith = do_With

    def with_items(self, items: list[ast.withitem], body: list[ast.stmt]) -> None:
        """One item around the rest."""
        if not items:
            self.body(body)
            return
        item, after = items[0], self.new_block()
        self.expr(item.context_expr)
        self.emit(PointKind.ENTER, item)
        front = self.split()
        failing = self.guard(item)
        if item.optional_vars is not None:
            self.store(item.optional_vars, item)
        self.with_items(items[1:], body)
        self.unguard(after)
        expecting = self.look_up(item, body, front) if after not in self.entered else None
        self.exit_on_error(item, failing, after)
        if expecting is not None:
            self.exit_on_error(item, expecting, after, unwinds=False)
        self.resume(after)

    def exit_on_error(self, item: ast.withitem, failing: Block, after: Block, *, unwinds: bool = True) -> None:
        """A copy of an item's exit that an exception enters."""
        self.resume(failing)
        block = self.stop(PointKind.EXIT, item)
        if block is not None:
            self.link(block, EdgeKind.SWALLOW, after, item)
            if unwinds:
                self.link(block, EdgeKind.UNWIND, self.handler, item)

    def do_Try(self, node: ast.Try) -> None:
        """A ``try``; the ``finally`` surrounds the rest."""
        if not node.finalbody:
            self.clauses(node)
            return
        after, failing = self.new_block(), self.guard(node)
        self.clauses(node)
        self.unguard(after)
        self.resume(failing)
        self.final_on_error(node)
        self.resume(after)

    do_TryStar = do_Try

    def final_on_error(self, node: ast.Try) -> None:
        """The copy of a ``finally`` body that an exception enters, and leaves again at its end."""
        failing = self.current
        if failing is None:
            return
        self.depth += 1
        inside = self.new_block()
        self.link(failing, EdgeKind.CATCH, inside, node)
        self.resume(inside)
        self.body(node.finalbody)
        self.stop(PointKind.RERAISE, node)
        self.depth -= 1

    def clauses(self, node: ast.Try) -> None:
        """``try``, ``except`` and ``else``, without the ``finally``."""
        if not node.handlers:
            self.body(node.body)
            return
        outer, dispatch, after = self.handler, self.new_block(), self.new_block()
        front = self.split()
        self.handler = dispatch
        self.body(node.body)
        self.handler = outer
        self.body(node.orelse)
        self.jump(after)
        expecting = self.look_up(node, node.body, front)
        dispatches = [dispatch] if dispatch in self.entered else []
        self.catch(node, dispatches if expecting is None else [*dispatches, expecting], after)
        if dispatches and not any(_catches_all(handler) for handler in node.handlers):
            self.link(dispatch, EdgeKind.UNCAUGHT, self.handler, node)
        self.resume(after)

    def catch(self, node: ast.Try, dispatches: list[Block], after: Block) -> None:
        """The ``except`` clauses of a ``try``."""
        self.depth += 1
        for handler in node.handlers:
            block = self.new_block()
            for dispatch in dispatches:
                self.link(dispatch, EdgeKind.CATCH, block, handler)
            self.resume(block)
            self.emit(PointKind.STATEMENT, handler)
            if handler.name:
                self.emit(PointKind.STORE, handler, handler)
            self.body(handler.body)
            self.jump(after)
        self.depth -= 1

    def look_up(self, node: ast.Try | ast.withitem, body: list[ast.stmt], front: Block | None) -> Block | None:
        """Give a body that only looks things up a way to what expects an exception of it, and to nothing else.

        :param front: the block that ends where the body begins.
        :returns: where such an exception goes; ``None`` where there is none.
        """
        if front is None or not only_looks_up(body):
            return None
        expecting = self.new_block()
        front.points.append(Point(PointKind.LOOKUP, node))
        self.link(front, EdgeKind.RAISE, expecting)
        return expecting


def _catches_all(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id == "BaseException") for kind in kinds)
