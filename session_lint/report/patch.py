"""A unified diff as a terminal shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.source import physical_lines

if TYPE_CHECKING:
    from session_lint.report.paint import Paint


def patch(diff: str, paint: Paint) -> str:
    """A diff with its lines in the colours that git gives them; where there are no colours, as it stands."""
    return "".join(_line(line, paint) for line in physical_lines(diff)) if paint.look.colour else diff


def _line(line: str, paint: Paint) -> str:
    body = line.rstrip("\r\n")
    for begun, style in (("--- ", "bold"), ("+++ ", "bold"), ("@@", "code"), ("-", "removed"), ("+", "added")):
        if body.startswith(begun):
            return paint(body, style) + line[len(body) :]
    return line
