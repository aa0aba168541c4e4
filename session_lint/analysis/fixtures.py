"""Fixtures of tests that return a session: nothing of them runs after the test, so that the tests have to close it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.called import may_close
from session_lint.analysis.holding import closes
from session_lint.analysis.state import State
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import below, parameters
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode


def left_to_tests(module: Module, function: FunctionNode) -> ast.expr | None:
    """The decorator that makes a function a fixture, where no test closes what it returns.

    One that makes an engine for it leaves nothing in anybody's pool.
    """
    decorator = module.decorator(function, Role.FIXTURE)
    if decorator is None:
        return None
    name = _name(function, decorator)
    others = module.program.mentioning(module, name)
    if others is None or makes_engine(module, function):
        return None
    closed = any(_closes(home, code, name) for home in (module, *others) for code, _ in home.codes)
    return None if closed else decorator


def makes_engine(module: Module, function: FunctionNode) -> bool:
    """Whether a fixture makes the engine of its session, whose pool ends with it."""
    made = (module.calls.callee(call).role for call in own_of(function, ast.Call) if call in module.calls)
    return Role.ENGINE_MAKER in made


def _name(function: FunctionNode, decorator: ast.expr) -> str:
    """What tests call a fixture by: its function's name, or what the decorator is told."""
    told = [k.value for k in decorator.keywords if k.arg == "name"] if isinstance(decorator, ast.Call) else []
    return next((str(value.value) for value in told if isinstance(value, ast.Constant)), function.name)


def _closes(home: Module, code: ast.AST, name: str) -> bool:
    """Whether a test, or another fixture, closes what it gets of a fixture."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    if all(arg.arg != name for arg in parameters(code)):
        return False
    if any(_ends(node, name) for node in below(code)):
        return True
    return may_close(home, code) and any(
        way.state in (State.CLOSED, State.GIVEN) for way in home.summaries.parameter(code, name, alone=True)
    )


def _ends(node: ast.AST, name: str) -> bool:
    """Whether a ``with`` or a call closes what a variable holds."""
    if isinstance(node, ast.withitem):
        return any(path(inner) == name for inner in below(node.context_expr) if isinstance(inner, ast.Name))
    return isinstance(node, ast.Attribute) and closes(node.attr) and path(node.value) == name
