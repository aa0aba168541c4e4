"""How the guard gets to see sessions: by events, and around those methods of ``Session`` that have none."""

from __future__ import annotations

import atexit
import functools
import multiprocessing.util
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import Pool

from session_lint.guard.report import logger
from session_lint.guard.watch import YOUNG, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from session_lint.guard.report import Report

    Function = Callable[..., Any]

IDLE = 30.0
"""For how many seconds a transaction may be idle, unless one is told otherwise."""


@dataclass
class _Installed:
    """What is put in place in this process, to be taken away again.

    :param methods: those of ``Session``, as they were.
    :param listeners: on what, of which event.
    """

    guard: Guard
    excepthook: Function = sys.excepthook
    thread_excepthook: Function = threading.excepthook
    methods: dict[str, Function] = field(default_factory=dict)
    listeners: list[tuple[Any, str, Function]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)


_here: list[_Installed] = []
"""At most one."""


def installed() -> Guard | None:
    """The guard of this process, if it has one."""
    return _here[0].guard if _here else None


def install(
    report: Callable[[Report], None] | None = None, idle: float | None = None, ignore: Collection[str] | None = None
) -> None:
    """Watch every session that is opened from now on, until :func:`uninstall`.

    The last call holds; one without arguments leaves a guard that is installed as it is.

    :param report: called with each :class:`Report`, in the thread that made the mistake; by default each mistake is
        logged once for each place, as a warning of the logger ``session_lint.guard``.
    :param idle: for how many seconds a transaction may be idle, 0 for any time, by default :data:`IDLE`.
    :param ignore: the codes that are not reported, by default those that the linter has off by default, too.
    """
    if _here and report is None and idle is None and ignore is None:
        return
    uninstall()
    guard = Guard(report, IDLE if idle is None else idle, YOUNG if ignore is None else ignore)
    _here.append(_Installed(guard, sys.excepthook, threading.excepthook))
    _wrap_methods(guard)
    for target, name, listener in (
        (Session, "after_transaction_create", guard.begun),
        (Session, "after_transaction_end", guard.ended),
        (Session, "after_begin", guard.connected),
        (Session, "after_commit", guard.committed),
        (Session, "after_rollback", guard.rolled_back),
        (Engine, "before_cursor_execute", guard.executing),
        (Engine, "after_cursor_execute", guard.executed),
        (Engine, "handle_error", guard.erred),
        (Pool, "checkout", guard.checked_out),
        (Pool, "checkin", guard.checked_in),
    ):
        safe = _safely(listener)
        event.listen(target, name, safe)
        _here[0].listeners.append((target, name, safe))
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook
    atexit.register(_over)
    multiprocessing.util.register_after_fork(guard, _forked)
    _start_clock()


def uninstall() -> None:
    """Watch nothing any more; what is open is not reported."""
    if not _here:
        return
    was = _here.pop()
    for name, method in was.methods.items():
        setattr(Session, name, method)
    for target, name, listener in was.listeners:
        event.remove(target, name, listener)
    if sys.excepthook is _excepthook:
        sys.excepthook = was.excepthook
    if threading.excepthook is _thread_excepthook:
        threading.excepthook = was.thread_excepthook
    atexit.unregister(_over)
    was.stop.set()
    was.guard.forget()


@contextmanager
def watching(report: Callable[[Report], None] | None = None) -> Iterator[None]:
    """A unit of work: what it opens, in this thread, it has to close, sessions and connections.

    The guard is installed for the time of the block if it is not yet. An exception that leaves the block passes on.

    :param report: as in :func:`install`, where the block installs it.
    """
    own = not _here
    if own:
        install(report)
    guard = _here[0].guard
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


def _wrap_methods(guard: Guard) -> None:
    made = _safely(guard.opened)

    def opening(original: Function) -> Function:
        @functools.wraps(original)
        def opened(self: Session, *args: object, **kwargs: object) -> None:
            original(self, *args, **kwargs)
            made(self)

        return opened

    def around(original: Function, before: Function) -> Function:
        enter, begin, leave = _safely(guard.enter), _safely(before), _safely(guard.leave)

        @functools.wraps(original)
        def called(self: Session, *args: object, **kwargs: object) -> object:
            entered = enter(self)
            try:
                if entered is not None and sum(entered[0].busy.values()) == 1:  # not within another operation
                    begin(entered[0], self)
                return original(self, *args, **kwargs)
            finally:
                leave(entered)

        return called

    before: dict[str, Function] = dict.fromkeys(
        ("connection", "execute", "flush", "get", "refresh", "scalar", "scalars"), guard.before_use
    )
    before.update(dict.fromkeys(("add", "add_all", "delete", "merge"), guard.before_write))
    before.update(dict.fromkeys(("close", "invalidate", "reset"), guard.before_close))
    before.update(commit=guard.before_commit, rollback=guard.before_rollback)
    wrappers: dict[str, Function] = {name: functools.partial(around, before=one) for name, one in before.items()}
    for name, wrap in {"__init__": opening, **wrappers}.items():
        original = vars(Session).get(name)
        if original is not None:  # reset() is SQLAlchemy 2.0.22's
            _here[0].methods[name] = original
            setattr(Session, name, wrap(original))


def _safely(watch: Function) -> Function:
    """The same, but an error of the guard's own is logged, and never the program's."""

    @functools.wraps(watch)
    def watched(*args: object) -> object:
        try:
            return watch(*args)
        except Exception:  # noqa: BLE001 - whatever it is
            logger.exception("the guard failed")
            return None

    return watched


def _excepthook(*error: Any) -> None:
    if _here:
        _here[0].guard.left(error[1])
        _here[0].excepthook(*error)


def _thread_excepthook(error: threading.ExceptHookArgs) -> None:
    if _here:
        _here[0].guard.left(error.exc_value)
        _here[0].thread_excepthook(error)


def _over() -> None:
    """The process ends."""
    if _here:
        _here[0].guard.leftovers()


def _forked(guard: Guard) -> None:
    """A worker of multiprocessing begins, which ends without ``atexit``."""
    if guard is installed():
        multiprocessing.util.Finalize(None, _over, exitpriority=-100)


def _start_clock() -> None:
    """Look for idle transactions from time to time, in a thread, which a forked child has to start anew."""
    if not _here or not _here[0].guard.idle:
        return
    guard, stop = _here[0].guard, threading.Event()
    _here[0].stop = stop

    def watch() -> None:
        while not stop.wait(guard.idle / 2):
            guard.overdue()

    threading.Thread(target=watch, name="session-guard", daemon=True).start()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_clock)
