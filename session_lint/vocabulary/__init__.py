"""What a dotted name means for sessions: the TOML tables of this folder, and how to ask them.

What is asked for here is imported then: settings name the user's tables, and most starts need no others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from session_lint.vocabulary.said import Tables

if TYPE_CHECKING:
    from session_lint.vocabulary.protocol import Effect, QueryMethods, effects, query_methods
    from session_lint.vocabulary.tables import Meaning, Role, Vocabulary, builtin, vocabulary

__all__ = [
    "Effect",
    "Meaning",
    "QueryMethods",
    "Role",
    "Tables",
    "Vocabulary",
    "builtin",
    "effects",
    "query_methods",
    "vocabulary",
]
_PROTOCOL = ("Effect", "QueryMethods", "effects", "query_methods")


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = import_module(f"{__name__}.{'protocol' if name in _PROTOCOL else 'tables'}")
    globals()[name] = value = getattr(home, name)
    return value
