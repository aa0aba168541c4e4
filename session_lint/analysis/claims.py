"""Whether anybody else closes the session that a code puts into a field and closes there itself.

It may be an error handler, a teardown, another method of the object. Whoever merely gets the session from a function
(``get_db(request)``) leaves it to the code that closes it when all goes well.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.uses import Uses, code_around
from session_lint.python.nodes import assigned_in, path
from session_lint.python.scopes import below, is_self

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import Scope

_HANDING_ON = (ast.Return, ast.Yield)


def claimed(module: Module, code: ast.AST, fact: Fact) -> bool:
    """Whether somebody but ``code`` may close a session that it keeps in a field."""
    targets = [m.node for m in fact.marked("kept") if isinstance(m.node, ast.Attribute)]
    return any(_Claims(module, code, target).may_close(target.attr) for target in targets)


def closes_too(module: Module, code: ast.AST, field: ast.expr) -> bool:
    """Whether somebody but ``code`` may close what a field of its method's object holds."""
    return not isinstance(field, ast.Attribute) or _Claims(module, code, field).may_close(field.attr)


class _Claims(Uses):
    """The uses of a field outside of the code that puts a session into it.

    :param code: that code.
    :param target: the field there.
    """

    def __init__(self, module: Module, code: ast.AST, target: ast.Attribute) -> None:
        super().__init__(module, _own_class(module.names.scopes.of[code], target))
        self._code = frozenset(below(code))

    def _ours(self, module: Module, node: ast.Attribute) -> bool:
        another = node in self._code or _filled_before(code_around(module, node), node)
        return not another and super()._ours(module, node)

    def _lets_go(self, module: Module, node: ast.AST, depth: int) -> bool:
        return not isinstance(module.parents[node], _HANDING_ON) and super()._lets_go(module, node, depth)


def _filled_before(code: ast.AST, node: ast.Attribute) -> bool:
    """Whether a code has itself put what a call gave into the field that it uses: a session of its own."""
    return any(
        isinstance(one.value, (ast.Call, ast.Await))
        and one.value.lineno < node.lineno
        and path(node) in map(path, one.targets)
        for one in assigned_in(code)
    )


def _own_class(scope: Scope, target: ast.Attribute) -> Scope | None:
    """The class of the object, where the code is one of its methods."""
    own = isinstance(target.value, ast.Name) and is_self(scope, target.value.id)
    return scope.parent if own and scope.parent is not None and scope.parent.is_class else None
