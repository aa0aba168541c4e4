"""Golden pages: Markdown in which a block of Python is followed by the text of its graph."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

from session_lint.flow import Code, build, render

FOLDER = Path(__file__).parent / "golden"
PAIR = re.compile(
    r"""
    ^\#\#[ ](?P<title>.+)\n
    (?:(?!```|\#\#[ ]).*\n)*
    ```python\n(?P<source>(?:.*\n)*?)```\n
    \n
    ```text\n(?P<graph>(?:.*\n)*?)```$
    """,
    re.MULTILINE | re.VERBOSE,
)


class Pair(NamedTuple):
    """A source and its graph.

    :param page: the page's file name without its suffix.
    """

    page: str
    title: str
    source: str
    graph: str


def pairs() -> list[Pair]:
    """All of them, in the order of the pages."""
    return [
        Pair(path.stem, found["title"], found["source"], found["graph"])
        for path in sorted(FOLDER.glob("*.md"))
        for found in PAIR.finditer(path.read_text(encoding="utf-8"))
    ]


def headings() -> list[tuple[str, str]]:
    """The page and title of everything that should be such a pair."""
    return [
        (path.stem, title)
        for path in sorted(FOLDER.glob("*.md"))
        for title in re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def drawn(source: str) -> str:
    """The graph of a source: of its first function or lambda, or of the module where there is none."""
    tree = ast.parse(source)
    inner = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))
    code: Code = next(inner, tree)
    return render(build(code)) + "\n"


def update() -> None:
    """Write the graphs as they are now into the pages."""
    for path in FOLDER.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(PAIR.sub(_redrawn, text), encoding="utf-8")


def _redrawn(found: re.Match[str]) -> str:
    start, end = found.start("graph") - found.start(), found.end("graph") - found.start()
    whole = found[0]
    return whole[:start] + drawn(found["source"]) + whole[end:]
