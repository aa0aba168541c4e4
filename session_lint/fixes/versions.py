"""Whether a project says that it runs with an SQLAlchemy whose sessions have no ``with``: that came with 1.4.

Source: https://docs.sqlalchemy.org/en/20/changelog/changelog_14.html#change-1.4.0b1
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.analysis.module import Module

_FIRST = (1, 4)
_CLAUSE = r"(?:===?|~=|<=|>=|!=|<|>)\s*\d[\w.*]*"
_REQUIRED = re.compile(
    rf"""(?<![\w./-])sqlalchemy(?:\[[^\]\n]*\])?\s*(?:\(?\s*({_CLAUSE}(?:\s*,\s*{_CLAUSE})*)(?![\w.*,\s]*;)"""
    r"""|["']?\s*=\s*(?:\{[^}\n]*?version\s*=\s*)?["']([^"'\n]*)["'])""",
    re.IGNORECASE,
)
"""``sqlalchemy<1.4``, and not only for some Python; ``sqlalchemy = "~1.3"`` and ``sqlalchemy = {version = "~1.3"}``."""
_BOUND = re.compile(r"(===?|~=|<=|>=|!=|<|>|\^|~)?\s*(\d+(?:\.\d+)*)(\.\*)?")
_COMMENT = re.compile(r"#.*")


def without_with(module: Module) -> str:
    """Why sessions have no ``with`` in a module's project; empty where nothing says so."""
    for name, text in module.program.manifests(module):
        if any(_is_old(found[1] or found[2]) for found in _REQUIRED.finditer(_COMMENT.sub("", text))):
            return f"{name} asks for an SQLAlchemy below 1.4, whose sessions have no `with`"
    return ""


def _is_old(required: str) -> bool:
    """Whether only versions below 1.4 are what is required: ``>=1.2,<1.4``."""
    bounds = [found for bound in required.split(",") if (found := _BOUND.match(bound.strip()))]
    return "|" not in required and any(map(_is_below, bounds))


def _is_below(bound: re.Match[str]) -> bool:
    """Whether one bound lets nothing in but versions below 1.4."""
    how, version = bound[1] or "==", tuple(map(int, bound[2].split(".")))
    if how in (">", ">=", "!="):
        return False
    if bound[3]:
        return _next(version) <= _FIRST
    if how in ("==", "===", "<="):
        return version < _FIRST
    if how == "<":
        return version[:2] < _FIRST or (version[:2] == _FIRST and not any(version[2:]))
    if how == "~=":
        return _next(version[:-1] or version) <= _FIRST
    if how == "~":
        return _next(version[:2]) <= _FIRST
    return version[0] == 0


def _next(version: tuple[int, ...]) -> tuple[int, ...]:
    return (*version[:-1], version[-1] + 1)
