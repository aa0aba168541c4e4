"""Parameters that a framework fills: ``db=Depends(get_db)``, ``db: Annotated[Session, Depends(get_db)]``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.makers import expressions
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, parameters, parameters_with_defaults
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode


def injected(module: Module, code: ast.AST, name: str) -> bool:
    """Whether a framework's dependency stands in the default, or the annotation, of a parameter."""
    return any(True for _ in dependencies(module, code, name))


def dependencies(module: Module, code: ast.AST, name: str) -> Iterator[Made]:
    """The calls that tell a framework where a parameter comes from, each with its module."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    for told in _told(code, name):
        for home, value in expressions(module, told, scope):
            yield from ((home, n) for n in below(value) if _is_dependency(home, n))  # type: ignore[misc]


def _told(function: FunctionNode, name: str) -> Iterator[ast.expr]:
    """The annotation and the default of a parameter."""
    arg, default = _by_name(function).get(name, (None, None))
    annotation = arg.annotation if arg is not None else None
    yield from (node for node in (annotation, default) if node is not None)


@remembered
def _by_name(function: FunctionNode) -> dict[str, tuple[ast.arg, ast.expr | None]]:
    """The parameters of a function that go by their names, each with its default where it has one."""
    return {arg.arg: (arg, default) for arg, default in parameters_with_defaults(function)}


def _is_dependency(home: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and home.calls.callee(node).role is Role.DEPENDENCY


def depended_on(call: ast.Call) -> list[ast.expr]:
    """What a dependency is told to call."""
    return [*call.args[:1], *(k.value for k in call.keywords if k.arg in _CALLED)]


_CALLED = ("dependency", "context_getter", "context_value")
"""Keywords by which a framework is told what to call."""


def depends_on(home: Module, call: ast.Call) -> Iterator[tuple[Module, FunctionNode]]:
    """The functions of the project that a dependency calls, each with its module."""
    for value in depended_on(call):
        for name in home.names.qualify(value, home.calls.scope(call)):
            found = home.names.definition(name)
            if found is not None and isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield home.program.module(found[0]), found[1]


def lenders(module: Module, code: ast.AST, name: str) -> list[tuple[Module, FunctionNode]]:
    """The functions of the project that a framework calls for a parameter of a function, each with its module."""
    return [one for home, call in dependencies(module, code, name) for one in depends_on(home, call)]


def commits_afterwards(module: Module, code: ast.AST, name: str) -> bool:
    """Whether what lends a function the session of a parameter commits it, once the function has ended normally."""
    found = [home.generator_scope(target) for home, target in lenders(module, code, name)]
    return bool(found) and all(meaning is not None and meaning.commits for meaning in found)


def lent(module: Module, function: FunctionNode) -> Iterator[tuple[str, list[tuple[Module, FunctionNode]]]]:
    """The parameters of a function, not told to be sessions, that a framework fills with what generators lend."""
    for arg in parameters(function):
        if arg.annotation is None:
            made = lenders(module, function, arg.arg)
            if made and all(home.generator_scope(target) is not None for home, target in made):
                yield arg.arg, made
