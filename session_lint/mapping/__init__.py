"""The map of a code base's sessions: which modules get them in which way, through what, and who closes them."""

from session_lint.mapping.assembly import session_map
from session_lint.mapping.model import (
    Close,
    Definition,
    Entrance,
    Node,
    Pattern,
    SessionMap,
    Site,
)

__all__ = ["Close", "Definition", "Entrance", "Node", "Pattern", "SessionMap", "Site", "session_map"]
