"""What boxes go through, bundled: one line from a box to a definition for each way of using it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.mapping import Pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.mapping import Definition, SessionMap
    from session_lint.report.map.groups import Group

MOST = 40
"""How many definitions a picture shows; those with the most places stay."""
CLOSES, REACHES = "closes", "reaches"
_SHOWN_UNUSED = ("factory", "scope", "singleton", "closer", "dependency", "decorator")


@dataclass(frozen=True)
class Link:
    """A line from a box to a definition.

    :param kind: the pattern of the places, or ``closes``; ``reaches`` for entries that call what gets the session.
    :param count: how many places, or entries.
    """

    box: str
    definition: str
    kind: str
    count: int


@dataclass(frozen=True)
class Links:
    """All lines, and the definitions they lead to.

    :param uses: how many places go through each definition.
    :param left_out: how many more definitions there are, which are not shown.
    """

    links: tuple[Link, ...]
    definitions: tuple[Definition, ...]
    uses: Counter[str]
    left_out: int


def links(told: SessionMap, boxes: Sequence[Group]) -> Links:
    """The lines of a picture, and the definitions that it shows."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for box in boxes:
        for node in box.nodes:
            counts.update((box.name, s.through, s.pattern.value) for s in node.sites if s.through)
            counts.update((box.name, c.through, CLOSES) for c in node.closes if c.through)
    for box in boxes:
        names = {node.name for node in box.nodes}
        for entry in told.entries:
            if entry.module in names and (box.name, entry.getter, Pattern.SINGLETON.value) not in counts:
                counts[box.name, entry.getter, REACHES] += 1
    users: Counter[str] = Counter()
    for (_, definition, kind), count in counts.items():
        users[definition] += count if kind != REACHES else 0
    wanted = [one for one in told.definitions if users[one.key] or one.role in _SHOWN_UNUSED]
    kept = sorted(wanted, key=lambda one: (-users[one.key], one.key))[:MOST]
    shown = {one.key for one in kept}
    found = [Link(*key, count) for key, count in counts.items() if key[1] in shown]
    return Links(tuple(found), tuple(kept), users, len(wanted) - len(kept))
