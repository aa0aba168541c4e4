"""What becomes of the sessions of a module that is really run, on SQLite, with a fault at each call in turn.

The module is executed afresh for each run and its function ``main`` is called. A session is *lost* when it is still
open and nothing reaches it any more: then nobody can close it. One that is returned, or kept by something that lives
on, is not.
"""

from __future__ import annotations

import builtins
import functools
import gc
import inspect
import sys
import weakref
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, literal
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

from tests.oracle.judge import world_of
from tests.oracle.schedule import Schedule, schedules
from tests.oracle.world import FILE, QUERY, Answer, EndlessError, Items, Obligation, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType

    from sqlalchemy import Engine, Result
    from sqlalchemy.orm import SessionTransaction

RUNS = 4000
"""How many runs a module may have; one that has more is no short example."""

Chain = tuple[int, ...]
"""The lines that a session was opened through, the innermost call first."""

Verdict = tuple[str, str]
"""A code, and whether it is an error or a warning."""


@dataclass
class Opened:
    """One session of a run that is going on.

    :param chain: the lines it was opened through.
    :param reached: the session, while something reaches it.
    :param obligation: what became of it.
    """

    chain: Chain
    reached: weakref.ref[Session]
    obligation: Obligation

    @property
    def lost(self) -> bool:
        """Whether it is open and out of reach."""
        return self.reached() is None and not self.obligation.closed


@dataclass(frozen=True)
class Left:
    """What became of one session once the run is over.

    :param lost: it is open and out of reach.
    :param pinned: it holds a connection.
    """

    chain: Chain
    lost: bool
    pinned: bool


@dataclass
class Fate:
    """What all runs together showed of the sessions that were opened through the same lines.

    :param normally: of each session that a run lost and ended well, whether it held a connection.
    :param on_error: the same of runs that ended with an exception.
    :param settled: some run ended well and the session was closed or had an owner.
    """

    normally: set[bool] = field(default_factory=set)
    on_error: set[bool] = field(default_factory=set)
    settled: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """What must be reported."""
        if self.normally:
            return "SES101", "error" if True in self.normally else "warning"
        if self.on_error and self.settled:
            return "SES102", "error" if True in self.on_error else "warning"
        return None

    def learn(self, left: Left, outcome: BaseException | None) -> None:
        """What one session of one run adds."""
        if left.lost:
            (self.on_error if outcome else self.normally).add(left.pinned)
        else:
            self.settled |= outcome is None


class Stage:
    """Runs one module.

    :param text: the module.
    """

    def __init__(self, text: str) -> None:
        self.code: CodeType = compile(text, FILE, "exec")
        self.world: World = world_of(text)
        self.opened: list[Opened] = []
        self.engine = _engine()

    def run(self, schedule: Schedule) -> tuple[BaseException | None, list[Left]]:
        """One run.

        :returns: the exception that it ended with, and what became of the sessions that it opened.
        """
        self.world.begin(schedule)
        self.opened = []
        names = self._names()
        outcome: BaseException | None = None
        result: object = None
        try:
            exec(self.code, names)  # noqa: S102 - the text is ours
            result = names["main"](*self._arguments(names["main"]))
        except (EndlessError, Exception) as error:  # noqa: BLE001 - whatever it ends with is its outcome
            outcome = error.with_traceback(None)  # which would keep the variables of the run
            outcome.__context__ = outcome.__cause__ = None
        gc.collect()
        left = [Left(o.chain, o.lost, o.obligation.pinned) for o in self.opened]
        assert not isinstance(outcome, (NameError, AttributeError, TypeError, EndlessError)), outcome
        del names, result  # they are what the caller has: until here they kept what they hold in reach
        return outcome, left

    def _arguments(self, main: Callable[..., object]) -> Iterator[object]:
        """What ``main`` gets: things to loop over, a session or none, answers."""
        for name in inspect.signature(main).parameters:
            if name == "items":
                yield Items(self.world)
            elif name == "given":
                yield self._session_class()(self.engine) if self.world.schedule.choose(2) else None
            else:
                yield Answer(self.world, name)

    def _names(self) -> dict[str, Any]:
        """Globals in which the module can be executed, its imports included."""
        watched = self._session_class()
        world = self.world
        known = {
            "app": SimpleNamespace(
                engine=self.engine,
                binds=SimpleNamespace(second=self.engine),
                q=QUERY,
                number=literal(1),
                work=world.work,
                probe=world.probe,
                borrow=world.borrow,
                Streamed=Streamed,
            ),
            "sqlalchemy.orm": SimpleNamespace(
                Session=watched,
                sessionmaker=functools.partial(sessionmaker, class_=watched),
            ),
            "threading": SimpleNamespace(Thread=functools.partial(AtOnce, world)),
        }

        def imported(name: str, *arguments: Any) -> object:
            return known[name] if name in known else builtins.__import__(name, *arguments)

        # dataclasses look their module up, so its name is one that there is
        return {"__builtins__": {**vars(builtins), "__import__": imported}, "__name__": __name__}

    def _session_class(self) -> type[Session]:
        """The real session, which fails on schedule and remembers."""
        return type("Session", (Watched,), {"stage": self})

    def watch(self, session: Session) -> Obligation:
        """A session is opened now."""
        chain = tuple(_lines())
        obligation = Obligation(chain[0] if chain else 0)
        if chain:
            self.opened.append(Opened(chain, weakref.ref(session), obligation))
        return obligation


class Watched(Session):
    """A real session, over a real pool; each call of its own that can fail does so in some run."""

    stage: Stage

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.obligation = obligation = self.stage.watch(self)

        @event.listens_for(self, "after_transaction_end")
        def ended(_session: Session, transaction: SessionTransaction) -> None:
            obligation.pinned &= transaction.parent is not None

        @event.listens_for(self, "before_commit")
        def committing(session: Watched) -> None:
            session.fail("commit()")

    def touch(self) -> Obligation:
        """Take a connection."""
        super().connection()
        self.obligation.pinned = True
        self.obligation.closed = False  # used again, it is open again
        return self.obligation

    def fail(self, name: str) -> None:
        """Fail, where the schedule says so."""
        self.stage.world.call(name, self.stage.world.database)

    def execute(self, *arguments: Any, **named: Any) -> Result[Any]:  # noqa: D102
        self.touch()
        self.fail("execute()")
        return super().execute(*arguments, **named)

    def commit(self) -> None:  # noqa: D102
        self.touch()
        super().commit()

    def rollback(self) -> None:  # noqa: D102
        if sys.exc_info()[0] is None:
            self.fail("rollback()")
        super().rollback()

    def close(self) -> None:  # noqa: D102
        super().close()
        self.obligation.closed = True


class Streamed:
    """Something of a framework that takes over what it is given and closes it when it has been sent."""

    def __init__(self, session: Session) -> None:
        self.session = session


class AtOnce:
    """A thread that is over when it has been started; what it raises stays in it."""

    def __init__(self, world: World, target: Callable[..., object], args: tuple[object, ...] = ()) -> None:
        self.world, self.target, self.args = world, target, args

    def start(self) -> None:
        """Run."""
        try:
            self.target(*self.args)
        except Exception:  # noqa: BLE001 - a thread's exception ends the thread
            self.world.tell("the thread is over")

    def join(self) -> None:
        """It is over already."""


@functools.cache
def _engine() -> Engine:
    """A database with a pool of connections that can be lost."""
    return create_engine("sqlite://", poolclass=QueuePool, pool_size=10, connect_args={"check_same_thread": False})


def _lines() -> Iterator[int]:
    """The lines of the module that are being executed, the innermost first."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename == FILE:
            yield frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]


def proof(text: str) -> dict[Chain, Verdict | None]:
    """What the runs of a module prove of its sessions, by the lines that they were opened through."""
    stage = Stage(text)
    fates: dict[Chain, Fate] = {}
    runs = 0
    for runs, schedule in enumerate(schedules(RUNS), 1):  # noqa: B007 - counted to the end
        outcome, sessions = stage.run(schedule)
        for left in sessions:
            fates.setdefault(left.chain, Fate()).learn(left, outcome)
    assert runs < RUNS, "too many runs for a proof"
    return {chain: fate.verdict for chain, fate in fates.items()}
