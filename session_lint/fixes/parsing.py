"""The one way in which codemods read a text."""

from __future__ import annotations

import difflib
from functools import lru_cache

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from session_lint.fixes import CannotFix
from session_lint.source import physical_lines


@lru_cache(maxsize=4)  # the findings of a file come one after the other
def parsed(text: str) -> MetadataWrapper:
    """The concrete tree of a module, with its positions.

    :raises CannotFix: where libcst cannot read it, or its tree does not give the text back line for line.
    """
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise CannotFix(f"line {error.raw_line} is Python that libcst does not read") from None
    if module.code != text and len(physical_lines(module.code)) != len(physical_lines(text)):
        raise CannotFix("the file cannot be rewritten without changing other lines")
    return MetadataWrapper(module, unsafe_skip_copy=True)


def faithful(before: str, after: str) -> str:
    """The rewritten text with every line that it leaves alone as it was.

    A tree of libcst lacks form feeds between statements, and the space in ``except X :``.

    :param before: the text that was rewritten.
    :param after: what a codemod made of its tree.
    """
    given = parsed(before).module.code
    if given == before:
        return after
    old, known, new = (physical_lines(text) for text in (before, given, after))
    matcher = difflib.SequenceMatcher(None, known, new, autojunk=False)
    kept = (old[a:b] if tag == "equal" else new[c:d] for tag, a, b, c, d in matcher.get_opcodes())
    return "".join(line for lines in kept for line in lines)


def statement_at(wrapper: MetadataWrapper, row: int) -> int:
    """Which statement of a module begins in a row."""
    positions = wrapper.resolve(PositionProvider)
    for index, statement in enumerate(wrapper.module.body):
        if positions[statement].start.line == row:
            return index
    raise CannotFix("the import of the factory was not found")
