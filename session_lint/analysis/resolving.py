"""Outcomes that differ only in how tests came out which decide nothing between them are one outcome.

Where a function completes whether ``mode == 'w'`` or not, its callers need not be told of two ways. Two sets of
conditions that agree but for one atom, true in one and false in the other, hold together just where the rest of them
does: that is the resolution rule of logic, and loses no way and invents none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.guards import Guards


def resolve(alternatives: Iterable[Guards]) -> list[Guards]:
    """Sets of conditions of which one holds just where one of the given ones does, as few as are found."""
    found = list(dict.fromkeys(alternatives))
    while (shorter := _step(found)) is not None:
        found = shorter
    return found


def _step(alternatives: list[Guards]) -> list[Guards] | None:
    """The same with two that are taken together, or without one that another covers; ``None`` where there are none."""
    plain = [_plain(one) for one in alternatives]
    for index, one in enumerate(plain):
        for other, second in enumerate(plain):
            if index != other and one <= second:
                return [*alternatives[:other], *alternatives[other + 1 :]]
            if index < other and len(one) == len(second) and len(differing := one ^ second) == 2:  # noqa: PLR2004
                (text, _), (against, _) = differing
                if text == against:
                    kept = one & second
                    return [*alternatives[:index], kept, *alternatives[index + 1 : other], *alternatives[other + 1 :]]
    return None


def _plain(conditions: Guards) -> Guards:
    """The conditions without those that follow from others: what is ``None`` is not true, what is true is there."""
    true = {text for text, value in conditions if value}
    implied = {(text.removesuffix(" is None"), False) for text in true if text.endswith(" is None")}
    return conditions - implied - {(f"{text} is None", False) for text in true if " " not in text}
