"""Where everything of a picture stands: packages on the left, definitions on the right, lines between them.

Lengths are in pixels. Texts are monospaced, so their widths are known: :data:`ADVANCE` of the size for each column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.report.map.links import Links, links

if TYPE_CHECKING:
    from session_lint.mapping import Definition, SessionMap
    from session_lint.report.map.groups import Group
    from session_lint.report.map.links import Link

ADVANCE = 0.625
"""The width of a column in parts of a text's size: a little more than any common monospaced font has."""
MARGIN, TOP = 24, 92
BOX_WIDTH, BOX_HEIGHT, GAP = 372, 48, 8
PAD, TITLE = 10, 24
GUTTER = 190
DEFINITION_WIDTH, DEFINITION_HEIGHT = 348, 44


@dataclass(frozen=True)
class Box:
    """A module, or a package that is not opened."""

    group: Group
    label: str
    x: float
    y: float


@dataclass(frozen=True)
class Frame:
    """A package that is opened."""

    name: str
    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """A definition; ``None`` for the ones that are not shown."""

    definition: Definition | None
    uses: int
    x: float
    y: float


@dataclass(frozen=True)
class Wire:
    """A line from a box to a definition."""

    link: Link
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class Layout:
    """A picture without its heading, its legend and its entries.

    :param left_out: how many definitions are not shown.
    """

    frames: tuple[Frame, ...]
    boxes: tuple[Box, ...]
    marks: tuple[Mark, ...]
    wires: tuple[Wire, ...]
    width: float
    bottom: float
    left_out: int


def arranged(told: SessionMap, root: Group) -> Layout:
    """The picture of a map whose packages are opened as a group says."""
    frames: list[Frame] = []
    boxes: list[Box] = []
    depth = _depth(root)
    bottom = float(TOP)
    if root.nodes:
        bottom = _stack(root, "", (MARGIN, TOP), depth, frames, boxes)
    right = MARGIN + BOX_WIDTH + 2 * PAD * depth
    found = links(told, [box.group for box in boxes])
    marks = _marks(found, boxes, right + GUTTER, bottom)
    wires = _wires(found, boxes, marks)
    height = max(bottom, *(mark.y + DEFINITION_HEIGHT for mark in marks)) if marks else bottom
    width = right + GUTTER + DEFINITION_WIDTH + MARGIN
    return Layout(tuple(frames), tuple(boxes), tuple(marks), tuple(wires), width, height, found.left_out)


def _depth(group: Group) -> int:
    """How many frames stand around the innermost boxes."""
    return 1 + max(map(_depth, group.inside)) if group.inside else 0


def _stack(
    group: Group, outer: str, corner: tuple[float, float], depth: int, frames: list[Frame], boxes: list[Box]
) -> float:
    """Place a group below what stands already; where it ends.

    All boxes have one left and one right edge, however many frames there are around them.

    :param depth: how many frames deeper the innermost boxes are.
    """
    x, y = corner
    label = group.name.removeprefix(f"{outer}.") or group.name
    if not group.inside:
        boxes.append(Box(group, f"{label} (itself)" if group.name == outer else label, x + PAD * depth, y))
        return y + BOX_HEIGHT
    place = len(frames)
    below = y + TITLE
    for inner in group.inside:
        below = _stack(inner, group.name, (x + PAD, below), depth - 1, frames, boxes) + GAP
    bottom = below - GAP + PAD
    frames.insert(place, Frame(group.name, label or "all", x, y, BOX_WIDTH + 2 * PAD * depth, bottom - y))
    return bottom


def _marks(found: Links, boxes: list[Box], x: float, bottom: float) -> list[Mark]:
    """The definitions, each as near as can be to the middle of what goes through it."""
    heights = {box.group.name: box.y + BOX_HEIGHT / 2 for box in boxes}
    weight: dict[str, int] = {}
    pull: dict[str, float] = {}
    for link in found.links:
        weight[link.definition] = weight.get(link.definition, 0) + link.count
        pull[link.definition] = pull.get(link.definition, 0) + link.count * heights[link.box]
    wished = {key: pull[key] / weight[key] for key in weight}
    ordered = sorted(found.definitions, key=lambda one: (wished.get(one.key, bottom), one.key))
    rows = [wished.get(one.key, bottom) - DEFINITION_HEIGHT / 2 for one in ordered]
    placed = _spread(rows, DEFINITION_HEIGHT + GAP, TOP, bottom - DEFINITION_HEIGHT)
    marks = [Mark(one, found.uses[one.key], x, y) for one, y in zip(ordered, placed, strict=True)]
    if found.left_out:
        last = marks[-1].y + DEFINITION_HEIGHT + GAP
        marks.append(Mark(None, found.left_out, x, last))
    return marks


def _spread(wished: list[float], step: float, top: float, bottom: float) -> list[float]:
    """Places at least a step apart, near those that are wished, from the top on; beyond the bottom if need be."""
    placed: list[float] = []
    for y in wished:
        placed.append(max(y, placed[-1] + step if placed else top))
    limit = max(bottom, top + step * (len(placed) - 1))
    for index in range(len(placed) - 1, -1, -1):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - step
    return placed


def _wires(found: Links, boxes: list[Box], marks: list[Mark]) -> list[Wire]:
    """The lines, those to definitions further up above those to definitions further down, so that few cross."""
    starts = {box.group.name: box for box in boxes}
    ends = {mark.definition.key: mark for mark in marks if mark.definition is not None}
    fans: dict[str, list[Link]] = {}
    for link in found.links:
        fans.setdefault(link.box, []).append(link)
    wires = []
    for name, fan in fans.items():
        box = starts[name]
        fan.sort(key=lambda link: (ends[link.definition].y, link.kind))
        for index, link in enumerate(fan):
            start = (box.x + BOX_WIDTH, box.y + BOX_HEIGHT * (index + 1) / (len(fan) + 1))
            mark = ends[link.definition]
            wires.append(Wire(link, start, (mark.x, mark.y + DEFINITION_HEIGHT / 2)))
    return wires
