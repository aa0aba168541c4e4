"""The double of the session does what the real one does, on a real database."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from tests.oracle import small, wild
from tests.oracle.judge import Trial, judged
from tests.oracle.schedule import Schedule, schedules
from tests.oracle.world import QUERY, Obligation, Transaction, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

RUNS = 40
"""How many runs of a program are compared; the first ones fail early, which is where programs differ most."""


@pytest.fixture(name="engine", scope="module")
def _engine() -> Iterator[Engine]:
    """A database whose connections are counted."""
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=10, connect_args={"check_same_thread": False})
    yield engine
    engine.dispose()


class Real:
    """Makes the real session, watched: it fails on schedule and its obligation is kept, as the double's is."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.opened: list[Session] = []

    def __call__(self, world: World) -> type:
        """A session class for the programs of one world."""
        real = self

        class Watched(Session):
            def __init__(self) -> None:
                super().__init__(real.engine)
                self.obligation = world.opens()
                real.opened.append(self)

            def touch(self) -> Obligation:
                super().execute(QUERY)
                self.obligation.pinned = True
                return self.obligation

            def execute(self, _query: object) -> None:  # type: ignore[override]
                self.touch()
                world.call("execute()", world.database)

            def commit(self) -> None:
                self.touch()
                world.call("commit()", world.database)
                super().commit()
                self.obligation.pinned = False

            def rollback(self) -> None:
                super().rollback()  # which gives the connection back, whatever comes of it
                self.obligation.pinned, self.obligation.undone = False, True
                if not handling():
                    world.call("rollback()", world.database)
                self.obligation.undone = False

            def close(self) -> None:
                super().close()
                self.obligation.closed, self.obligation.pinned = True, False

            def begin(self) -> Transaction:  # type: ignore[override]
                return Both(world, self.obligation, super().begin())

        return Watched

    def connections(self) -> int:
        """How many connections are out."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def settle(self) -> None:
        """Give everything back before the next run."""
        for session in self.opened:
            Session.close(session)
        self.opened.clear()


class Both(Transaction):
    """A real transaction that fails on schedule."""

    def __init__(self, world: World, obligation: Obligation, inner: object) -> None:
        super().__init__(world, obligation)
        self.inner = inner

    def __exit__(self, kind: object, *rest: object) -> None:
        try:
            super().__exit__(kind, *rest)
        except Exception as error:
            self.inner.__exit__(type(error), error, None)  # type: ignore[attr-defined]
            raise
        self.inner.__exit__(kind, *rest)  # type: ignore[attr-defined]


def handling() -> bool:
    """Whether an exception is being handled."""
    return sys.exc_info()[0] is not None


def outcome(trial: Trial, fixed: tuple[int, ...]) -> tuple[str, list[tuple[int, bool, bool, bool]]]:
    """How a run ended, and for each session its row and whether it was closed, handed over, and held a connection."""
    ended = trial.run(Schedule(fixed))
    left = [(o.row, o.closed, o.handed, o.pinned) for o in trial.world.obligations]
    return type(ended).__name__, left


def texts() -> list[str]:
    """A hundred programs and more, small and drawn."""
    every = [*list(small.programs(3))[::5], *(wild.program(7, number) for number in range(80))]
    return [case[0] for block in every if (case := judged(block)) is not None]


def first_runs(trial: Trial) -> Iterator[tuple[int, ...]]:
    """The decisions of a program's first runs."""
    for schedule in schedules(RUNS):
        trial.run(schedule)
        yield tuple(schedule.taken)


@pytest.mark.parametrize("text", texts())
def test_double_and_real_session_agree(text: str, engine: Engine) -> None:
    """Same end, same sessions closed, and as many connections out as the double says."""
    real = Real(engine)
    double, watched = Trial(text), Trial(text, real)
    runs = list(first_runs(double))
    gc.disable()  # it would close what the programs leave open
    try:
        for run in runs:
            expected = outcome(double, run)
            assert outcome(watched, run) == expected, run
            assert real.connections() == sum(pinned for *_, pinned in expected[1]), run
            real.settle()
    finally:
        real.settle()
        gc.enable()
