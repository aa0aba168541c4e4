"""The map for programs: all modules, definitions and ways, whatever a picture would leave out.

The shape is described in ``docs/map.md``; fields are added, never renamed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from session_lint.report.concise import shown

if TYPE_CHECKING:
    from session_lint.mapping import Definition, Entrance, Node, SessionMap
    from session_lint.report.map.groups import Opening

VERSION = 1


def report(told: SessionMap, _opening: Opening) -> str:
    """The map as one JSON object."""
    return json.dumps(as_json(told), indent=2) + "\n"


def as_json(told: SessionMap) -> dict[str, Any]:
    """The map in plain values."""
    return {
        "version": VERSION,
        "checked": told.checked,
        "modules": [_module(node) for node in told.modules],
        "definitions": [_definition(one) for one in told.definitions],
        "entries": [_entry(one) for one in told.entries],
    }


def _module(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "filename": shown(node.filename),
        "patterns": {pattern.value: count for pattern, count in node.patterns.items()},
        "mixed": node.mixed,
        "test": node.test,
        "given": node.given,
        "sites": [
            {
                "row": site.row,
                "symbol": site.symbol,
                "pattern": site.pattern.value,
                "text": site.text,
                "through": site.through or None,
                "ending": site.ending,
                "open": site.open,
            }
            for site in node.sites
        ],
        "closes": [{"row": one.row, "symbol": one.symbol, "through": one.through or None} for one in node.closes],
    }


def _definition(one: Definition) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "module": one.module or None,
        "filename": shown(one.filename) if one.filename else None,
        "row": one.row or None,
        "role": one.role,
        "known": one.known,
    }


def _entry(one: Entrance) -> dict[str, Any]:
    return {
        "module": one.module,
        "filename": shown(one.filename),
        "symbol": one.symbol,
        "row": one.row,
        "request": one.request,
        "way": [{"code": code, "row": row} for code, row in one.way],
        "getter": one.getter or None,
        "ending": one.ending,
    }
