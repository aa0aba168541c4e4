"""Small programs over one session that write, commit, roll back, close, nest scopes and swallow errors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Block = tuple[str, ...]
"""Lines, each with the indentation that it has inside the block."""

HEAD = """\
from database.session import SessionLocal, scoped_session
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from app import Row, q


def program(c1):
"""
FRAMES = {
    "by hand": "session = SessionLocal()",
    "with": "with SessionLocal() as session:",
    "scope": "with scoped_session() as session:",
}
WRITE, READ, COMMIT = "session.execute(insert(Row))", "session.execute(q)", "session.commit()"
ROLLBACK, CLOSE, RETURN = "session.rollback()", "session.close()", "return"
NESTED = ("with scoped_session() as other:", "    other.execute(q)")
SIMPLE: tuple[Block, ...] = ((WRITE,), (READ,), (COMMIT,), (ROLLBACK,), (CLOSE,), (RETURN,), NESTED)
HANDLERS = ("pass", ROLLBACK, CLOSE, RETURN, "raise")
_STEPS = (WRITE, READ, COMMIT, ROLLBACK, CLOSE)
AFTER: tuple[Block, ...] = ((), (READ,), (WRITE,), (READ, CLOSE))


@dataclass(frozen=True)
class Program:
    """One program.

    :param frame: how its session is opened.
    :param body: what it does with it; inside of the ``with``, where there is one.
    :param after: what it does behind the ``with``.
    """

    frame: str
    body: Block
    after: Block = ()

    @property
    def text(self) -> str:
        """The module."""
        inside = "" if self.frame == "by hand" else "    "
        lines = [FRAMES[self.frame], *(inside + line for line in self.body), *self.after]
        return HEAD + "".join(f"    {line}\n" for line in lines)

    @property
    def fit(self) -> bool:
        """Whether every commit in it may fail: there is something to commit, on whatever way leads there."""
        steps = [line.strip() for line in (*self.body, *self.after) if line.strip() in _STEPS]
        return all(at and steps[at - 1] in (WRITE, READ) for at, step in enumerate(steps) if step == COMMIT)

    @property
    def commits(self) -> bool:
        """Whether anything in it, or its scope, commits, or rolls back on purpose: not where something has failed."""
        lines = (*self.body, *self.after)
        meant = [line for above, line in pairwise(("", *lines)) if "except" not in above or ROLLBACK not in line]
        return self.frame == "scope" or any(word in line for line in meant for word in (COMMIT, ROLLBACK))

    @property
    def is_one_statement(self) -> bool:
        """Whether its scope does no more with its session than to execute one statement."""
        return self.frame == "scope" and sum(line.strip().startswith("session.") for line in self.body) == 1

    @property
    def asks(self) -> bool:
        """Whether it depends on ``c1``."""
        return any("c1" in line for line in self.body)


@cache
def blocks(size: int) -> tuple[Block, ...]:
    """All blocks of that many statements; nothing stands behind one that leaves."""
    if size == 0:
        return ((),)
    found = [
        (*first, *rest)
        for taken in range(1, size + 1)
        for first in statements(taken)
        for rest in blocks(size - taken)
        if first[-1] != RETURN or not rest
    ]
    return tuple(found)


@cache
def statements(size: int) -> tuple[Block, ...]:
    """All statements that count as that many."""
    if size == 1:
        return SIMPLE
    inner = [tuple(f"    {line}" for line in block) for block in blocks(size - 1)]
    tried = [
        ("try:", *block, "except SQLAlchemyError:", f"    {handler}") for block, handler in product(inner, HANDLERS)
    ]
    return (*tried, *(("if c1:", *block) for block in inner))


def programs(size: int) -> Iterator[Program]:
    """All programs whose body has that many statements."""
    for body in blocks(size):
        found = [Program("by hand", body), Program("by hand", (*body, CLOSE))]
        found += [Program(frame, body, after) for frame, after in product(("with", "scope"), AFTER)]
        yield from (program for program in found if program.fit)
