"""The sessions that some codes have ended, with what holds their objects: by the end of a block, or by hand.

What finds them is imported where a module has the words for it: most have not, and every start pays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.by_hand import ByHand
    from session_lint.analysis.expired import Held
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.in_blocks import Block
    from session_lint.flow import Code


def in_blocks_of(facts: ModuleFacts, codes: Iterable[Code]) -> list[tuple[Block, list[Held]]]:
    """The blocks of some codes that leave objects expired, each with its variables that hold some."""
    if "with" not in facts.source.text:
        return []
    from session_lint.analysis.in_blocks import in_blocks  # noqa: PLC0415  (see the top)

    assert facts.module is not None
    return in_blocks(facts.module, facts.solved_in(codes))


def by_hand_of(facts: ModuleFacts, codes: Iterable[Code]) -> list[tuple[ByHand, list[Held]]]:
    """The sessions of some codes that are ended and closed by hand, with the variables that hold their objects."""
    if not any(word in facts.source.text for word in ("commit", "rollback", ".close()")):
        return []
    from session_lint.analysis.by_hand import by_hand  # noqa: PLC0415  (see the top)

    return by_hand(facts, codes)


def ended(facts: ModuleFacts, code: Code) -> list[tuple[Block | ByHand, list[Held]]]:
    """Both of one code."""
    return [*in_blocks_of(facts, [code]), *by_hand_of(facts, [code])]
