"""The pictures of ``docs/how-it-decides.md``, drawn by the analysis itself as the HTML report draws them.

``python docs/pictures.py`` writes each into ``docs/_static/pictures/``, for light pages and for dark ones.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from session_lint.analysis import analyse
from session_lint.report.html.boxes import Box, Line, size_of
from session_lint.report.html.picture import MARGIN, Picture, Wire, picture
from session_lint.rules import catalogue
from session_lint.source import Source
from session_lint.vocabulary.protocol import effects

if TYPE_CHECKING:
    from session_lint.report.layered import Point

HERE = Path(__file__).resolve().parent
PAGE, FOLDER = HERE / "how-it-decides.md", HERE / "_static" / "pictures"
STATES = {
    "new": ("was never used: no connection", 172.0, 0.0),
    "active": ("in a transaction: a connection is out", 150.0, 86.0),
    "idle": ("the connection is back in the pool", 0.0, 212.0),
    "closed": ("nothing is held", 370.0, 212.0),
}
"""What is written in the box of each state, and where it stands."""
CHANGES: list[tuple[str, str, tuple[Point, ...], bool]] = [
    ("new", "active", ((278.0, 43.0), (278.0, 86.0)), False),
    ("active", "idle", ((165.0, 129.0), (165.0, 150.0), (165.0, 212.0)), True),
    ("idle", "active", ((215.0, 212.0), (215.0, 165.0), (215.0, 129.0)), False),
    ("active", "closed", ((378.0, 129.0), (378.0, 180.0), (378.0, 212.0)), True),
    ("closed", "active", ((400.0, 212.0), (400.0, 165.0), (400.0, 129.0)), False),
    ("idle", "closed", ((243.0, 233.0), (370.0, 233.0)), False),
]
"""The changes between them: the line of each, and whether its label stands to the left of it."""
SHOWN = 2
"""How many methods are named for a change of state."""


def examples() -> dict[str, str]:
    """The Python blocks of the page that are drawn, by the name of their picture: the block above it."""
    text = PAGE.read_text("utf-8")
    blocks = re.findall(r"```python\n((?:(?!```).)*)```(?:(?!```python).)*?pictures/(\w+)-light\.svg", text, re.DOTALL)
    return {name: code for code, name in blocks}


def pictures() -> dict[str, str]:
    """All files, by their names."""
    drawn = {name: graph_of(text) for name, text in examples().items()} | {"states": states()}
    return {
        f"{name}-{theme}.svg": svg(found, dark=theme == "dark")
        for name, found in drawn.items()
        for theme in ("light", "dark")
    }


def graph_of(text: str) -> Picture:
    """The graph of the function in which the first finding of a module is, with its way."""
    source = Source("example.py", text)
    facts = analyse(source, source.parse(), "example")
    finding = next(finding for rule in catalogue().values() if rule.default for finding in rule.check(facts))
    drawn = picture(finding, facts)
    assert drawn is not None
    return drawn


def states() -> Picture:
    """The states of a session, and by what it gets from one to another, in the words of the protocol."""
    boxes = []
    for name, (said, x, y) in STATES.items():
        box = Box("code", (Line(0, name), Line(0, said)), on=False, raises=False)
        width, height = size_of(box, [])
        boxes.append(replace(box, x=x + MARGIN, y=y + MARGIN, width=width, height=height))
    wires = tuple(
        Wire(tuple((x + MARGIN, y + MARGIN) for x, y in line), _by(end), on=False, exceptional=False, before=before)
        for _, end, line, before in CHANGES
    )
    words = "; ".join(f"{start} to {end} by {_by(end)}" for start, end, _, _ in CHANGES)
    right, bottom = (max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes))
    return Picture("states", right + MARGIN, bottom + MARGIN, tuple(boxes), wires, words, 0)


def _by(state: str) -> str:
    """The methods that bring a session into a state."""
    methods = [name for name, effect in effects().items() if effect.to == state and name.isalpha()]
    return ", ".join(methods[:SHOWN]) + (", …" if len(methods) > SHOWN else "")


def svg(drawn: Picture, *, dark: bool) -> str:
    """A picture as a file of its own, in the colours of the report."""
    templates = files("session_lint.report.html") / "templates"
    page, style = ((templates / f"report.{kind}").read_text("utf-8") for kind in ("html", "css"))
    macro = re.search(r"\{%- macro graph\(.*?endmacro -%\}", page, re.DOTALL)
    tips = re.search(r'<svg class="tips".*?(<defs>.*?</defs>)', page, re.DOTALL)
    assert macro is not None
    assert tips is not None
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made = environment.from_string(macro[0] + "{{ graph(drawn, 'picture') }}").render(drawn=drawn)
    before, _, after = made[made.index("<svg ") : made.index("</svg>")].partition(">")
    head = before.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" class="graph" ')
    return f"{head}><style>\n{_style(style, dark=dark)}</style>{tips[1]}{after}</svg>\n"


def _style(style: str, *, dark: bool) -> str:
    """The rules of the report's style that dress a graph, with one theme's colours in them."""
    rules = [line for line in style.splitlines() if re.match(r"(\.graph (?!svg)|#tip)", line)]
    colours = dict(re.findall(r"(--[\w-]+): (.+);", style))

    def plain(match: re.Match[str]) -> str:
        both = re.fullmatch(r"light-dark\((.+), (.+)\)", colours[match[1]])
        return both[2 if dark else 1] if both else colours[match[1]]

    return "".join(re.sub(r"var\((--[\w-]+)\)", plain, line).strip() + "\n" for line in rules)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pictures().items():
        (FOLDER / name).write_text(text, "utf-8")
