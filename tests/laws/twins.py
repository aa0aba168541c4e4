"""Programs that mean the same as another: each function is a rewriting, from text to text or from block to block."""

from __future__ import annotations

import ast
import re
from textwrap import indent
from typing import TYPE_CHECKING

from tests.oracle.program import HELPERS, IMPORTS, mentions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.program import Block

EXTRACTED = {
    r"\bwork\(\)": ("do_the_work()", "def do_the_work():\n    work()\n"),
    r"\b(session|other)\.execute\(q\)": (r"ask(\1)", "def ask(it):\n    it.execute(q)\n"),
    r"\b(session|other)\.close\(\)": (r"put_away(\1)", "def put_away(it):\n    it.close()\n"),
    r"\b(session|other)\.commit\(\)": (r"make_it_last(\1)", "def make_it_last(it):\n    it.commit()\n"),
}
"""What can be moved into a function of its own, and how the call and the function read."""


def renamed(text: str, name: str, new: str) -> str:
    """One variable under another name."""
    return re.sub(rf"\b{name}\b", new, text)


def in_a_condition(block: Block) -> Block:
    """All of it below ``if True:``."""
    return ((("if True:", block),),)


def spaced(text: str, above: Iterable[int], line: str) -> str:
    """A module with one more line above each of these."""
    wanted = set(above)
    rows = enumerate(text.splitlines(keepends=True), 1)
    return "".join(f"{line}\n{old}" if row in wanted else old for row, old in rows)


def moved(row: int, above: Iterable[int]) -> int:
    """Where a row stands after :func:`spaced`."""
    return row + sum(1 for one in set(above) if one <= row)


def statement_rows(text: str) -> list[int]:
    """The rows on which a statement begins, where a line may go in between."""
    return sorted({node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)})


def extracted(text: str, pattern: str) -> str:
    """Each occurrence of a statement moved into a function at the end of the module."""
    call, function = EXTRACTED[pattern]
    before, definition, body = text.partition("def program(")
    return f"{before}{definition}{re.sub(pattern, call, body)}\n\n{function}"


def as_method(text: str) -> str:
    """The function as a method of a class; everything else stays where it is."""
    before, definition, rest = text.partition("def program(")
    return f"{before}class Job:\n{indent(f'{definition}self, {rest}', '    ')}"


def can_be_asynchronous(text: str) -> bool:
    """Whether :func:`asynchronous` knows what to do with all of it."""
    words = ("ExitStack", "closing", "stack", "save_and_shut", *HELPERS)
    return not any(mentions(text, word) for word in words) and "given" not in text.partition("items):")[2]


def asynchronous(text: str) -> str:
    """The same with an ``AsyncSession``."""
    text = text.replace(IMPORTS["Session"], "from sqlalchemy.ext.asyncio import AsyncSession")
    text = re.sub(r"\bSession\(\)", "AsyncSession()", text).replace("def program", "async def program")
    text = re.sub(r"\bwith ((?:session|other|AsyncSession)\b[^\n]*:)", r"async with \1", text)
    return re.sub(r"^( *)(\w+\.(?:execute|commit|rollback|close)\()", r"\1await \2", text, flags=re.MULTILINE)


def both(first: str, second: str) -> str:
    """Two modules in one file, the second one's function under another name."""
    return f"{first}\n\n{second.replace('def program(', 'def second(')}"
