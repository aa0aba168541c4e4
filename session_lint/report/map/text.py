"""The map for a terminal: the sums, then what a picture would show, line by line."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from session_lint.mapping import Pattern
from session_lint.report.concise import many
from session_lint.report.map.groups import grouped
from session_lint.report.map.links import links
from session_lint.report.map.words import ENTRY, LETTERS, MARKS, MIXED, OPEN, SAID, clean, way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.mapping import SessionMap
    from session_lint.report.map.groups import Group, Opening


def report(told: SessionMap, opening: Opening) -> str:
    """The map as text; ends with a newline."""
    root = grouped(told, opening)
    boxes = list(root.boxes()) if root.nodes else []
    if not boxes:
        return f"No session is opened in {many(told.checked, 'file')}\n"
    parts = [_sums(root), _boxes(boxes), _definitions(told, boxes)]
    if told.entries:
        ways = "".join(f"  {clean(way(one))}\n" for one in told.entries)
        parts.append(f"{many(len(told.entries), 'way')} from an entry to the global session\n{ways}")
    return "\n".join(part for part in parts if part)


def _sums(root: Group) -> str:
    counts: Counter[Pattern] = Counter()
    modules: Counter[Pattern] = Counter()
    for node in root.nodes:
        counts.update(node.patterns)
        modules.update(list(node.patterns))
    lines = [
        f"{LETTERS[pattern]}  {SAID[pattern]}: {many(counts[pattern], 'place')} in {many(modules[pattern], 'module')}\n"
        for pattern in Pattern
        if counts[pattern]
    ]
    lines += [
        f"{mark}  {MARKS[mark]}: {number}\n"
        for mark, number in (
            (MIXED, root.mixed),
            (ENTRY, root.entries),
            (OPEN, root.open),
        )
        if number
    ]
    return "".join(lines)


def _boxes(boxes: list[Group]) -> str:
    rows = [
        (clean(box.name), "" if box.module else many(len(box.nodes), "module"), " ".join(_counts(box))) for box in boxes
    ]
    names, sizes = (max(len(row[column]) for row in rows) for column in (0, 1))
    return "".join(f"  {name:<{names}}  {size:>{sizes}}  {counts}".rstrip() + "\n" for name, size, counts in rows)


def _counts(box: Group) -> Iterator[str]:
    for pattern, count in box.patterns.items():
        yield f"{LETTERS[pattern]}{count}"
    for mark, number in ((MIXED, box.mixed), (ENTRY, box.entries), (OPEN, box.open)):
        if number:
            yield mark if box.module and mark == MIXED else f"{mark}{number}"
    if box.lent:
        yield f"hands {box.lent} on"


def _definitions(told: SessionMap, boxes: list[Group]) -> str:
    found = links(told, boxes)
    rows = [(clean(one.key), one.role, many(found.uses[one.key], "place")) for one in found.definitions]
    if not rows:
        return ""
    names, roles = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = "".join(f"  {name:<{names}}  {role:<{roles}}  {count}\n" for name, role, count in rows)
    more = f"  and {found.left_out} more\n" if found.left_out else ""
    return f"what they go through\n{lines}{more}"
