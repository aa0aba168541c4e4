"""What the guard knows of one session: who opened it, how it is kept, and what was done with it."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import threading
import weakref
from dataclasses import dataclass, field
from enum import Enum
from types import CodeType
from typing import TYPE_CHECKING, Any

from session_lint.guard.frames import Frame, Stack, called_by, here, is_session, of_library, of_server, opening

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Kept(Enum):
    """By whom a session is kept, which is who has to close it."""

    CALLER = "the function that opened it"
    SCOPE = "a context manager"
    GLOBAL = "the process"
    MODULE = "the module that was imported"
    OWNER = "an object"
    REGISTRY = "a registry"
    REQUEST = "a request"
    G = "flask.g"
    DEPENDENCY = "a dependency"


_PATTERNS = {"scope": Kept.SCOPE, "global": Kept.GLOBAL, "request": Kept.REQUEST}

Place = tuple[int, int]
"""A thread and, in an event loop, a task of it."""


def place() -> Place:
    """Where the program is at work."""
    found = task()
    return threading.get_ident(), 0 if found is None else id(found)


def task() -> asyncio.Task[Any] | None:
    """The task at work, if any."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Actor:
    """Who is at work: a thread, or a task in it, of a process."""

    __slots__ = ("_task", "pid", "place", "thread")

    def __init__(self) -> None:
        found = task()
        self.pid = os.getpid()
        self.thread = threading.current_thread()
        self.place = place()
        self._task = None if found is None else weakref.ref(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Actor) and (self.pid, self.place) == (other.pid, other.place)

    def __hash__(self) -> int:
        return hash(self.place)

    def is_elsewhere(self) -> bool:
        """Whether that is another one than the caller, and still at work."""
        if self.thread is not threading.current_thread():
            return self.thread.is_alive()
        mine = self._task() if self._task is not None else None
        return mine is not None and mine is not task() and not mine.done()


@dataclass(eq=False)
class Record:
    """One session.

    :param session: the session, as long as it lives.
    :param stack: the calls that opened it, the library's included.
    :param commits: whether the scope that keeps it commits by itself.
    :param begins: whether that scope is SQLAlchemy's own ``factory.begin()``.
    :param depth: how many of the program's calls lie between the opening and the code that asked for the session.
    :param ends: the code that ends its scope, with the functions that it calls.
    :param module: the name of the module whose code opened it.
    :param owner: what the method was called on that opened it.
    :param by: who opened it.
    :param open: whether it was used, and not closed since.
    :param closed: whether it was ever closed.
    :param reopened: where it was used for the first time after the last close.
    :param over: whether its scope has ended.
    :param failed: where an error came out of it that no rollback has answered.
    :param wrote: where it was written to first since the last commit.
    :param changed: whether the database was told of it.
    :param savepoints: for each savepoint under way, the outermost first, what the last two were before it.
    :param dropped: where a rollback has thrown away what was written, and where that was written.
    :param left: whether an exception left the function that opened it.
    :param begun: whether a transaction is under way.
    :param since: when the last operation ended, in seconds of ``time.monotonic``.
    :param last: where that was.
    :param busy: who is at work with it at the moment, and in how many calls.
    :param bind: the address of the database that it works with.
    :param told: the codes that were reported.
    """

    session: weakref.ref[Session]
    stack: Stack
    kept: Kept
    commits: bool
    begins: bool
    depth: int
    ends: frozenset[CodeType]
    module: str
    owner: weakref.ref[Any] | None
    by: Actor = field(default_factory=Actor)
    open: bool = False
    used: bool = False
    closed: bool = False
    reopened: Stack | None = None
    over: bool = False
    failed: Stack | None = None
    wrote: Stack | None = None
    changed: bool = False
    savepoints: list[tuple[Stack | None, bool]] = field(default_factory=list)
    dropped: tuple[Stack, Stack | None] | None = None
    left: bool = False
    begun: bool = False
    since: float = 0.0
    last: Stack = field(default_factory=Stack)
    busy: dict[Place, int] = field(default_factory=dict)
    bind: object = None
    told: set[str] = field(default_factory=set)

    @property
    def opener(self) -> CodeType | None:
        """The program's function that opened it."""
        program = self.stack.program
        return program[0].code if program else None

    @property
    def opened(self) -> Stack:
        """Where the program asked for it: at the ``with`` of a scope, at the call of a getter."""
        program = self.stack.program
        depth = self.depth
        if self.kept in (Kept.GLOBAL, Kept.REQUEST) and not depth and program and program[0].function != "<module>":
            depth = 1
        if self.taken:
            depth = 1
        if self.kept is Kept.DEPENDENCY and depth:
            return Stack(program[depth - 1 :])
        return program.after_helpers(depth) if 0 < depth < len(program) else program

    @property
    def taken(self) -> bool:
        """Whether ``next()`` has taken it out of a generator that is nobody's dependency."""
        program = self.stack.program
        generator = program and program[0].code.co_flags & inspect.CO_GENERATOR
        return bool(generator) and self.kept is Kept.CALLER and any(frame.is_own for frame in program[1:2])

    def by_scope(self, stack: Stack) -> bool:
        """Whether what happens in a stack is done by the scope itself and not by its block."""
        if _leaving():
            return True
        if self.begins:
            return any(frame.function in ("__exit__", "__aexit__") for frame in stack.library)
        return any(frame.code in self.ends for frame in stack.program)


def _leaving() -> bool:
    """Whether the task at work is one in which SQLAlchemy's own ``__aexit__`` ends what it has begun."""
    found = task()
    code = getattr(found.get_coro(), "cr_code", None) if found is not None else None
    return code is not None and code.co_name in ("close", "go") and of_library(Frame(code, 0))


def record(session: Session, ended: Any) -> Record:  # noqa: ANN401 - weakref's own callback
    """What is known of a session that is being opened.

    :param ended: called with the reference when the session is collected.
    """
    stack, module, owner = opening(session)
    program = stack.program
    begins = any(frame.function == "begin" for frame in stack.library)
    registry = any(f.function in ("__call__", "_proxied") and _registry(f.filename) for f in stack.library)
    told = str(session.info.get("pattern"))
    depth, manager = _manager(program)
    commits, ends, kept = begins, frozenset[CodeType](), Kept.CALLER
    if begins:
        kept, depth = Kept.SCOPE, 0
    elif registry:
        kept, depth = Kept.REGISTRY, 0
    elif manager is not None:
        ends = frozenset([manager, *called_by(manager)])
        commits = "commit" in manager.co_names
        kept = Kept.DEPENDENCY if _served(program, depth) else Kept.SCOPE
    elif program and program[0].function in ("__enter__", "__aenter__"):
        kept, ends, depth = Kept.SCOPE, _exits(owner), 1
        commits = any("commit" in code.co_names for code in ends)
    return Record(
        weakref.ref(session, ended),
        stack,
        _PATTERNS.get(told, kept),
        commits,
        begins,
        depth,
        ends,
        module,
        _reference(owner),
    )


def settle(one: Record, session: Session) -> None:
    """Find out, at the first use of a session, by whom it is kept."""
    if one.kept is Kept.SCOPE and one.depth > 1 and here().runs(one.opener):
        one.kept, one.commits, one.depth, one.ends = Kept.CALLER, False, 0, frozenset()  # of a function in a scope
    if one.kept is not Kept.CALLER:
        return
    owner = one.owner() if one.owner is not None else None
    module = sys.modules.get(one.module)
    program = one.stack.program
    if module is not None and _holds(vars(module), session):
        if not program or program[0].function != "<module>":
            one.kept = Kept.GLOBAL
        elif one.module != "__main__":
            one.kept = Kept.MODULE
    elif _in_g(session):
        one.kept = Kept.G
    elif owner is not None and _holds(getattr(owner, "__dict__", {}), session):
        one.kept = Kept.OWNER
    elif len(program) > 1 and of_server(program[1]) and not here().runs(one.opener):
        one.kept = Kept.DEPENDENCY


def in_request(stack: Stack) -> bool:
    """Whether a request is being served."""
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return True
    serving = [frame for frame in stack if of_server(frame)]
    return bool(serving) and not any(frame.function in ("lifespan", "startup", "shutdown") for frame in serving)


def _holds(names: dict[str, Any], session: Session) -> bool:
    return any(is_session(value, session) for value in list(names.values()))


def _in_g(session: Session) -> bool:
    flask = sys.modules.get("flask")
    return flask is not None and flask.has_app_context() and _holds(vars(flask.g._get_current_object()), session)  # noqa: SLF001


def _registry(filename: str) -> bool:
    return filename.endswith(("scoping.py", "_collections.py"))


def _manager(program: Stack) -> tuple[int, CodeType | None]:
    """The generator that a ``with`` has entered and that asked for the session, and how many calls lie inside it."""
    for depth, frame in enumerate(program[:4]):
        generator = frame.code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR)
        if generator and depth + 1 < len(program) and program[depth + 1].filename.endswith("contextlib.py"):
            return depth + 1, frame.code
    return 0, None


def _served(program: Stack, depth: int) -> bool:
    outside = program.after_helpers(depth)
    return bool(outside) and of_server(outside[0])


def _exits(owner: object) -> frozenset[CodeType]:
    """The code that leaves a context manager."""
    found = (getattr(getattr(type(owner), name, None), "__code__", None) for name in ("__exit__", "__aexit__"))
    return frozenset(code for code in found if code is not None)


def _reference(owner: object) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(owner) if owner is not None else None
    except TypeError:  # it has no room for one
        return None
