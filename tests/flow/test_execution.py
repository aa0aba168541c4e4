"""The interpreter is the judge: what the graph allows is what happens, no way missed and no way made up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flow.execution import Ways, execute
from tests.flow.programs import Body, Drawn, bodies, source
from tests.flow.ways import ways

SIZES = [1, 2, 3, 4]
EVENTS = 5


def check(body: Body, events: int = EVENTS) -> None:
    """Compare the ways through a program's graph with its executions."""
    text = source(body)
    raises = ["A", "B"] if "B" in text else ["A"]
    executed = execute(source(body, stoppable=True), events, raises)
    allowed = ways(text, events, raises)
    missed, made_up = _beyond(executed, allowed), _beyond(allowed, executed)
    assert (missed, made_up) == (Ways(set(), set()), Ways(set(), set())), text


def _beyond(some: Ways, others: Ways) -> Ways:
    return Ways(some.whole - others.whole, some.cut - others.cut)


@pytest.mark.parametrize("size", SIZES)
def test_every_small_program(size: int) -> None:
    """All programs of a size, whatever their events turn out to be."""
    for body in bodies(size):
        check(body)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_random_programs(data: st.DataObject) -> None:
    """Larger ones, with everything that statements and tests are made of."""
    check(Drawn(lambda below: data.draw(st.integers(0, below - 1))).body(3))
