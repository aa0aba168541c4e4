"""The phrases that the rules share."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.analysis import Ending, ModuleFacts


def named(name: str, what: str = "session") -> str:
    """``session 'db'``, or ``the session opened here`` for one without a name."""
    return f"{what} {name!r}" if name else f"the {what} opened here"


def closing_words(facts: ModuleFacts, ending: Ending) -> str:
    """Where a way ends with the session open: ``when line 14 raises``, ``at the end of 'main'``."""
    node = facts.end_node(ending)
    row = getattr(node, "lineno", 0)
    if ending.dropped is not None:
        return f"when line {row} lets go of it"
    if ending.fact.flying is not None:
        return f"when line {row} raises"
    if type(node).__name__ == "Return":
        return f"when line {row} returns"
    symbol = facts.symbol(ending.solved.code)
    return f"at the end of {symbol!r}" if symbol else "at the end of the module"
