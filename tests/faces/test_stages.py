"""Where the time of a run goes."""

from __future__ import annotations

import pytest

from session_lint import stages
from session_lint.stages import add, stage, taken, watch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(stages, "perf_counter", lambda: now[0])
    monkeypatch.setattr(stages, "_watch", stages._Watch())
    return now


def test_a_stage_is_told_without_those_that_it_waits_for(clock: list[float]) -> None:
    @stage("inner")
    def inner() -> None:
        clock[0] += 2

    @stage("outer")
    def outer() -> str:
        clock[0] += 1
        inner()
        clock[0] += 4
        inner()
        return "done"

    assert ("done", {}) == (outer(), taken())  # nobody looks at the clock
    watch()
    assert ("done", {"outer": 5, "inner": 4}) == (outer(), taken())
    assert {} == taken()


def test_a_stage_that_fails_has_taken_its_time(clock: list[float]) -> None:
    @stage("failing")
    def failing() -> None:
        clock[0] += 3
        raise ValueError("wrong")

    watch()
    with pytest.raises(ValueError, match="wrong"):
        failing()
    add({"failing": 1, "elsewhere": 2})
    assert {"failing": 4, "elsewhere": 2} == taken()
