"""What stands in some statements: their nodes, calls, definitions and bindings, worked out once for all who ask."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.fixes.expressions import captures, each_of
from session_lint.python.nodes import names_under
from session_lint.python.remembered import remembered
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, eq=False)
class Syntax:
    """What stands in some statements.

    :param functions: the functions and classes that they define, with the names that stand in each.
    :param bindings: what is assigned there, each target with its value.
    """

    nodes: Sequence[ast.AST]
    calls: Sequence[ast.Call]
    functions: dict[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, frozenset[str]]
    bindings: Sequence[tuple[ast.AST, ast.AST]]


@remembered
def syntax_of(statements: tuple[ast.stmt, ...]) -> Syntax:
    """Everything in some statements: many blocks call the same functions."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    return Syntax(
        nodes,
        calls=[node for node in nodes if isinstance(node, ast.Call)],
        functions={node: names_under(node) for node in nodes if isinstance(node, _FUNCTIONS)},
        bindings=[*_bound(nodes)],
    )


def _bound(nodes: list[ast.AST]) -> Iterator[tuple[ast.AST, ast.AST]]:
    for node in nodes:
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield node.target, each_of(node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            yield node.optional_vars, node.context_expr
        elif isinstance(node, ast.Match):
            yield from ((captured, node.subject) for case in node.cases for captured in captures(case))
        elif isinstance(node, ast.Call):
            yield from _applied(node)


def _applied(call: ast.Call) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The parameters of a lambda beside what it may be called with: ``map(lambda user: user.id, users)``."""
    values = [*call.args, *(k.value for k in call.keywords)]
    for applied in values:
        if isinstance(applied, ast.Lambda):
            names = [ast.Name(arg.arg, ast.Store()) for arg in applied.args.args]
            given = [value for value in values if value is not applied]
            yield from ((ast.Tuple([name], ast.Store()), value) for value in given for name in names)
