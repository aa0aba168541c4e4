"""The pieces that a picture is drawn with: texts that fit, badges, shapes."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from session_lint.report.map.layout import ADVANCE
from session_lint.report.map.words import LETTERS, clean, columns, cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.mapping import Pattern

SMALL, NORMAL = 11, 12


def text(
    x: float, y: float, said: str, kind: str = "", *, most: float = 0, size: float = NORMAL, end: bool = False
) -> str:
    """A text, cut in its middle where it is wider than ``most``; then the whole stands in its title."""
    said = clean(said)
    shown = cut(said, int(most / (size * ADVANCE))) if most else said
    whole = f"<title>{escape(said)}</title>" if shown != said else ""
    anchor = ' text-anchor="end"' if end else ""
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{number(x)}" y="{number(y)}"{anchor}>{whole}{escape(shown)}</text>'


def width(said: str, size: float = NORMAL) -> float:
    """How wide a text is."""
    return columns(said) * size * ADVANCE


def badge(x: float, y: float, pattern: Pattern, said: str) -> str:
    """A text on the colour of a pattern."""
    shape = (
        f'<rect class="badge {pattern.value}" x="{number(x)}" y="{number(y)}"'
        f' width="{number(width(said, SMALL) + 10)}" height="16" rx="3"/>'
    )
    return shape + text(x + 5, y + 12, said, "on", size=SMALL)


def badges(x: float, y: float, patterns: dict[Pattern, int]) -> tuple[str, float]:
    """A badge for each pattern, with its letter and how often it is used; and where they end."""
    parts = []
    for pattern, count in patterns.items():
        said = f"{LETTERS[pattern]} {count}"
        parts.append(badge(x, y, pattern, said))
        x += width(said, SMALL) + 15
    return "".join(parts), x


def sign(x: float, y: float, kind: str, letter: str) -> str:
    """A definition's shape, by its pattern, with the letter of its role: the middle of it stands at ``x``, ``y``."""
    half = 11
    corners = {
        "manual": [(-half, -half), (half, -half), (half, half), (-half, half)],
        "singleton": [(0, -14), (14, 0), (0, 14), (-14, 0)],
        "request": [(-7, -12), (7, -12), (14, 0), (7, 12), (-7, 12), (-14, 0)],
        "library": [(-half, -half), (half, -half), (half, half), (-half, half)],
    }
    if kind == "scope":
        shape = f'<circle class="badge scope" cx="{number(x)}" cy="{number(y)}" r="12"/>'
    else:
        points = " ".join(f"{number(x + dx)},{number(y + dy)}" for dx, dy in corners[kind])
        shape = f'<polygon class="badge {kind}" points="{points}"/>'
    return shape + text(x - SMALL * ADVANCE / 2, y + 4, letter, "on", size=SMALL)


def number(value: float) -> str:
    """A length, short."""
    return f"{value:.1f}".removesuffix(".0")


def lines(parts: Iterable[str]) -> str:
    """The parts of a picture, a line each."""
    return "\n".join(part for part in parts if part)
