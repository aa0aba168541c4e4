"""The map as one page that needs nothing beside it: the picture to move in, and every place behind its boxes."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from session_lint.report.concise import many, shown
from session_lint.report.map.groups import grouped
from session_lint.report.map.svg import picture
from session_lint.report.map.words import LETTERS, MIXED, OPEN, clean, way

if TYPE_CHECKING:
    from session_lint.mapping import Close, Definition, Node, SessionMap, Site
    from session_lint.report.map.groups import Group, Opening


def report(told: SessionMap, opening: Opening) -> str:
    """The page, complete."""
    root = grouped(told, opening)
    name = opening.focus or root.name
    page = Template(_part("map.html"))
    return page.substitute(
        title=_said(f"Sessions of {name}" if name else "Sessions"),
        style=_part("map.css"),
        script=_part("map.js"),
        picture=picture(told, root, opening),
        sums=_said(_sums(told, root)),
        modules="\n".join(_module(node) for node in root.nodes),
        definitions="\n".join(map(_definition, told.definitions)),
        entries="\n".join(f"<li>{_said(way(one))}</li>" for one in told.entries),
        without_entries="" if told.entries else "hidden",
        boxes=_boxes(root),
    )


def _part(name: str) -> str:
    return files(__package__).joinpath("templates", name).read_text("utf-8")


def _said(text: str) -> str:
    return escape(clean(text))


def _sums(told: SessionMap, root: Group) -> str:
    sums = [
        f"{many(told.checked, 'file')} looked at",
        f"{many(len(root.nodes), 'module')} with sessions",
        f"{root.mixed} mixing patterns",
        f"{many(root.open, 'place')} leaving one open",
        f"{many(len(told.entries), 'way')} to a global session",
    ]
    return " · ".join(sums)


def _boxes(root: Group) -> str:
    """Which modules stand behind each box, for the script; nothing in it can end the element around it."""
    members = {clean(box.name): [clean(node.name) for node in box.nodes] for box in root.boxes()}
    return json.dumps(members).replace("<", "\\u003c")


def _module(node: Node) -> str:
    badges = "".join(
        f'<b class="badge {pattern.value}">{LETTERS[pattern]} {count}</b>' for pattern, count in node.patterns.items()
    )
    marks = f'<b class="warn" title="mixes patterns">{MIXED}</b>' if node.mixed else ""
    marks += f'<b class="warn" title="left open">{OPEN}{node.open}</b>' if node.open else ""
    rows = [(one.row, _site(node, one)) for one in node.sites]
    rows += [(one.row, _close(node, one)) for one in node.closes]
    rows.sort(key=lambda pair: pair[0])
    return (
        f'<li class="module" data-name="{_said(node.name)}"><details><summary><code>{_said(node.name)}</code>'
        f"{badges}{marks}</summary><ul>{''.join(row for _, row in rows)}</ul></details></li>"
    )


def _site(node: Node, one: Site) -> str:
    open_ = ' class="warn"' if one.open else ""
    return (
        f'<li data-through="{_said(one.through)}">{_at(node, one)}: <b class="badge {one.pattern.value}">'
        f"{LETTERS[one.pattern]}</b> <code>{_said(one.text)}</code>{_through(one)},"
        f" <span{open_}>{_said(one.ending)}</span></li>"
    )


def _close(node: Node, one: Close) -> str:
    return f'<li data-through="{_said(one.through)}">{_at(node, one)}: closes the global session{_through(one)}</li>'


def _at(node: Node, one: Site | Close) -> str:
    where = f" in <code>{_said(one.symbol)}</code>" if one.symbol else ""
    return f"<code>{_said(shown(node.filename))}:{one.row}</code>{where}"


def _through(one: Site | Close) -> str:
    return f" through <code>{_said(one.through)}</code>" if one.through else ""


def _definition(one: Definition) -> str:
    at = f" <code>{_said(shown(one.filename))}:{one.row}</code>" if one.filename else ""
    key = _said(one.key)
    return (
        f'<li class="definition" data-key="{key}"><button type="button"><code>{key}</code></button>'
        f" {_said(one.role)}:{at} {_said(one.known)}</li>"
    )
