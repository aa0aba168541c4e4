"""How the guard gets to see sessions: by events, and around those methods of ``Session`` that have none."""

from __future__ import annotations

import atexit
import functools
import multiprocessing.util
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from session_lint.guard.watch import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.guard.report import Report

IDLE = 30.0
"""For how many seconds a transaction may be idle, unless one is told otherwise."""
READS = ("execute", "scalar", "scalars", "get", "refresh", "connection", "merge")
WRITES = ("add", "add_all", "delete", "merge")


class _State:
    """What is installed in this process."""

    guard: Guard | None = None
    originals: dict[str, Callable[..., Any]] = {}  # noqa: RUF012 - of the process
    listening: list[tuple[Any, str, Callable[..., Any]]] = []  # noqa: RUF012
    stop: threading.Event | None = None
    hooks: tuple[Any, Any] = (None, None)


def installed() -> Guard | None:
    """The guard of this process, if it has one."""
    return _State.guard


def install(report: Callable[[Report], None] | None = None, idle: float | None = None) -> None:
    """Watch every session that is opened from now on, until :func:`uninstall`.

    The last call holds; one without arguments leaves a guard that is installed as it is.

    :param report: called with each :class:`Report`, in the thread that made the mistake; by default each mistake is
        logged once for each place, as a warning of the logger ``session_lint.guard``.
    :param idle: for how many seconds a transaction may be idle, 0 for any time, by default :data:`IDLE`.
    """
    if _State.guard is not None and report is None and idle is None:
        return
    uninstall()
    guard = _State.guard = Guard(report, IDLE if idle is None else idle)
    _patch(guard)
    for name, listener in (
        ("after_transaction_create", guard.begun),
        ("after_transaction_end", guard.ended),
        ("after_begin", guard.connected),
        ("after_commit", guard.committed),
    ):
        _listen(Session, name, listener)
    _listen(Engine, "before_cursor_execute", guard.executing)
    _listen(Engine, "after_cursor_execute", guard.executed)
    _listen(Engine, "handle_error", guard.erred)
    _listen(Pool, "checkout", guard.checked_out)
    _listen(Pool, "checkin", guard.checked_in)
    _State.hooks = (sys.excepthook, threading.excepthook)
    sys.excepthook = functools.partial(_died, guard, sys.excepthook)
    threading.excepthook = functools.partial(_thread_died, guard, threading.excepthook)
    atexit.register(_over)
    multiprocessing.util.register_after_fork(guard, _forked)
    _start_clock()


def uninstall() -> None:
    """Watch nothing any more; what is open is not reported."""
    if _State.guard is None:
        return
    for name, original in _State.originals.items():
        setattr(Session, name, original)
    for target, name, listener in _State.listening:
        event.remove(target, name, listener)
    _State.originals.clear()
    _State.listening.clear()
    if isinstance(sys.excepthook, functools.partial) and sys.excepthook.func is _died:
        sys.excepthook = _State.hooks[0]
    if isinstance(threading.excepthook, functools.partial) and threading.excepthook.func is _thread_died:
        threading.excepthook = _State.hooks[1]
    atexit.unregister(_over)
    if _State.stop is not None:
        _State.stop.set()
    _State.guard = _State.stop = None


@contextmanager
def watching(report: Callable[[Report], None] | None = None) -> Iterator[None]:
    """A unit of work: what it opens, in this thread, it has to close.

    The guard is installed for the time of the block if it is not yet. An exception that leaves the block passes on.

    :param report: as in :func:`install`, where the block installs it.
    """
    own = _State.guard is None
    if own:
        install(report)
    guard = _State.guard
    assert guard is not None
    before = guard.known()
    try:
        yield
    except BaseException as error:
        guard.left(error)
        raise
    finally:
        guard.leftovers(before)
        if own:
            uninstall()


def _patch(guard: Guard) -> None:
    def opening(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def opened(self: Session, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            guard.opened(self)

        return opened

    def around(original: Callable[..., Any], before: Callable[..., None]) -> Callable[..., Any]:
        @functools.wraps(original)
        def called(self: Session, *args: Any, **kwargs: Any) -> Any:
            one = guard.enter(self)
            try:
                if one is not None and one.busy and sum(one.busy.values()) == 1:
                    before(one, self)
                return original(self, *args, **kwargs)
            finally:
                guard.leave(one)

        return called

    def reading(one: Any, _session: Session) -> None:
        guard.before_use(one)

    def writing(one: Any, _session: Session) -> None:
        guard.before_use(one)
        guard.wrote(one)

    def committing(one: Any, _session: Session) -> None:
        guard.before_use(one)
        guard.commits(one)

    plan: dict[str, Callable[..., None]] = dict.fromkeys((*READS, "flush"), reading)
    plan.update(dict.fromkeys(WRITES, writing))
    plan["commit"] = committing
    plan["rollback"] = lambda one, _session: guard.rolls_back(one)
    plan.update(dict.fromkeys(("close", "reset", "invalidate"), guard.closes))
    _replace("__init__", opening)
    for name, before in plan.items():
        _replace(name, functools.partial(around, before=before))


def _replace(name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = Session.__dict__.get(name)
    if original is not None:  # reset() is SQLAlchemy 2.0.22's
        _State.originals[name] = original
        setattr(Session, name, wrap(original))


def _listen(target: Any, name: str, listener: Callable[..., Any]) -> None:  # noqa: ANN401
    event.listen(target, name, listener)
    _State.listening.append((target, name, listener))


def _died(guard: Guard, before: Callable[..., None], *error: Any) -> None:
    guard.left(error[1])
    before(*error)


def _thread_died(guard: Guard, before: Callable[..., None], error: threading.ExceptHookArgs) -> None:
    guard.left(error.exc_value)
    before(error)


def _over() -> None:
    """The process ends."""
    if _State.guard is not None:
        _State.guard.leftovers()


def _forked(guard: Guard) -> None:
    """A worker of multiprocessing begins, which ends without ``atexit``."""
    if guard is _State.guard:
        multiprocessing.util.Finalize(None, _over, exitpriority=-100)


def _start_clock() -> None:
    guard = _State.guard
    if guard is None or not guard.idle:
        return
    stop = _State.stop = threading.Event()

    def watch() -> None:
        while not stop.wait(guard.idle / 2):
            guard.overdue()

    threading.Thread(target=watch, name="session-guard", daemon=True).start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_clock)
