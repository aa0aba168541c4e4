"""What IPython reads and Python does not: magics, shell commands and questions, put out of the way of a parser.

Rows and the lengths of lines stay as they are, so that places in the result are places in the cell.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = frozenset({"capture", "debug", "ipytest", "prun", "time", "timeit"})
"""The cell magics whose body runs as Python among the notebook's other cells."""
_CELL = re.compile(r"\s*%%(?P<name>\w*)")
_ESCAPED = re.compile(r"(?P<front>\s*)(?P<rest>[%!?,;/].*)", re.DOTALL)
_ASSIGNED = re.compile(r"(?P<front>\s*[^\s%!?#'\"=][^%!?#'\"=]*=\s*)(?P<rest>[%!].*)", re.DOTALL)
_ASKED = re.compile(r"(?P<front>\s*)(?P<rest>%{0,2}(?:[^\W\d]|\*)[\w.*()\[\]]*\?{1,2}\s*)")
_TIMED = re.compile(r"%time\s+(?P<code>\S.*)", re.DOTALL)
_NEXT = re.compile(r"#|'''|\"\"\"|'|\"|[\[({]|[\])}]")


def python_only(text: str) -> str:
    """A cell's text as Python: each command of IPython's is a constant, or spaces.

    ``%time`` leaves the statement that it times. A cell that belongs to another language is nothing but spaces.
    """
    lines = physical_lines(text)
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return text
    cell = _CELL.match(lines[first])
    if cell is not None and cell["name"] not in _HERE:
        return _blank(lines)
    if cell is not None:
        lines[first] = _spaces(lines[first])
    result = "".join(_replaced(lines))
    foreign = lines[first].lstrip().startswith("%") and not _parses(result)  # as Databricks marks a cell's language
    return _blank(lines) if foreign else result


def _replaced(lines: list[str]) -> Iterator[str]:
    depth, quote, joined, escaped = 0, "", False, False
    for line in lines:
        body = line.rstrip("\r\n")
        if escaped:
            yield _spaces(line)
        elif depth == 0 and not quote and not joined and (match := _command(body)) is not None:
            yield match["front"] + _instead(match) + line[len(body) :]
            escaped = True
        else:
            yield line
            depth, quote = _after(body, depth, quote)
        joined = body.endswith("\\")
        escaped = escaped and joined


def _command(body: str) -> re.Match[str] | None:
    """What of a line is IPython's, behind what is Python's."""
    return _ASKED.fullmatch(body) or _ESCAPED.fullmatch(body) or _ASSIGNED.fullmatch(body)


def _instead(match: re.Match[str]) -> str:
    rest, assigned = match["rest"], bool(match["front"].strip())
    timed = _TIMED.fullmatch(rest)
    if timed is not None and _parses(timed["code"]):
        room = len(rest) - len(timed["code"])
        return ("" if assigned else "0;").ljust(room) + timed["code"]
    return "0".ljust(len(rest))


def _after(body: str, depth: int, quote: str) -> tuple[int, str]:
    """How many brackets are open behind a line, and the quotes of the string that goes on behind it.

    :param depth: how many were open before it.
    :param quote: those of the string that it begins in; empty where it begins in none.
    """
    position = 0
    while True:
        if quote:
            end = re.compile(rf"(?:\\.|[^\\])*?{quote}", re.DOTALL).match(body, position)
            if end is None:
                return depth, quote if len(quote) > 1 or body.endswith("\\") else ""
            position, quote = end.end(), ""
        found = _NEXT.search(body, position)
        if found is None or found[0] == "#":
            return depth, ""
        position = found.end()
        if found[0] in "[({":
            depth += 1
        elif found[0] in "])}":
            depth = max(0, depth - 1)
        else:
            quote = found[0]


def _blank(lines: list[str]) -> str:
    return "".join(map(_spaces, lines))


def _spaces(line: str) -> str:
    body = line.rstrip("\r\n")
    return " " * len(body) + line[len(body) :]


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
