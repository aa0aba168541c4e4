"""The interpreter is the judge: what the graph allows is what happens, no way missed and no way made up."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flow.execution import Ways, execute
from tests.flow.programs import Body, Drawn, bodies, source
from tests.flow.ways import ways

EVENTS = {1: 6, 2: 6, 3: 5, 4: 4}


def check(body: Body, events: int) -> None:
    """Compare the ways through a program's graph with its executions."""
    text = source(body)
    raises = ["A", "B"] if "except" in text else ["A"]
    executed = execute(source(body, stoppable=True), events, raises)
    allowed = ways(text, events, raises)
    missed, made_up = _beyond(executed, allowed), _beyond(allowed, executed)
    assert (missed, made_up) == (Ways(set(), set()), Ways(set(), set())), text


def _beyond(some: Ways, others: Ways) -> Ways:
    return Ways(some.whole - others.whole, some.cut - others.cut)


@pytest.mark.parametrize("size", EVENTS)
def test_every_small_program(size: int) -> None:
    """All programs of a size, whatever their events turn out to be."""
    for body in bodies(size):
        check(body, EVENTS[size])


@settings(settings.get_profile("drawn"))
@given(st.data())
def test_random_programs(data: st.DataObject) -> None:
    """Larger ones, with everything that statements and tests are made of."""
    check(Drawn(lambda below: data.draw(st.integers(0, below - 1))).body(3), 4)
