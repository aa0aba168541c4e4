"""What a dotted name means for sessions: the TOML tables of this folder, and how to ask them."""

from session_lint.vocabulary.protocol import Effect, QueryMethods, effects, query_methods
from session_lint.vocabulary.tables import Meaning, Role, Vocabulary, builtin, mentions, opening_words

__all__ = [
    "Effect",
    "Meaning",
    "QueryMethods",
    "Role",
    "Vocabulary",
    "builtin",
    "effects",
    "mentions",
    "opening_words",
    "query_methods",
]
