"""Sessions that a code lets others see through a context variable for the time that it has them, and ends itself.

Whoever asks the variable gets what somebody else will close: ``current.set(session)`` hands nothing over there.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.holding import Hold, closes, held
from session_lint.analysis.state import SiteKind
from session_lint.python.nodes import own_of

if TYPE_CHECKING:
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.state import Fact

SETTING = "contextvars.ContextVar().set"
"""What puts something into a context variable."""


def only_shows(callee: Callee, code: ast.AST, fact: Fact) -> bool:
    """Whether a call puts a session into a context variable which its own code closes, by a ``with`` or by hand."""
    if SETTING not in callee.names or fact.site is None:
        return False
    if fact.site.kind is SiteKind.SCOPE or any(isinstance(n, tuple) and n[0] == "with" for n in fact.names):
        return True
    calls = (n.func for n in own_of(code, ast.Call) if isinstance(n.func, ast.Attribute))
    return any(closes(func.attr) and held(func.value, fact) is Hold.WHOLE for func in calls)
