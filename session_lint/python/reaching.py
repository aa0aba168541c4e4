"""What a variable holds at one place of a function: the value that was assigned last, on all ways that lead there."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import assigned_at
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_NONE = frozenset[str]()


def last_assigned(code: ast.AST, use: ast.Name) -> ast.expr | None:
    """The expression that a variable of a function was assigned last where it is used; ``None`` for one of several."""
    return _last_values(code).get(use)


@remembered
def _last_values(code: ast.AST) -> dict[ast.Name, ast.expr]:
    """The same for all uses of all variables of a function, in one walk over its statements."""
    walk = _Walk()
    walk.block(getattr(code, "body", ()))
    return walk.found


class _Walk:
    """A walk over statements in the order of the text, which knows what each variable holds, as far as that is sure."""

    def __init__(self) -> None:
        self.found: dict[ast.Name, ast.expr] = {}
        self._held: dict[str, ast.expr] = {}

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Go over the statements of a block."""
        for statement in statements:
            blocks = _blocks(statement)
            bound = _bound(statement)
            if blocks:
                self._around(statement, blocks, bound)
            else:
                self._use(statement)
            self._forget(bound)
            place = assigned_at(statement)
            target = place.targets[0] if place is not None and len(place.targets) == 1 else None
            if place is not None and isinstance(target, ast.Name):
                self._held[target.id] = place.value

    def _around(self, statement: ast.stmt, blocks: list[Sequence[ast.stmt]], bound: frozenset[str]) -> None:
        """Go over the blocks of a statement, each with what was held before: another turn may have bound it anew."""
        before = {name: self._held[name] for name in bound if name in self._held}
        if isinstance(statement, _LOOPS):
            self._forget(bound)
        inner = {one for block in blocks for one in block}
        for part in _parts(statement):
            if part not in inner:
                self._use(part)
        unsure = _NONE
        for block in blocks:
            if not isinstance(statement, _LOOPS):
                self._forget(bound)
                self._held.update(before)
                self._forget(unsure)
            self.block(block)
            self._forget(bound)
            if isinstance(statement, ast.Try):  # an error may have come anywhere in its body
                unsure = frozenset().union(*map(_bound, statement.body))

    def _use(self, node: ast.AST) -> None:
        for one in below(node):
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load) and one.id in self._held:
                self.found[one] = self._held[one.id]

    def _forget(self, names: frozenset[str]) -> None:
        for name in names:
            self._held.pop(name, None)


def _blocks(statement: ast.stmt) -> list[Sequence[ast.stmt]]:
    """The blocks of a statement that belong to the same function."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return []
    inner = [*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())]
    found = [getattr(statement, "body", ()), *(one.body for one in inner)]
    found += [getattr(statement, "orelse", ()), getattr(statement, "finalbody", ())]
    return [block for block in found if block]


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """What a statement evaluates around its blocks, those blocks' statements among it."""
    for part in children(statement):
        if isinstance(part, (ast.ExceptHandler, ast.match_case)):
            yield from children(part)
        else:
            yield part


def _bound(statement: ast.AST) -> frozenset[str]:
    """The variables that a statement binds, or unbinds, wherever in it."""
    names = (node for node in below(statement) if isinstance(node, ast.Name))
    return frozenset(node.id for node in names if not isinstance(node.ctx, ast.Load))
