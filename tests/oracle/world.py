"""What a program meets in a run: sessions that remember, and calls that fail when the schedule says so."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from dataclasses import dataclass, field
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc, text

from tests.oracle.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import CodeType, FrameType

    from typing_extensions import Self

STEPS = 60
"""How many calls a run may make; more is a loop that never ends."""

TURNS = 2
"""How often a loop turns at most."""

QUERY = text("select 1")

FILE = "program"
"""The file that the code of programs says it is from."""

WATCHED = "__watched__"
"""What decorates its functions."""


class EndlessError(BaseException):
    """The run was broken off."""


class Unforeseen(Exception):  # noqa: N818 - the programs see it as some exception that nobody has named
    """What a call raises that no handler names."""


class Broken(exc.OperationalError):
    """What an operation of a session raises."""

    def __init__(self) -> None:
        super().__init__("injected", None, Exception())


class Duplicate(exc.IntegrityError):
    """What it raises in programs that know of ``IntegrityError``."""

    def __init__(self) -> None:
        super().__init__("injected", None, Exception())


@dataclass
class Obligation:
    """What became of one session.

    :param row: the line that answers for it, 0 for a session that was given: the one that opened it; where a function
        returns a session that it opened, the line that called it.
    :param call: the call that this line is executed in.
    :param pinned: it holds a connection.
    :param undone: what happened last is a rollback that failed, which leaves nothing to close.
    :param misused: it was used after it had been closed, which is SES103's business, or begun twice, which fails.
    :param kept: the object that opened it keeps it; whether that closes it is another rule's business.
    :param dropped: the program let go of it, open, before it ended.
    """

    row: int
    call: int = 0
    pinned: bool = False
    undone: bool = False
    closed: bool = False
    misused: bool = False
    dropped: bool = False
    handed: bool = False
    kept: bool = False


@dataclass
class World:
    """All that the runs of one program share, and the state of the one that is going on.

    :param foreign: what an unknown call may raise.
    :param database: what an operation of a session may raise.
    :param trail: what happened, as ``(row, words)``, where somebody asked for it.
    """

    foreign: tuple[type[Exception], ...] = (Unforeseen,)
    database: tuple[type[Exception], ...] = (Broken,)
    schedule: Schedule = field(default_factory=Schedule)
    obligations: list[Obligation] = field(default_factory=list)
    trail: list[tuple[int, str]] | None = None
    running: bool = False
    steps: int = 0
    affirmed: int = 0
    calls: int = 0
    call_now: int = 0

    def begin(self, schedule: Schedule) -> None:
        """Forget the last run."""
        self.schedule, self.obligations, self.steps, self.affirmed, self.running = schedule, [], 0, 0, True
        self.calls = self.call_now = 0

    @property
    def opened(self) -> list[Obligation]:
        """What became of the sessions that the program opened itself."""
        return [obligation for obligation in self.obligations if obligation.row]

    @property
    def endless(self) -> bool:
        """Whether the run was broken off, which a bare ``except`` may have hidden."""
        return self.steps > STEPS

    def opens(self) -> Obligation:
        """A session is opened now."""
        frame = frame_of_text()
        generator = frame is not None and frame.f_code.co_flags & inspect.CO_GENERATOR
        obligation = Obligation(frame.f_lineno if frame else 0, -1 if generator else self.call_now)
        self.obligations.append(obligation)
        self.tell("a session is opened")
        return obligation

    def watched(self, function: Callable[..., object]) -> Callable[..., object]:
        """A function of the program's file, whose caller answers for the sessions that it opens and returns."""

        @wraps(function)
        def called(*arguments: object, **named: object) -> object:
            self.calls += 1
            mine, before = self.calls, self.call_now
            self.call_now = mine
            try:
                result = function(*arguments, **named)
            finally:
                self.call_now = before
                for obligation in sessions_among(fields(arguments)):
                    obligation.kept |= obligation.call == mine
            for obligation in sessions_among(result if isinstance(result, tuple) else (result,)):
                if obligation.call == mine and (frame := frame_of_text()) is not None:
                    obligation.call, obligation.row = before, frame.f_lineno
            return result

        return called

    def call(self, name: str, kinds: tuple[type[Exception], ...]) -> None:
        """A call that may fail.

        :raises Exception: one of ``kinds``, where the schedule says so.
        :raises EndlessError: where the run has gone on for too long.
        """
        self.steps += 1
        if self.endless:
            raise EndlessError
        kind = self.schedule.fault(kinds)
        if kind is not None:
            self.tell(f"{name} raises {kind.__mro__[1].__name__ if kind in (Broken, Duplicate) else kind.__name__}")
            raise kind

    def tell(self, words: str) -> None:
        """Note what happens, for the reader of a disagreement."""
        if self.trail is not None and (row := row_of_program()):
            self.trail.append((row, words))

    def work(self) -> None:
        """An unknown function."""
        self.call("work()", self.foreign)

    def borrow(self, session: Double) -> None:
        """An unknown function that is shown a session and uses it. Its frame must not hold on to it."""
        session.touch().pinned = True
        del session
        self.call("borrow()", self.foreign)

    def probe(self) -> bool:
        """An unknown function that answers a question, with yes only so often: loops wait for its no."""
        self.call("probe()", self.foreign)
        answer = self.affirmed < TURNS and bool(self.schedule.choose(2))
        self.affirmed += answer
        self.tell(f"probe() is {answer}")
        return answer


def sessions_among(values: Iterable[object]) -> Iterator[Obligation]:
    """The obligations of the sessions among some values."""
    for value in values:
        if isinstance(obligation := getattr(value, "obligation", None), Obligation):
            yield obligation


def fields(arguments: tuple[object, ...]) -> Iterable[object]:
    """What the object keeps whose method gets these arguments."""
    return () if not arguments else getattr(arguments[0], "__dict__", {}).values()


def frame_of_text() -> FrameType | None:
    """The innermost call of something in the program's file."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        frame = frame.f_back
    return frame


def compiled(text: str) -> CodeType:
    """A program's module, each function of it but ``program`` itself :meth:`World.watched`."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name != "program":
            node.decorator_list.append(ast.copy_location(ast.Name(WATCHED, ast.Load()), node))
    return compile(tree, FILE, "exec")


def row_of_program() -> int:
    """The line of ``program`` that is being executed, 0 outside of it."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "program":
            return frame.f_lineno
        frame = frame.f_back  # type: ignore[assignment]
    return 0


class Answer:
    """A condition: decided when it is first asked for, the same for the rest of the run."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.known: bool | None = None

    def __bool__(self) -> bool:
        if self.known is None:
            self.known = bool(self.world.schedule.choose(2))
            self.world.tell(f"{self.name} is {self.known}")
        return self.known


class Items:
    """Something to loop over: none, one or :data:`TURNS`."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __iter__(self) -> Iterator[int]:
        for item in range(TURNS):
            if not self.world.schedule.choose(2):
                break
            self.world.tell(f"item {item}")
            yield item


class Double:
    """Does what :class:`sqlalchemy.orm.Session` does, as far as these programs can tell.

    A frame that an exception keeps alive must not keep the session alive, so methods that may fail let go of ``self``.
    """

    world: World

    def __init__(self) -> None:
        self.obligation = self.world.opens()

    def touch(self) -> Obligation:
        """Use the session."""
        self.obligation.misused |= self.obligation.closed
        self.obligation.undone = False
        return self.obligation

    def execute(self, _query: object) -> None:
        """Take a connection and ask it something, which may fail."""
        world, self.touch().pinned = self.world, True
        del self
        world.call("execute()", world.database)

    def commit(self) -> None:
        """Give the connection back, unless it fails: then it has taken one, which is how it could fail."""
        world, obligation = self.world, self.touch()
        del self
        obligation.pinned = True
        world.call("commit()", world.database)
        obligation.pinned = False

    def rollback(self) -> None:
        """Give the connection back, also where it fails; what handles an exception can roll back."""
        world, obligation = self.world, self.obligation
        del self
        obligation.pinned, obligation.undone = False, True
        if sys.exc_info()[0] is None:
            world.call("rollback()", world.database)
        obligation.undone = False

    def close(self) -> None:
        """Close; it never fails."""
        if not self.obligation.closed:
            self.world.tell("the session is closed")
        self.obligation.closed, self.obligation.pinned = True, False

    def begin(self) -> Transaction:
        """A transaction; the real session refuses where one is going on."""
        obligation = self.touch()
        obligation.misused |= obligation.pinned
        return Transaction(self.world, obligation)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        obligation = self.obligation
        if self.world.running and not obligation.closed and not obligation.handed:
            obligation.dropped = True
            self.world.tell("the last name of the open session is gone")


def double_of(world: World) -> type:
    """The double of ``Session`` for the programs of one world."""
    return type("Session", (Double,), {"world": world})


class Transaction:
    """What ``session.begin()`` returns: commits, or rolls back when that fails, and leaves the session open."""

    def __init__(self, world: World, obligation: Obligation) -> None:
        self.world, self.obligation = world, obligation

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, *_: object) -> None:
        self.obligation.pinned = False
        if kind is None:
            self.world.call("commit()", self.world.database)


def namespace(world: World, session: type) -> dict[str, Any]:
    """Globals in which a program's module can be executed, its imports included."""
    modules = {
        "app": SimpleNamespace(borrow=world.borrow, probe=world.probe, q=QUERY, work=world.work),
        "sqlalchemy.orm": SimpleNamespace(Session=session),
    }

    def imported(name: str, *arguments: Any) -> object:
        return modules[name] if name in modules else builtins.__import__(name, *arguments)

    known = {**vars(builtins), "__import__": imported, WATCHED: world.watched}
    return {"__builtins__": known, "__name__": "module"}
