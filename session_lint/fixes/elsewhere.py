"""Whether other files take a name from a module, which then has to keep it, though it does not use it any more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.analysis.module import Module

_IMPORTED = r"\bfrom\s+[\w.]*\b{own}\s+import\s+(?:\([^)]*\b{name}\b|[^\n(]*\b{name}\b|\*)"
_READ = r"\b(?:{owns})\s*\.\s*{name}\b"
"""``service.Session``, ``patch("app.service.Session")``."""
_REPLACED = r"\b(?:{owns})[\"']?\s*,\s*(?:[\"']{name}[\"']|[^()]*\b{name}\s*=)"
"""``setattr(service, "Session", …)``, ``patch.multiple("app.service", Session=…)``."""


def taken(module: Module, name: str) -> bool:
    """Whether another file of the project may import a name from a module, read it there, or put another in its place.

    That is told by the other files' words.
    """
    own = module.names.module.rpartition(".")[2]
    others = module.program.speaking_of(module, name, [own])
    return others is None or any(_takes(other.source.text, re.escape(own), re.escape(name)) for other in others)


def _takes(text: str, own: str, name: str) -> bool:
    owns = "|".join([own, *re.findall(rf"\b{own}\s+as\s+(\w+)", text)])
    return any(re.search(form.format(own=own, owns=owns, name=name), text) for form in (_IMPORTED, _READ, _REPLACED))
