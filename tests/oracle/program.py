"""A program over a session: a tree of statements, and the module it reads as.

A statement is a tuple of clauses, a clause a header and the block under it. ``session.close()`` is one
clause without a block; ``try … finally`` are two clauses. A header that ends in a colon has a block.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Clause: TypeAlias = "tuple[str, Block]"
Statement: TypeAlias = "tuple[Clause, ...]"
Block: TypeAlias = "tuple[Statement, ...]"

HELPERS = {
    "shut": "def shut(it):\n    it.close()\n",
    "save": "def save(it):\n    it.commit()\n",
    "save_and_shut": "def save_and_shut(it):\n    try:\n        it.commit()\n    finally:\n        it.close()\n",
    "save_then_shut": "def save_then_shut(it):\n    it.commit()\n    it.close()\n",
    "shut_if": "def shut_if(it, really):\n    if really:\n        it.close()\n",
    "stop": "def stop():\n    raise RuntimeError\n",
    "calmly": "def calmly():\n    try:\n        work()\n    except Exception:\n        pass\n",
    "open_it": "def open_it():\n    return Session()\n",
    "open_used": (
        "def open_used():\n    it = Session()\n    try:\n        it.execute(q)\n"
        "    except Exception:\n        it.close()\n        raise\n    return it\n"
    ),
}
"""Functions of the module that a program may call; only those that it calls are written out."""

IMPORTS = {
    "logging": "import logging",
    "sys": "import sys",
    "ExitStack": "from contextlib import ExitStack",
    "closing": "from contextlib import closing",
    "contextmanager": "from contextlib import contextmanager",
    "suppress": "from contextlib import suppress",
    "IntegrityError": "from sqlalchemy.exc import IntegrityError",
    "SQLAlchemyError": "from sqlalchemy.exc import SQLAlchemyError",
    "Session": "from sqlalchemy.orm import Session",
    "borrow": "from app import borrow",
    "probe": "from app import probe",
    "q": "from app import q",
    "work": "from app import work",
}
"""What a module imports where its text has the name."""

PROGRAM = "def program("


def simple(text: str) -> Statement:
    """A statement of one line."""
    return ((text, ()),)


def size(block: Block) -> int:
    """How many lines a block has, an empty body not counted."""
    return sum(1 + size(body) for statement in block for _, body in statement)


def lines(block: Block, depth: int = 0) -> list[str]:
    """A block as it is written."""
    indent = "    " * depth
    written = []
    for header, body in (clause for statement in block for clause in statement):
        written.append(indent + header)
        if header.endswith(":"):
            written += lines(body, depth + 1) or [f"{indent}    pass"]
    return written


def module(block: Block) -> str:
    """The module whose function ``program`` is this block, or that is this block where it defines that itself."""
    text = "\n\n\n".join("\n".join(lines((statement,))) for statement in whole(block))
    called = [function for name, function in HELPERS.items() if mentions(text, name)]
    return headed("\n\n".join([*called, f"{text}\n"]))


def headed(functions: str, *more: str) -> str:
    """A text below the imports that it needs.

    :param more: further ones.
    """
    imports = "\n".join([*(line for name, line in IMPORTS.items() if mentions(functions, name)), *more])
    return f"{imports}\n\n\n{functions}"


def whole(block: Block) -> Block:
    """The statements of a module: a program alone is its function."""
    if any(header.startswith(PROGRAM) for statement in block for header, _ in statement):
        return block
    return (((f"{PROGRAM}c1, c2, c3, given, items):", block),),)


def mentions(text: str, name: str) -> bool:
    """Whether a text has the name as a word."""
    return re.search(rf"\b{name}\b", text) is not None
