"""Sessions of one database: for a block, for a process, or by hand.

The database is the one that ``DATABASE_URL`` names when it is used for the first time, else the file ``database.db`` in
the working directory. Nothing is opened, and nothing is read from the environment, when this module is imported.

A forked child starts afresh: it has a global session of its own, and its engine has an empty pool. It neither uses
nor closes the connections of the pool and of the global session of its parent, not even when it ends. A spawned process
never had them. A session that other code holds across a fork, in a variable for example, stays that code's own affair.
"""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection, Engine

__all__ = ["SessionLocal", "close_global_session", "close_quietly", "get_session", "scoped_session"]

DEFAULT_URL = "sqlite:///database.db"

logger = logging.getLogger(__name__)


@dataclass
class _Process:
    """What one process holds. The lock is held while one of the other two is made or taken away."""

    engine: Engine | None = None
    session: Session | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


_process = _Process()


class DatabaseSession(Session):
    """A session on the process's engine, which is looked up by its first operation."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        """What an operation runs on: what the session was given as ``bind``, else the process's engine."""
        if self.bind is None:
            self.bind = _engine()
        return super().get_bind(*args, **kwargs)


SessionLocal: sessionmaker[DatabaseSession] = sessionmaker(class_=DatabaseSession, future=True)
"""Opens a session that the caller commits and closes; ``SessionLocal.begin()`` is a block that does both."""


@contextmanager
def scoped_session() -> Iterator[Session]:
    """A session for one ``with`` block.

    It is committed when the block ends, also by ``return``, ``break`` or ``continue``; it is rolled back when an
    exception leaves the block, ``KeyboardInterrupt`` and its like included, or when the commit fails; it is closed in
    any case. That exception comes out as it was: an error in the rollback or in the closing is logged and does not take
    its place. Every call opens a session of its own, so a block inside a block is an independent transaction.
    """
    session = SessionLocal()
    try:
        yield session
        session.commit()
    except BaseException:
        _rollback_quietly(session)
        raise
    finally:
        close_quietly(session)


def get_session() -> Session:
    """The global session of this process: opened by the first call, then the same one until it is closed.

    It commits nothing by itself; :func:`close_global_session` closes it. It is made for one thread, as every SQLAlchemy
    session is.
    """
    with _process.lock:
        if _process.session is None:
            _process.session = SessionLocal()
        return _process.session


def close_global_session() -> None:
    """Close the global session and forget it; the next :func:`get_session` opens a new one.

    What was not committed is rolled back. Closing twice, or before anything was opened, is harmless. An error in the
    closing is logged and not raised, so that in a ``finally`` it never takes the place of the exception on its way.
    """
    with _process.lock:
        session, _process.session = _process.session, None
    if session is not None:
        close_quietly(session)


def close_quietly(session: Session) -> None:
    """Close a session; an error is logged and not raised, because by then its work is committed or has failed."""
    try:
        session.close()
    except Exception:
        logger.exception("a session could not be closed")


def _rollback_quietly(session: Session) -> None:
    try:
        session.rollback()
    except Exception:
        logger.exception("a session could not be rolled back")


def _engine() -> Engine:
    with _process.lock:
        if _process.engine is None:
            _process.engine = create_engine(os.environ.get("DATABASE_URL", DEFAULT_URL), future=True)
        return _process.engine


def _start_afresh() -> None:
    """In a forked child: leave everything to the parent.

    A driver closes the connections that are collected: some then tell the server, and SQLite rolls back what the parent
    has under way. So the child keeps the inherited ones for good, also while its interpreter ends: it never gives back
    the reference that is taken here.
    """
    engine, session = _process.engine, _process.session
    _process.session, _process.lock = None, threading.Lock()
    inherited = (engine and engine.pool, session)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))
    if engine is not None:
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_afresh)
