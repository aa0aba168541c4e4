"""Methods that only give what a field of their object has: ``def get_session(self): return self._session``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.nodes import own_of, path, reading
from session_lint.python.scopes import is_self, parameters

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import Scope


def own_field(module: Module, call: ast.Call, scope: Scope) -> ast.expr | None:
    """The field of a method's own object that a call gives, as the method reads it; ``None`` where it is no getter."""
    func = call.func
    if call.args or call.keywords or not isinstance(func, ast.Attribute) or not is_self(scope, path(func.value)):
        return None
    function = module.calls.callee(call).function if call in module.calls else None
    if not isinstance(function, ast.FunctionDef) or not parameters(function) or not _is_short(function):
        return None
    (given,) = own_of(function, ast.Return)
    own, _, field = path(given.value).partition(".") if given.value is not None else ("", "", "")
    plain = own == parameters(function)[0].arg and bool(field) and "." not in field
    return reading(f"{path(func.value)}.{field}") if plain else None


def _is_short(function: ast.FunctionDef) -> bool:
    """Whether a function does nothing but return something, once."""
    body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return len(body) == 1 and isinstance(body[0], ast.Return)
