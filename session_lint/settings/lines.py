"""Where in a TOML file a key stands: its parser does not say.

A file is a row of headers and assignments, each of which is TOML by itself; so the parser is asked about each of them
alone. Only files with mistakes are looked through.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

Path = tuple[str, ...]


def line_of(text: str, path: Path, word: str = "") -> int | None:
    """The line (from 1) in which a key is given a value.

    :param text: of a file that can be parsed.
    :param path: the tables and the key; where it does not stand there itself, the table around it counts.
    :param word: what stands in the value, where that may be some lines long.
    """
    found = _origins(text)
    while path and path not in found:
        path = path[:-1]
    if not path:
        return None
    start, lines = found[path]
    return next((start + n for n, line in enumerate(lines) if word and word in line), start)


def _origins(text: str) -> dict[Path, tuple[int, list[str]]]:
    """Every key and table, with the line in which it begins and the lines of what gives it a value."""
    found: dict[Path, tuple[int, list[str]]] = {}
    table: Path = ()
    for start, lines, content in _pieces(text.split("\n")):
        if lines[0].lstrip().startswith("["):
            table = max(_paths(content), key=len)
            found.setdefault(table, (start, lines))
        else:
            for path in _paths(content):
                found.setdefault((*table, *path), (start, lines))
    return found


def _pieces(lines: list[str]) -> Iterator[tuple[int, list[str], dict[str, Any]]]:
    """The headers and assignments of a file."""
    start = 0
    while start < len(lines):
        for end in range(start + 1, len(lines) + 1):
            try:
                content = tomllib.loads("\n".join(lines[start:end]))
            except ValueError:  # it goes on in the next line
                continue
            if content:
                yield start + 1, lines[start:end], content
            break
        start = end


def _paths(content: dict[str, Any]) -> Iterator[Path]:
    """The keys of a table and of the tables in it."""
    for key, value in content.items():
        yield (key,)
        inner = value[-1] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            yield from ((key, *path) for path in _paths(inner))
