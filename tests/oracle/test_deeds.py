"""What the rules about use after close, scopes, failures and lost writes say of small programs is what runs show."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.linting import lint
from tests.oracle.deeds import Program, programs
from tests.oracle.deeds_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

CODES = ("SES103", "SES303", "SES304", "SES305", "SES701", "SES702")
WHOLE = 2
"""All programs with up to that many statements are judged, and of those with one more, as many as are asked for."""


def drawn(count: int) -> Iterator[Program]:
    """Programs of three statements, evenly from all of them."""
    found = list(programs(WHOLE + 1))
    yield from islice(found, 0, None, max(1, len(found) // count))


def disagreement(program: Program) -> str:
    """How the rules and the runs differ about a program; empty where they do not."""
    said = {found.code for found in lint(program.text, CODES)}
    shown = World(program).shown()
    return "" if said == shown else f"{program.text}\nsaid {sorted(said)}, shown {sorted(shown)}"


@pytest.mark.parametrize("size", range(1, WHOLE + 1))
def test_small_programs(size: int) -> None:
    """Every program of that size."""
    assert [d for p in programs(size) if (d := disagreement(p))] == []


def test_larger_programs(request: pytest.FixtureRequest) -> None:
    """Some of the next size, more in the long mode."""
    count = int(request.config.getoption("--oracle-programs"))
    assert [d for p in drawn(count) if (d := disagreement(p))] == []
