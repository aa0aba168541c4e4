"""Responses that last as long as their client listens, while the framework keeps what the handler depends on."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.analysis.injection import dependencies
from session_lint.analysis.lingering import asks_later
from session_lint.python.nodes import path

if TYPE_CHECKING:
    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact

_EVENTS = "text/event-stream"
_RESPONSE = "EventSourceResponse"


def stays(module: Module, call: ast.AST) -> bool:
    """Whether a call makes a stream of events, and stands where its handler returns it."""
    if not isinstance(call, ast.Call) or module.running.get(call) != "stream":
        return False
    if not isinstance(module.parents.get(call), ast.Return):
        return False  # the session may be closed before it is returned
    if _is_ready(next(arguments(call), None)):
        return False
    if any(name.rpartition(".")[2] == _RESPONSE for name in module.calls.callee(call).names):
        return True
    told = (n.value for keyword in call.keywords for n in ast.walk(keyword.value) if isinstance(n, ast.Constant))
    return any(isinstance(text, str) and text.startswith(_EVENTS) for text in told)


def _is_ready(content: ast.expr | None) -> bool:
    """Whether all that a response has to send stands in the call: ``iter(["event: error"])``."""
    if isinstance(content, ast.Call) and path(content.func) in ("iter", "list", "tuple") and len(content.args) == 1:
        content = content.args[0]
    return isinstance(content, (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple))


def keeps(module: Module, call: ast.Call, fact: Fact, one: Borrowed | None) -> bool:
    """Whether a session is a dependency that ends after the stream, and that nobody asks there.

    What asks it while the response is sent is told by another rule.
    """
    if one is None:
        return False
    told = [made for _, made in dependencies(module, one.code, one.name)]
    if not told or any(keyword.arg == "scope" for made in told for keyword in made.keywords):
        return False
    return not any(asks_later(module, value, fact, call) for value in arguments(call))
