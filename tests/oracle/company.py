"""Programs in the company of functions and classes of their own, drawn at random from a seed."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

from tests.oracle.aids import AIDS, OPENERS
from tests.oracle.program import PROGRAM, Block, Statement, simple
from tests.oracle.wild import SHAPES, Pen, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.oracle.aids import Aid

OPENING = re.compile(r"(?P<s>\w+) = (Session|open_it|open_used)\(\)")
ENTERING = re.compile(r"with Session\(\) as (?P<s>\w+):")
CLOSING = re.compile(r"(?P<s>\w+)\.close\(\)")


def program(seed: int, number: int) -> Block:
    """The module of that number."""
    random = Random(f"company/{seed}/{number}")
    aids = drawn(random)
    pen = Pen(random, {words: weight for aid in aids for words, weight in aid.words.items()})
    shape = random.choices([*SHAPES, *OWN], [*SHAPES.values(), *OWN.values()])[0]
    block = tuple(shape(pen, random.randint(2, 7)))
    return module_of(aids, swapped(block, random, aids))


def alone(seed: int, number: int) -> Block:
    """A module in which nothing happens but one aid that opens a session."""
    random = Random(f"alone/{seed}/{number}")
    aid = random.choice(OPENERS)(Pen(random))
    return module_of([aid], random.choice(aid.alone))


def drawn(random: Random) -> list[Aid]:
    """One to three of the aids."""
    kinds = dict.fromkeys(random.choices(list(AIDS), list(AIDS.values()), k=random.randint(1, 3)))
    return [kind(Pen(random)) for kind in kinds]


def module_of(aids: list[Aid], block: Block) -> Block:
    """The module of a program and its aids."""
    definitions = [statement for aid in aids for statement in aid.definition]
    return (*definitions, ((f"{PROGRAM}c1, c2, c3, given, items):", block),))


def swapped(block: Block, random: Random, aids: list[Aid]) -> Block:
    """A program in which aids open, close and manage the sessions."""
    ways = {
        OPENING: [use for aid in aids for use in aid.opens],
        ENTERING: [use for aid in aids for use in aid.scopes],
        CLOSING: [use for aid in aids for use in aid.closes],
    }

    def line(header: str) -> str:
        for pattern, uses in ways.items():
            found = pattern.fullmatch(header)
            if found and uses and random.random() < 0.7:
                return random.choice(uses).format(s=found["s"])
        return header

    def walk(one: Block) -> Block:
        return tuple(tuple((line(header), walk(body)) for header, body in statement) for statement in one)

    return walk(block)


def nested(pen: Pen, lines: int) -> Iterator[Statement]:
    """A function inside closes, called in a ``finally`` or at the end."""
    yield simple("session = Session()")
    yield (("def finish():", (*pen.block(1, Place(spent=True)), simple("session.close()"))),)
    block = pen.block(lines, Place())
    if pen.random.random() < 0.5:
        yield (("try:", block), ("finally:", (simple("finish()"),)))
        return
    yield from block
    yield simple("finish()")


def managed(pen: Pen, lines: int) -> Iterator[Statement]:
    """Around it something that closes, and afterwards something else."""
    first, second = pen.split(lines, 2)
    header = pen.random.choice(
        ["with Session() as session:", "with Session() as session:", "with open_it() as session:"]
    )
    yield ((header, pen.block(first, Place(managed=True))),)
    yield simple("session = Session()")
    yield from pen.block(second, Place())
    yield simple("session.close()")


def wrapped(pen: Pen, lines: int) -> Iterator[Statement]:
    """``closing`` around what was opened."""
    yield simple("session = Session()")
    yield (("with closing(session):", pen.block(lines, Place())),)


OWN: dict[Callable[[Pen, int], Iterator[Statement]], float] = {nested: 3, managed: 6, wrapped: 2}
