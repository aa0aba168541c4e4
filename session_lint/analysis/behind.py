"""What a test of a property, or of a method's answer, asks: the fields of the object that the function looks at."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.flow import EdgeKind
from session_lint.python.names import is_property
from session_lint.python.nodes import path
from session_lint.python.scopes import parameters

if TYPE_CHECKING:
    from session_lint.flow import Graph
    from session_lint.python.names import Names
    from session_lint.python.scopes import Scope

_TESTS = (EdgeKind.TRUE, EdgeKind.FALSE)


def see_through(graph: Graph, names: Names) -> None:
    """Put in the place of each property that a graph tests what its function returns: ``self._given is None``.

    So ``if self.owns:`` at the end agrees with ``self._given or Session()`` at the start. The same goes for a method
    that is asked without arguments: ``if self.owns():``.
    """
    scope = names.scopes.of[graph.code]
    seen: dict[ast.AST, ast.expr] = {}
    for block in graph.blocks:
        for edge in block.edges:
            test = edge.node
            if edge.kind in _TESTS and isinstance(test, (ast.Attribute, ast.Call)):
                if test not in seen:
                    seen[test] = _behind(test, names, scope)
                edge.node = seen[test]


def _behind(test: ast.Attribute | ast.Call, names: Names, scope: Scope) -> ast.expr:
    field = test.func if isinstance(test, ast.Call) else test
    if not isinstance(field, ast.Attribute) or (isinstance(test, ast.Call) and (test.args or test.keywords)):
        return test
    owner = names.own_class(field.value, scope)
    if owner is None or field.attr in owner.attributes:
        return test
    asked = _asked(owner, field.attr, of_call=isinstance(test, ast.Call))
    return test if asked is None else ast.copy_location(_of(asked[1], asked[0], field.value), test)


def _asked(owner: Scope, name: str, *, of_call: bool) -> tuple[str, ast.expr] | None:
    """What the function behind a name of a class calls its object, and the test of its fields that is all it does."""
    bindings = owner.bindings.get(name, [])
    function = bindings[0].node if len(bindings) == 1 else None
    if not isinstance(function, ast.FunctionDef) or (function.decorator_list if of_call else not is_property(function)):
        return None
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    own = [arg.arg for arg in parameters(function)]
    value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    return (own[0], value) if value is not None and len(own) == 1 and _is_about(value, own[0]) else None


def _is_about(value: ast.expr, own: str) -> bool:
    """Whether an expression only compares fields of an object with constants, and what follows from that."""
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not) and _is_about(value.operand, own)
    if isinstance(value, ast.Call):
        return path(value.func) == "bool" and len(value.args) == 1 and _is_about(value.args[0], own)
    if isinstance(value, ast.BoolOp):
        return all(_is_about(one, own) for one in value.values)
    if isinstance(value, ast.Compare):
        sides = (value.left, *value.comparators)
        return any(_is_field(one, own) for one in sides) and all(
            isinstance(one, ast.Constant) or _is_field(one, own) for one in sides
        )
    return _is_field(value, own)


def _is_field(value: ast.expr, own: str) -> bool:
    return isinstance(value, ast.Attribute) and path(value).partition(".")[0] == own


def _of(value: ast.expr, own: str, holder: ast.expr) -> ast.expr:
    """The same expression about the object that another expression stands for."""
    if isinstance(value, ast.Name):
        return holder if value.id == own else value
    if isinstance(value, ast.Attribute):
        return ast.copy_location(ast.Attribute(_of(value.value, own, holder), value.attr, ast.Load()), holder)
    if isinstance(value, ast.UnaryOp):
        return ast.copy_location(ast.UnaryOp(value.op, _of(value.operand, own, holder)), holder)
    if isinstance(value, ast.Call):  # of ``bool``, as a test sees it
        return _of(value.args[0], own, holder)
    if isinstance(value, ast.BoolOp):
        return ast.copy_location(ast.BoolOp(value.op, [_of(one, own, holder) for one in value.values]), holder)
    if isinstance(value, ast.Compare):
        sides = [_of(one, own, holder) for one in value.comparators]
        return ast.copy_location(ast.Compare(_of(value.left, own, holder), value.ops, sides), holder)
    return value
