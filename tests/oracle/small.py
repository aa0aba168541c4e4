"""Every program up to a size, over one session: the smallest come first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from tests.oracle.program import Block, Statement, simple

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = simple("session = Session()")


@dataclass(frozen=True)
class Place:
    """What may be written depends on where: in a loop ``break``, in a handler a bare ``raise``."""

    loop: bool = False
    handler: bool = False

    def words(self) -> Iterator[str]:
        """The statements of one line."""
        yield from ("session.execute(q)", "session.close()", "return", "work()")
        if self.loop:
            yield from ("break", "continue")
        yield "raise" if self.handler else "raise ValueError"


@cache
def blocks(size: int, place: Place) -> tuple[Block, ...]:
    """All blocks of exactly that many lines."""
    if size == 0:
        return ((),)
    return tuple(chain.from_iterable(_starting(first, size, place) for first in range(1, size + 1)))


def _starting(first: int, size: int, place: Place) -> Iterator[Block]:
    """Blocks whose first statement has ``first`` lines. Nothing stands after a statement that leaves."""
    for statement in statements(first, place):
        if _leaves(statement):
            if first == size:
                yield (statement,)
        else:
            yield from ((statement, *rest) for rest in blocks(size - first, place))


def _leaves(statement: Statement) -> bool:
    """Whether control does not come out below a statement of one line."""
    return statement[0][0].startswith(("return", "raise", "break", "continue"))


@cache
def statements(size: int, place: Place) -> tuple[Statement, ...]:
    """All statements of exactly that many lines."""
    if size == 1:
        return tuple(simple(word) for word in place.words())
    looped = replace(place, loop=True)
    handling = replace(place, handler=True)
    return (
        *_one_clause("if c1:", size, place),
        *_one_clause("with session:", size, place),
        *_one_clause("for item in items:", size, looped),
        *_two_clauses("if c1:", place, "else:", place, size),
        *_two_clauses("try:", place, "finally:", place, size),
        *_two_clauses("try:", place, "except Exception:", handling, size),
        *_two_clauses("try:", place, "except ValueError:", handling, size),
        *_try_else(size, place),
    )


def _one_clause(header: str, size: int, inner: Place) -> Iterator[Statement]:
    return (((header, body),) for body in blocks(size - 1, inner))


def _two_clauses(header: str, first: Place, other: str, second: Place, size: int) -> Iterator[Statement]:
    """Both bodies have something in them; only a handler may stand empty, which reads ``pass``."""
    fewest = 0 if other.startswith("except") else 1
    for above in range(1, size - 1 - fewest):
        for body in blocks(above, first):
            yield from (((header, body), (other, rest)) for rest in blocks(size - 2 - above, second))
    if not fewest and size > 2:
        yield from (((header, body), (other, ())) for body in blocks(size - 2, first))


def _try_else(size: int, place: Place) -> Iterator[Statement]:
    for body in blocks(1, place) if size > 4 else ():
        for rest in blocks(size - 4, place):
            leave = simple("return")
            yield (("try:", body), ("except Exception:", (leave,)), ("else:", rest))


def programs(size: int) -> Iterator[Block]:
    """All programs with up to that many lines below the one that opens the session."""
    for lines in range(size + 1):
        for block in blocks(lines, Place()):
            yield (OPEN, *block)
