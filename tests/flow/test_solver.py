"""The engine alone, with problems small enough to work out by hand."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from session_lint.flow import Edge, EdgeKind, Graph, Point, PointKind, SolverLimit, build, solve

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

Rows = tuple[int, ...]


class Lines:
    """Which lines a way has called or tried to call; those tried are negative.

    :param kept: how many of them a widened fact keeps.
    """

    def __init__(self, kept: int = 0) -> None:
        self.kept = kept

    def entry(self) -> Iterable[Rows]:
        """None yet."""
        return [()]

    def transfer(self, point: Point, fact: Rows) -> Iterable[Rows]:
        """A call that completes."""
        return [(*fact, point.row)] if point.kind is PointKind.CALL else [fact]

    def transfer_raise(self, point: Point, fact: Rows) -> Iterable[Rows]:
        """A call that raises, and one that cannot: that on line 1."""
        return [] if point.row == 1 else [(*fact, -point.row)]

    def follow(self, edge: Edge, fact: Rows) -> Iterable[Rows]:
        """A test on ``False_`` never succeeds."""
        never = isinstance(edge.node, ast.Name) and edge.node.id == "False_" and edge.kind is EdgeKind.TRUE
        return [] if never else [fact]

    def group(self, fact: Rows) -> Hashable:
        """By the first line."""
        return fact[:1]

    def fresh(self, fact: Rows, seen: dict[Hashable, Any]) -> Rows | None:  # noqa: ARG002
        """All of it."""
        return fact

    def key(self, fact: Rows) -> Hashable:
        """Each for itself."""
        return fact

    def widen(self, fact: Rows, *, more: bool = False) -> Rows:  # noqa: ARG002
        """The first few."""
        return fact[: self.kept]


class Lengths(Lines):
    """The same, but only how many calls it were counts."""

    def key(self, fact: Rows) -> Hashable:
        """Their number."""
        return len(fact)


def graph(text: str) -> Graph:
    """The graph of a module."""
    return build(ast.parse(text))


FORK = """\
one()
if a:
    two()
else:
    three()
four()
"""


def test_facts_stay_apart() -> None:
    """Where ways join, and where they end."""
    drawn = graph(FORK)
    facts = solve(drawn, Lines()).facts
    assert (facts[drawn.exit], facts[drawn.raised]) == (
        [(1, 3, 6), (1, 5, 6)],
        [(1, -3), (1, -5), (1, 3, -6), (1, 5, -6)],
    )


def test_of_facts_that_come_to_the_same_the_first_stands_for_all() -> None:
    """It is followed alone, and there is a way to it, and to each of the others."""
    drawn = graph(FORK)
    solution = solve(drawn, Lengths())
    assert (solution.facts[drawn.exit], solution.facts[drawn.raised]) == ([(1, 3, 6)], [(1, -3), (1, 3, -6)])
    assert solution.path(drawn.exit, (1, 5, 6)) == [
        *solution.path(drawn.exit, (1, 3, 6))[:-1],
        (drawn.exit, (1, 5, 6), solution.path(drawn.exit, (1, 3, 6))[-1][2]),
    ]


def test_impossible_ways_are_not_taken() -> None:
    """Neither where an edge says no nor where a point cannot raise."""
    drawn = graph("one()\nif False_:\n    two()\n")
    facts = solve(drawn, Lines()).facts
    assert (facts[drawn.exit], drawn.raised in facts) == ([(1,)], False)


def test_a_path_is_a_shortest_one() -> None:
    """Each step follows the one before it, from the entry to what was asked for."""
    drawn = graph("one()\nwhile a:\n    two()\n    if b:\n        two()\nthree()\n")
    solution = solve(drawn, Lines(kept=1), cap=8)
    way = solution.path(drawn.exit, (1, 3, 6))
    joined = [edge for _, _, edge in way if edge is not None]
    assert (way[0], way[-1][:2]) == ((drawn.entry, (), None), (drawn.exit, (1, 3, 6)))
    assert [(edge.source, edge.target) for edge in joined] == [(a[0], b[0]) for a, b in pairwise(way)]
    assert [edge.kind.value for edge in joined] == ["next", "next", "true", "next", "false", "false", "next"]


def test_a_path_to_nowhere() -> None:
    """A fact that does not hold has no path."""
    drawn = graph(FORK)
    solution = solve(drawn, Lines())
    with pytest.raises(KeyError):
        solution.path(drawn.exit, (7,))


LOOP = "one()\nwhile a:\n    two()\n"


def test_above_the_cap_facts_are_widened() -> None:
    """A loop would give ever longer facts; it comes to rest, and the first ones are as they were."""
    drawn = graph(LOOP)
    facts = solve(drawn, Lines(kept=3), cap=5).facts
    assert facts[drawn.exit] == [(1,), (1, 3), (1, 3, 3), (1, 3, 3, 3), (1, 3, 3, 3, 3)]


def test_the_cap_is_a_groups() -> None:
    """What starts otherwise has a budget of its own."""
    drawn = graph("if a:\n    one()\nelse:\n    two()\nwhile b:\n    three()\n")
    facts = solve(drawn, Lines(kept=1), cap=3).facts
    assert facts[drawn.exit] == [(2,), (4,), (2, 6), (4, 6), (2, 6, 6), (4, 6, 6)]


def test_facts_that_do_not_stay_few() -> None:
    """Are refused aloud, with the code that they are about."""
    drawn = graph(LOOP)
    with pytest.raises(SolverLimit) as caught:
        solve(drawn, Lines(kept=1_000_000), cap=2)
    assert caught.value.code is drawn.code


class Kinds(Lines):
    """Facts that end in a set of letters, each of which goes its way once."""

    def transfer(self, point: Point, fact: Rows) -> Iterable[Rows]:
        """The letters stay what they are."""
        return [("ab",), ("bc",)] if point.row == 1 and point.kind is PointKind.CALL and not fact else [fact]  # type: ignore[list-item]

    def fresh(self, fact: Rows, seen: dict[Hashable, Any]) -> Rows | None:
        """The letters that were not there before."""
        known = seen.setdefault((), set())
        new = [letter for part in map(str, fact) for letter in part if letter not in known]
        known.update(new)
        return ("".join(new),) if new else None if fact else fact  # type: ignore[return-value]


def test_of_a_fact_only_what_is_new_goes_on() -> None:
    """Where others that arrived before stand for a part of it."""
    made = graph("one()\nif a:\n    two()\nthree()\n")
    solution = solve(made, Kinds())
    last = next(block for block in made.blocks if any(point.row == 4 for point in block.points))
    assert ["ab", "c"] == [str(*fact) for fact in solution.facts[last]]
