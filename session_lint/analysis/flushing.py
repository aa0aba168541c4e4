"""Sessions that send what was added before they ask the database for something, and those that are told not to."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.makers import switched_off, told_otherwise

if TYPE_CHECKING:
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact

_OPTION = "autoflush"
_OFF = (f"{_OPTION}=False", f"{_OPTION} = False", f'{_OPTION}": False', f"{_OPTION}': False")
"""How a program tells sessions not to: by a keyword, an attribute, a dictionary."""


def flushes_by_itself(module: Module, fact: Fact) -> bool:
    """Whether a session surely sends what was added before it asks: nobody has switched that off, it seems.

    Where the program does so somewhere, only a session counts of which the code sees how it was opened.
    """
    if not any(module.program.speaks_of(module, word) for word in _OFF):
        return True
    opening = fact.site.origin.node if fact.site is not None else None
    if isinstance(opening, ast.withitem):
        opening = opening.context_expr
    home = module.program.module_of(opening, module) if isinstance(opening, ast.Call) else None
    if home is None or opening not in home.calls:
        return False
    return switched_off(home, opening, _OPTION) is False and not told_otherwise(home, opening, _OPTION)  # type: ignore[arg-type]
