"""From a program that shows something to the smallest that still does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.oracle.program import Block, Statement


def shrink(block: Block, shows: Callable[[Block], bool]) -> Block:
    """The smallest program that can be reached by taking away one thing at a time.

    :param shows: whether a program still shows what this one does.
    """

    def still(smaller: Block) -> bool:
        try:
            return shows(smaller)
        except SyntaxError:  # a break whose loop was taken away
            return False

    while (smaller := next(filter(still, simpler(block)), None)) is not None:
        block = smaller
    return block


def simpler(block: Block) -> Iterator[Block]:
    """The blocks with one thing less: a statement, a clause, or the clauses around a block."""
    for at, statement in enumerate(block):
        before, after = block[:at], block[at + 1 :]
        yield (*before, *after)
        for _, body in statement:
            if body:
                yield (*before, *body, *after)
        for less in lighter(statement):
            yield (*before, less, *after)


def lighter(statement: Statement) -> Iterator[Statement]:
    """The statements with one clause less, or with something less in one."""
    for at, (header, body) in enumerate(statement):
        before, after = statement[:at], statement[at + 1 :]
        if at and len(statement) > (2 if statement[0][0] == "try:" else 1):
            yield (*before, *after)
        for less in simpler(body):
            yield (*before, (header, less), *after)
