"""The map as a picture: packages and modules on the left, what they go through on the right, the entries below."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from session_lint.mapping import Pattern
from session_lint.report.concise import many
from session_lint.report.map.drawing import SMALL, badge, badges, lines, number, sign, text, width
from session_lint.report.map.groups import grouped
from session_lint.report.map.layout import (
    BOX_HEIGHT,
    BOX_WIDTH,
    DEFINITION_HEIGHT,
    DEFINITION_WIDTH,
    MARGIN,
    arranged,
)
from session_lint.report.map.links import CLOSES, REACHES
from session_lint.report.map.words import ENTRY, LETTERS, MARKS, MIXED, OPEN, ROLES, SAID, clean, sign_of, way

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.mapping import SessionMap
    from session_lint.report.map.groups import Group, Opening
    from session_lint.report.map.layout import Box, Frame, Layout, Mark, Wire

ENTRIES = 30
"""How many entries stand below a picture."""
_ROW = 22
_LIBRARY = {"managed": "managed by a library"}


def report(told: SessionMap, opening: Opening) -> str:
    """A file with the picture, which follows the light or dark of who looks at it."""
    return f"{picture(told, grouped(told, opening), opening)}\n"


def picture(told: SessionMap, root: Group, opening: Opening) -> str:
    """The picture as an element that can stand in a page, too."""
    layout = arranged(told, root)
    entries, height = _entries(told, layout)
    style = files(__package__).joinpath("templates", "picture.css").read_text("utf-8")
    wide = number(layout.width)
    said = _heading(told, root, opening)
    opened = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="map" width="{wide}" height="{number(height)}"'
        f' viewBox="0 0 {wide} {number(height)}" role="group" aria-label="{escape(clean(said))}">'
    )
    return lines(
        [
            opened,
            f"<style>\n{style}</style>",
            f'<rect class="page" width="{wide}" height="{number(height)}"/>',
            text(MARGIN, 30, said, "title", most=layout.width - 2 * MARGIN, size=16),
            *_legend(),
            *map(_frame, layout.frames),
            *map(_wire, layout.wires),
            *map(_box, layout.boxes),
            *map(_mark, layout.marks),
            *entries,
            "</svg>",
        ]
    )


def _heading(told: SessionMap, root: Group, opening: Opening) -> str:
    if not root.nodes:
        where = f" in {opening.focus}" if opening.focus else ""
        return f"No session is opened{where} ({many(told.checked, 'file')} looked at)"
    places = sum(len(node.sites) for node in root.nodes)
    name = opening.focus or root.name
    given = sum(node.given for node in told.modules)
    passed = f"; {many(given, 'function')} {'is' if given == 1 else 'are'} passed one" if given else ""
    where = f" of {name}" if name else ""
    return f"Sessions{where}: {many(places, 'place')} in {many(len(root.nodes), 'module')}{passed}"


def _legend() -> Iterator[str]:
    x = float(MARGIN)
    for pattern in Pattern:
        yield badge(x, 44, pattern, LETTERS[pattern])
        yield text(x + 22, 56, SAID[pattern], "small quiet", size=SMALL)
        x += 22 + width(SAID[pattern], SMALL) + 14
    x = float(MARGIN)
    for mark, said in MARKS.items():
        yield text(x, 78, f"{mark} {said}", _kind(mark), size=SMALL)
        x += width(f"{mark} {said}", SMALL) + 20
    for kind in (CLOSES, REACHES):
        yield f'<path class="wire {kind}" d="M{number(x)} 74h30" stroke-width="1.5"/>'
        yield text(x + 36, 78, kind, "small quiet", size=SMALL)
        x += 36 + width(kind, SMALL) + 16


def _kind(mark: str) -> str:
    return "mark" if mark == ENTRY else "warn"


def _frame(frame: Frame) -> str:
    rect = _rect("frame", frame.x, frame.y, frame.width, frame.height)
    return rect + text(frame.x + 10, frame.y + 17, frame.label, "small quiet", most=frame.width - 20, size=SMALL)


def _rect(kind: str, x: float, y: float, wide: float, high: float) -> str:
    return (
        f'<rect class="{kind}" x="{number(x)}" y="{number(y)}" width="{number(wide)}" height="{number(high)}" rx="4"/>'
    )


def _box(box: Box) -> str:
    group, x, y = box.group, box.x, box.y
    count = "" if group.module else many(len(group.nodes), "module")
    room = BOX_WIDTH - 26 - (width(count, SMALL) + 10 if count else 0)
    patterns = group.patterns
    most = max(patterns, key=lambda pattern: patterns[pattern]).value if patterns else ""
    drawn, end = badges(x + 14, y + 26, patterns)
    parts = [
        _rect("body", x, y, BOX_WIDTH, BOX_HEIGHT),
        f'<rect class="stripe {most}" x="{number(x)}" y="{number(y)}" width="5" height="{BOX_HEIGHT}" rx="2"/>',
        text(x + 14, y + 18, box.label, most=room),
        text(x + BOX_WIDTH - 10, y + 18, count, "small quiet", size=SMALL, end=True) if count else "",
        drawn,
    ]
    for mark, number_of in ((MIXED, group.mixed), (ENTRY, group.entries), (OPEN, group.open)):
        if number_of:
            said = mark if group.module and mark == MIXED else f"{mark}{number_of}"
            parts.append(text(end + 4, y + 38, said, _kind(mark), size=SMALL))
            end += width(said, SMALL) + 10
    if group.lent:
        parts.append(text(end + 4, y + 38, f"hands {group.lent} on", "small quiet", size=SMALL))
    kind = "box mixed" if group.mixed and group.module else "box"
    name = escape(clean(group.name))
    return f'<g class="{kind}" data-box="{name}"><title>{name}</title>{"".join(parts)}</g>'


def _mark(mark: Mark) -> str:
    x, y, one = mark.x, mark.y, mark.definition
    body = _rect("body", x, y, DEFINITION_WIDTH, DEFINITION_HEIGHT)
    if one is None:
        said = f"{many(mark.uses, 'more definition')}, with fewer places"
        return f'<g class="def">{body}{text(x + 44, y + 27, said, "small quiet", size=SMALL)}</g>'
    kind = ROLES[one.role].value if one.role in ROLES else "library"
    where = f"{one.role} of {one.module}" if one.module else _LIBRARY.get(one.role, "of a library")
    uses = many(mark.uses, "place") if mark.uses else "not used here"
    room = DEFINITION_WIDTH - 54
    parts = [
        body,
        sign(x + 22, y + DEFINITION_HEIGHT / 2, kind, sign_of(one.role)),
        text(x + 44, y + 18, one.name, most=room),
        text(x + 44, y + 35, where, "small quiet", most=room - width(uses, SMALL) - 8, size=SMALL),
        text(x + DEFINITION_WIDTH - 10, y + 35, uses, "small quiet", size=SMALL, end=True),
    ]
    name = escape(clean(one.key))
    return (
        f'<g class="def" data-definition="{name}"><title>{name}: {escape(clean(one.known))}</title>{"".join(parts)}</g>'
    )


def _wire(wire: Wire) -> str:
    (x, y), (to_x, to_y) = wire.start, wire.end
    middle = (x + to_x) / 2
    thick = 1.2 + min(len(str(wire.link.count)) - 1, 3) * 0.9
    box, definition = escape(clean(wire.link.box)), escape(clean(wire.link.definition))
    said = f"{box} → {definition}: {wire.link.kind}, {wire.link.count}"
    turns = [(middle, y), (middle, to_y), (to_x, to_y)]
    curve = f"M{number(x)} {number(y)}C{' '.join(f'{number(a)} {number(b)}' for a, b in turns)}"
    return (
        f'<path class="wire {wire.link.kind}" data-from="{box}" data-to="{definition}" stroke-width="{number(thick)}"'
        f' d="{curve}"><title>{said}</title></path>'
    )


def _entries(told: SessionMap, layout: Layout) -> tuple[list[str], float]:
    """The entries that reach the global session, a line each, and where the picture ends."""
    y = layout.bottom + 34
    if not told.entries:
        return [], layout.bottom + MARGIN
    heading = f"{many(len(told.entries), 'way')} from an entry to the global session"
    parts = [text(MARGIN, y, heading, "title", most=layout.width - 2 * MARGIN, size=16)]
    for one in told.entries[:ENTRIES]:
        y += _ROW
        kind = "warn" if one.ending.startswith("left open") else "small"
        parts.append(text(MARGIN, y, f"{ENTRY} {way(one)}", kind, most=layout.width - 2 * MARGIN, size=SMALL))
    rest = len(told.entries) - ENTRIES
    if rest > 0:
        y += _ROW
        parts.append(text(MARGIN, y, f"and {rest} more", "small quiet", size=SMALL))
    return parts, y + MARGIN
