"""What a dotted name means for sessions: the TOML tables of this folder, and how to ask them."""

from session_lint.vocabulary.protocol import Effect, QueryMethods, effects, query_methods
from session_lint.vocabulary.tables import Meaning, Role, Tables, Vocabulary, builtin, vocabulary

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
