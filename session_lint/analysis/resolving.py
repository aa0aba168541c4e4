"""Outcomes that differ only in how tests came out which decide nothing between them are one outcome.

Where a function completes whether ``mode == 'w'`` or not, its callers need not be told of two ways. Two sets of
conditions that agree but for one atom, true in one and false in the other, hold together just where the rest of them
does: that is the resolution rule of logic, and loses no way and invents none.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from session_lint.analysis.kinds import MARK, means_something

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.guards import Guards


def resolve(alternatives: Iterable[Guards]) -> list[Guards]:
    """Sets of conditions of which one holds just where one of the given ones does, as few as are found."""
    found: list[Guards] = []
    for one in dict.fromkeys(alternatives):
        new, place = one, len(found)
        while joined := next(
            ((n, both) for n, other in enumerate(found) if (both := _together(other, new)) is not None), None
        ):
            index, new = joined
            del found[index]
            place = min(place, index)
        found.insert(place, new)
    return found


def _together(one: Guards, other: Guards) -> Guards | None:
    """What holds just where one of two sets of conditions does, if one set can say it."""
    first, second = _plain(one), _plain(other)
    if first <= second:
        return one
    if second <= first:
        return other
    differing = first ^ second
    if len(first) != len(second) or len(differing) != 2:  # noqa: PLR2004
        return None
    (text, _), (against, _) = differing
    return first & second if text == against else None


@cache
def _plain(conditions: Guards) -> Guards:
    """The conditions without those that follow from others: what is ``None`` is not true, what is true is there."""
    true = {text for text, value in conditions if value}
    implied = {(text.removesuffix(" is None"), False) for text in true if text.endswith(" is None")}
    implied |= {(f"{text.partition(MARK)[0]} is None", False) for text in true if means_something(text)}
    return conditions - implied - {(f"{text} is None", False) for text in true if " " not in text}
