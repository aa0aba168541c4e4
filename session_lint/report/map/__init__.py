"""The map of a code base's sessions: one module a format, each with a function from the map to text.

:data:`FORMATS` lists them; a module is imported when its format is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.mapping import SessionMap
    from session_lint.report.map.groups import Opening

FORMATS = ("text", "svg", "html", "dot", "json")


def render(form: str, told: SessionMap, opening: Opening) -> str:
    """A map in one of :data:`FORMATS`.

    :param opening: how far packages are opened; the JSON always tells all.
    """
    text: str = import_module(f"{__name__}.{form}").report(told, opening)
    return text
