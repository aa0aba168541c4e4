"""Whether what opens a session gives a new one on every way: one that is somebody else's, or none, has no ``with``.

What a function of the project returns is read where it is written: what a factory has made there is new, and so is what
another such function returns. A parameter, a field, a variable of the module may hold a session that was open before.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import is_none, own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode, Scope

_TESTS = (ast.Compare, ast.UnaryOp, ast.If, ast.While, ast.IfExp)
_LIBRARIES = ("sqlalchemy.", "sqlmodel.")
_DEEPEST = 6
"""How many functions are read, each of which returns what the next one gives."""


def not_new(module: Module, site: Site) -> Iterator[str]:
    """Why what was opened may be no new session, in words."""
    code = site.via.code if site.via is not None else None
    home = module.program.module_of(code, module) if code is not None else None
    if home is not None and isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _returned(home, code, 0)


def asked_for(module: Module, site: Site, name: str) -> Iterator[str]:
    """Where the code asks whether there is a session at all, which one that SQLAlchemy itself makes always is."""
    call = site.node
    names = module.calls.callee(call).names if isinstance(call, ast.Call) and call in module.calls else ()
    if names and all(one.startswith(_LIBRARIES) for one in names):
        return
    for node in own_of(site.code, *_TESTS):
        if _asks(node, name):
            yield f"line {getattr(node, 'lineno', 0)} asks whether there is a session, and a `with` needs one"


def _asks(node: ast.AST, name: str) -> bool:
    """Whether a test is whether a variable is ``None``."""
    if isinstance(node, ast.Compare):
        return path(node.left) == name and len(node.ops) == 1 and is_none(node.comparators[0])
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) and path(node.operand) == name
    return isinstance(node, (ast.If, ast.While, ast.IfExp)) and path(node.test) == name


def _returned(home: Module, function: FunctionNode, depth: int) -> Iterator[str]:
    """Why calling a function may give something else than a new session."""
    scope = home.names.scopes.of[function]
    for node in own_of(function, ast.Return):
        if node.value is None or is_none(node.value):
            yield f"{function.name!r} may return None, which has no `with`"
        else:
            yield from _other(home, node.value, scope, depth)
    if not _leaves(function.body):
        yield f"{function.name!r} may return None, which has no `with`"


def _other(home: Module, value: ast.expr, scope: Scope, depth: int) -> Iterator[str]:
    """Why an expression in a function may stand for something else than a new session."""
    while isinstance(value, (ast.Await, ast.NamedExpr)):
        value = value.value
    if isinstance(value, ast.IfExp):
        yield from _other(home, value.body, scope, depth)
        yield from _other(home, value.orelse, scope, depth)
    elif isinstance(value, ast.Call) and value in home.calls:
        yield from _called(home, value, scope, depth)
    elif isinstance(value, ast.Name):
        yield from _held(home, value, scope, depth)
    elif isinstance(value, ast.Attribute) and (read := home.names.property_read(value, scope)) is not None:
        yield from _deeper(home.program.module(read[0]), read[1], value, scope, depth)
    elif is_none(value):
        yield f"{_name(scope)!r} may return None, which has no `with`"
    else:
        yield _open_before(value, scope)


def _called(home: Module, call: ast.Call, scope: Scope, depth: int) -> Iterator[str]:
    """The same of what a call gives."""
    callee = home.calls.callee(call)
    if callee.role is Role.FACTORY:
        return
    if callee.role is Role.SAME and call.args:
        yield from _other(home, call.args[-1], scope, depth)
    elif callee.function is not None:
        yield from _deeper(home.at(callee), callee.function, call, scope, depth)
    else:
        yield _open_before(call, scope)


def _deeper(home: Module, function: FunctionNode, value: ast.expr, scope: Scope, depth: int) -> Iterator[str]:
    """The same of what another function gives."""
    if depth == _DEEPEST:
        yield _open_before(value, scope)
    else:
        yield from _returned(home, function, depth + 1)


def _held(home: Module, name: ast.Name, scope: Scope, depth: int) -> Iterator[str]:
    """The same of a variable: each value that the function itself gives it counts."""
    bindings = scope.bindings.get(name.id, ()) if name.id not in scope.elsewhere else ()
    if not bindings or any(b.kind is not BindingKind.VALUE for b in bindings) or depth == _DEEPEST:
        yield _open_before(name, scope)
        return
    for binding in bindings:
        assert isinstance(binding.node, ast.expr)
        yield from _other(home, binding.node, scope, depth + 1)


def _open_before(value: ast.expr, scope: Scope) -> str:
    return f"{_name(scope)!r} may return a session that was open before, {ast.unparse(value)!r} (line {value.lineno})"


def _name(scope: Scope) -> str:
    return scope.path.rpartition(".")[2]


def _leaves(suite: Sequence[ast.stmt]) -> bool:
    """Whether a suite never goes on behind its end, as far as its last statement tells."""
    last = suite[-1]
    if isinstance(last, (ast.Return, ast.Raise)):
        return True
    if isinstance(last, ast.If):
        return bool(last.orelse) and _leaves(last.body) and _leaves(last.orelse)
    if isinstance(last, (ast.With, ast.AsyncWith)):
        return _leaves(last.body)
    if isinstance(last, ast.Try):
        through = _leaves(last.orelse or last.body) and all(_leaves(handler.body) for handler in last.handlers)
        return through or (bool(last.finalbody) and _leaves(last.finalbody))
    return isinstance(last, ast.While) and isinstance(last.test, ast.Constant) and not own_of(last, ast.Break)
