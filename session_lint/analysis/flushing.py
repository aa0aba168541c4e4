"""Sessions that send what was added before they ask the database for something, and those that are told not to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.makers import switched_off, told_otherwise

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact

_OPTION = "autoflush"
_HOLDING = "no_autoflush"
_OFF = (f"{_OPTION}=False", f"{_OPTION} = False", f'{_OPTION}": False', f"{_OPTION}': False")
"""How a program tells sessions not to: by a keyword, an attribute, a dictionary."""


def flushes_by_itself(module: Module, fact: Fact, call: ast.Call) -> bool:
    """Whether a session surely sends what was added before it asks: nobody has switched that off, it seems.

    Where the program does so somewhere, only a session counts of which the code sees how it was opened.

    :param call: what asks, or leads to it.
    """
    if _held_back(module, call):
        return False
    if not any(module.program.speaks_of(module, word) for word in _OFF):
        return True
    opening = fact.site.origin.node if fact.site is not None else None
    if isinstance(opening, ast.withitem):
        opening = opening.context_expr
    home = module.program.module_of(opening, module) if isinstance(opening, ast.Call) else None
    if home is None or opening not in home.calls:
        return False
    return switched_off(home, opening, _OPTION) is False and not told_otherwise(home, opening, _OPTION)  # type: ignore[arg-type]


def _held_back(module: Module, call: ast.AST) -> bool:
    """Whether a call stands in a block of ``with session.no_autoflush``."""
    if _HOLDING not in module.source.text:
        return False
    above = module.parents.get(call)
    while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)):
        items = above.items if isinstance(above, ast.With) else []
        if any(isinstance(i.context_expr, ast.Attribute) and i.context_expr.attr == _HOLDING for i in items):
            return True
        above = module.parents.get(above)
    return False
