"""The map for Graphviz: packages as clusters, boxes and definitions as nodes, what goes through what as edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.mapping import Pattern
from session_lint.report.concise import many
from session_lint.report.map.groups import grouped
from session_lint.report.map.links import CLOSES, REACHES, links
from session_lint.report.map.words import ENTRY, LETTERS, MIXED, OPEN, ROLES, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.mapping import Definition, SessionMap
    from session_lint.report.map.groups import Group, Opening

_COLOURS = {"manual": "#b34700", "scope": "#00734f", "singleton": "#92307e", "request": "#0060a8", "library": "#596270"}
_SHAPES = {"manual": "box", "scope": "ellipse", "singleton": "diamond", "request": "hexagon", "library": "note"}


def report(told: SessionMap, opening: Opening) -> str:
    """A directed graph; what a picture marks stands in the labels."""
    root = grouped(told, opening)
    boxes = list(root.boxes()) if root.nodes else []
    found = links(told, boxes)
    lines = [
        "digraph sessions {",
        '  graph [rankdir=LR, fontname="sans-serif", ranksep=2];',
        '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=11];',
        *(_group(root, "", "  ") if boxes else ()),
        *map(_definition, found.definitions),
    ]
    for link in found.links:
        style = {CLOSES: "dashed", REACHES: "dotted"}.get(link.kind, "")
        colour = _COLOURS[Pattern.SINGLETON.value if style else link.kind]
        dashed = f", style={style}" if style else ""
        count = f', label="{link.count}"' if link.count > 1 else ""
        lines.append(f'  {_box_id(link.box)} -> {_key(link.definition)} [color="{colour}"{dashed}{count}];')
    return "\n".join([*lines, "}"]) + "\n"


def _group(group: Group, outer: str, indent: str) -> Iterator[str]:
    label = group.name.removeprefix(f"{outer}.") or group.name
    if not group.inside:
        patterns = group.patterns
        most = max(patterns, key=lambda pattern: patterns[pattern]).value if patterns else "library"
        said = [f"{LETTERS[pattern]} {count}" for pattern, count in patterns.items()]
        marks = ((MIXED, group.mixed), (ENTRY, group.entries), (OPEN, group.open))
        said += [f"{mark}{number}" for mark, number in marks if number]
        size = "" if group.module else f" ({many(len(group.nodes), 'module')})"
        text = _quoted("\n".join([f"{label}{size}", "  ".join(said)]))
        yield f'{indent}{_box_id(group.name)} [label={text}, color="{_COLOURS[most]}"];'
        return
    yield f"{indent}subgraph {_quoted(f'cluster {group.name}')} {{"
    yield f'{indent}  graph [label={_quoted(label or "all")}, color="#d9dde3"];'
    for inner in group.inside:
        yield from _group(inner, group.name, f"{indent}  ")
    yield f"{indent}}}"


def _definition(one: Definition) -> str:
    kind = ROLES[one.role].value if one.role in ROLES else "library"
    label = _quoted(f"{one.name}\n{one.role}" + (f" of {one.module}" if one.module else ""))
    return f'  {_key(one.key)} [label={label}, shape={_SHAPES[kind]}, style=solid, color="{_COLOURS[kind]}"];'


def _box_id(name: str) -> str:
    return _quoted(f"in {name}")


def _key(name: str) -> str:
    return _quoted(f"by {name}")


def _quoted(text: str) -> str:
    lines = [clean(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n")]
    return '"' + "\\n".join(lines) + '"'
