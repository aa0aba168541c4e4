"""Charts as SVG, for light pages and for dark ones: bars of what was measured, and lines on logarithmic axes."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Points = Sequence[tuple[float, float]]

STYLE = """
text {{ font: 13px system-ui, sans-serif; fill: {text} }}
.quiet {{ fill: {quiet} }}
.rule {{ stroke: {rule} }}
.ours {{ fill: {ours} }}
.other {{ fill: {other} }}
.line {{ fill: none; stroke-width: 1.5 }}
"""
LIGHT = {"text": "#1f2328", "quiet": "#656d76", "rule": "#d0d7de", "ours": "#0969da", "other": "#8c959f"}
DARK = {"text": "#e6edf3", "quiet": "#9198a1", "rule": "#3d444d", "ours": "#4493f8", "other": "#656c76"}
COLOURS = ("#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#0f766e", "#bc4c00", "#6e7781")
"""Of lines; each is told from a light ground and a dark one."""
ROW, LEFT, WIDTH = 24, 270, 760


def bars(title: str, values: Mapping[str, float], ours: str = "session-lint", *, dark: bool = False) -> str:
    """A bar for each value, in seconds, on a logarithmic axis.

    :param ours: how the names of those begin that stand out.
    """
    low = 10 ** math.floor(math.log10(min(values.values())))
    high = max(values.values()) * 1.1
    scale = (WIDTH - LEFT - 80) / math.log10(high / low)
    rows = [f'<text x="0" y="16">{escape(title)}</text>']
    for number, (name, value) in enumerate(values.items()):
        y, length = 32 + number * ROW, max(1.0, math.log10(value / low) * scale)
        kind = "ours" if name.startswith(ours) else "other"
        rows += [
            f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{LEFT}" y="{y + 2}" width="{length:.1f}" height="{ROW - 8}" rx="2"/>',
            f'<text class="quiet" x="{LEFT + length + 6:.1f}" y="{y + 14}">{seconds(value)}</text>',
        ]
    return _picture(title, 40 + len(values) * ROW, rows, dark=dark)


def lines(title: str, series: Mapping[str, Points], across: str, *, dark: bool = False) -> str:
    """A line for each series of points, both axes logarithmic, with seconds upwards.

    :param across: what the other axis counts.
    """
    x, y = (_axis([point[axis] for points in series.values() for point in points]) for axis in (0, 1))
    height = max(320, 60 + 18 * len(series))
    right, bottom = WIDTH - 220, height - 40
    plotted = [f'<text x="0" y="16">{escape(title)}</text>']
    for exponent in range(x[0], x[1] + 1):
        at = _place(10.0**exponent, x, 50, right)
        plotted += [
            f'<path class="rule" d="M{at:.1f} 32V{bottom}"/>',
            f'<text class="quiet" x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{10**exponent:,}</text>',
        ]
    for exponent in range(y[0], y[1] + 1):
        at = _place(10.0**exponent, y, bottom, 32)
        plotted += [
            f'<path class="rule" d="M50 {at:.1f}H{right}"/>',
            f'<text class="quiet" x="44" y="{at + 4:.1f}" text-anchor="end">{10.0**exponent:g} s</text>',
        ]
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        dashes = ' stroke-dasharray="5 3"' if number >= len(COLOURS) else ""
        way = "L".join(f"{_place(a, x, 50, right):.1f} {_place(b, y, bottom, 32):.1f}" for a, b in points)
        level = 44 + 18 * number
        plotted += [
            f'<path class="line" stroke="{colour}"{dashes} d="M{way}"/>',
            f'<path class="line" stroke="{colour}"{dashes} d="M{right + 12} {level - 4}h24"/>',
            f'<text x="{right + 42}" y="{level}">{escape(name)}</text>',
        ]
    plotted.append(f'<text class="quiet" x="50" y="{height - 6}">{escape(across)}</text>')
    return _picture(title, height, plotted, dark=dark)


def seconds(value: float) -> str:
    """Seconds with as many digits as are worth reading."""
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"  # noqa: PLR2004


def _axis(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten between which all values are."""
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


def _place(value: float, axis: tuple[int, int], start: float, end: float) -> float:
    return start + (math.log10(value) - axis[0]) / ((axis[1] - axis[0]) or 1) * (end - start)


def _picture(title: str, height: int, rows: Sequence[str], *, dark: bool) -> str:
    size = f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    return "\n".join([head, f"<style>{STYLE.format(**(DARK if dark else LIGHT))}</style>", *rows, "</svg>", ""])
