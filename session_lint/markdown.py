"""The Python in a Markdown file: each fenced block is a module of its own, at the rows and columns of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from session_lint.source import Source, SourceError, begins_indented, physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSAL = "Markdown is not rewritten: the block has to be changed where it is edited"
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>[^`\r\n]*)[\r\n]*")
_PYTHON = frozenset({"ipython", "ipython3", "py", "py3", "pycon", "python", "python3"})
_DIRECTIVES = frozenset({"code", "code-block", "code-cell", "sourcecode"})
_OPTION = re.compile(r"\s*:[\w-]+:")
_PROMPT = re.compile(r"(?P<indent>[ \t]*)(?:>>>|\.\.\.)(?= |$)")


@dataclass(frozen=True)
class _Block:
    """A fenced block.

    :param row: the row of its fence, from 1.
    :param directive: whether its first lines may be options of a directive.
    """

    row: int
    lines: list[str]
    directive: bool


def blocks(filename: str, data: bytes) -> list[Source]:
    """The Python blocks of a Markdown file that are Python; what is only a piece of some is left out.

    :param data: the file's bytes.
    :raises SourceError: where they are not UTF-8.
    """
    found = (_source(filename, block) for block in _fenced(text_of(data).splitlines(keepends=True)))
    return [source for source in found if _parses(source)]


def text_of(data: bytes) -> str:
    """The text of a Markdown file, with line feeds.

    :raises SourceError: where it is not UTF-8.
    """
    try:
        return "".join(line.rstrip("\r\n") + "\n" for line in physical_lines(data.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise SourceError(f"cannot be decoded: {error}") from None


def _fenced(lines: list[str]) -> Iterator[_Block]:
    opened: re.Match[str] | None = None
    start = 0
    for row, line in enumerate([*lines, ""], 1):
        fence = _FENCE.fullmatch(line)
        if opened is None:
            opened, start = fence, row
            continue
        closes = fence is not None and fence["fence"].startswith(opened["fence"]) and not fence["info"].strip()
        if closes or row > len(lines):
            words = re.findall(r"[\w-]+", opened["info"].lower()) or [""]
            directive = words[0] in _DIRECTIVES
            if words[1 if directive and len(words) > 1 else 0] in _PYTHON:
                yield _Block(start, lines[start : row - 1], directive)
            opened = None


def _source(filename: str, block: _Block) -> Source:
    lines = list(block.lines)
    for number, line in enumerate(lines if block.directive else ()):
        if not _OPTION.match(line):
            break
        lines[number] = "\n"
    first = next((line for line in lines if line.strip()), "")
    if _PROMPT.match(first.rstrip("\n")):
        lines = [_statement(line) for line in lines]
    # A block that is indented stays where it is, as the body of a statement in the row of its fence.
    head = "if True:\n" if begins_indented(lines) else "\n"
    return Source(filename, "\n" * (block.row - 1) + head + "".join(lines))


def _statement(line: str) -> str:
    """A line of a session at the prompt without the prompt; what was printed is nothing."""
    prompt = _PROMPT.match(line.rstrip("\n"))
    return " " * prompt.end() + line[prompt.end() :] if prompt is not None else "\n"


def _parses(source: Source) -> bool:
    try:
        source.parse()
    except SourceError:
        return False
    return True
