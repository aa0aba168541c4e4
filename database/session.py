"""Sessions of one database: for a block, for a process, or by hand.

The database is the one that ``configure()`` or the environment variable ``DATABASE_URL`` names, else the file
``database.db`` in the working directory. Importing this module opens nothing, and reads ``SESSION_GUARD`` only (see
:mod:`database.guard`): the settings are read when the database is used for the first time.

A forked child starts afresh, with a global session of its own and an empty pool; it neither uses nor closes what its
parent holds in either. A session that other code holds across a fork, in a variable, stays that code's own affair.
"""

from __future__ import annotations

import atexit
import ctypes
import logging
import os
import sqlite3
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection

DEFAULT_URL = "sqlite:///database.db"
POOL = ("pool_size", "max_overflow", "pool_timeout", "pool_recycle")  # of create_engine; DATABASE_POOL_SIZE and so on
PRAGMAS = ("busy_timeout = 5000", "foreign_keys = on", "journal_mode = wal")  # SQLite's; the last is kept in the file
UNSAVED = "the global session was closed with changes that were not committed"
logger = logging.getLogger(__name__)


@dataclass(repr=False)  # it may hold a password
class _Process:
    """What one process holds. The lock is held while its engine or its session is made or taken away."""

    engine: Engine | None = None
    session: Session | None = None
    owner: threading.Thread | None = None
    written: SessionTransaction | None = None  # what would lose writes by a rollback: the savepoint, or the whole
    url: str | URL | None = None
    options: dict[str, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


_process = _Process()


class DatabaseSession(Session):
    """A session on the process's engine, which is looked up by its first operation."""

    def get_bind(self, *args: Any, **kwargs: Any) -> Engine | Connection:
        """What an operation runs on: what the session was given as ``bind``, else the process's engine."""
        if self.bind is None:
            self.bind = get_engine()
        return super().get_bind(*args, **kwargs)


SessionLocal: sessionmaker[DatabaseSession] = sessionmaker(class_=DatabaseSession, future=True)
"""Opens a session that the caller commits and closes; ``SessionLocal.begin()`` is a block that does both."""


def configure(url: str | URL | None = None, **options: Any) -> None:
    """Name the database and the options of its engine, which then stand above those of the environment.

    :param url: as SQLAlchemy writes it; ``None`` leaves it to ``DATABASE_URL``.
    :param options: what ``create_engine`` takes: ``pool_size=20``, ``echo=True``.
    :raises RuntimeError: the database was used already, with other settings.
    """
    with _process.lock:
        if _process.engine is not None:
            raise RuntimeError("the database is in use already: call configure() before the first session works")
        _process.url, _process.options = url, options


def get_engine() -> Engine:
    """The engine of this process, made by the first call.

    Its pool tests a connection before it lends it, so that a server that was started again is met by new ones.

    :raises ValueError: a setting makes no sense; a URL is not shown, because it may hold a password.
    """
    with _process.lock:
        if _process.engine is None:
            url, options = settings()
            _process.engine = create_engine(url, **options)
            prepare(_process.engine)
        return _process.engine


@contextmanager
def scoped_session() -> Iterator[Session]:
    """A session for one ``with`` block.

    It is committed when the block ends, also by ``return``, ``break`` or ``continue``; it is rolled back when an
    exception leaves the block, ``KeyboardInterrupt`` and its like included, or when the commit fails; it is closed in
    any case. That exception comes out as it was: an error in the rollback or in the closing is logged and does not take
    its place. Every call opens a session of its own, so a block inside a block is an independent transaction.
    """
    session = SessionLocal(info={"pattern": "scope"})
    try:
        yield session
        session.commit()
    finally:
        close_quietly(session)


def get_session() -> Session:
    """The global session of this process: opened by the first call, then the same one until it is closed.

    It commits nothing by itself; :func:`close_global_session` closes it.

    :raises RuntimeError: another thread has opened it: a session is one conversation, made for one thread.
    """
    mine = threading.current_thread()
    with _process.lock:
        if other := _other_owner():
            raise RuntimeError(
                f"the global session belongs to the thread {other.name!r}; "
                f"in {mine.name!r} use `with scoped_session() as session:`"
            )
        if _process.owner is not mine:
            close_global_session()  # of a thread that ended, and cannot any more
        if _process.session is None:
            _process.session = SessionLocal(info={"pattern": "global"})
            _process.owner = mine
            event.listen(_process.session, "after_begin", _watch)
            event.listen(_process.session, "after_commit", _pass_on)
            event.listen(_process.session, "after_rollback", _forget)
        return _process.session


def close_global_session() -> None:
    """Close the global session and forget it; the next :func:`get_session` opens a new one.

    What was not committed is rolled back, and a ``RuntimeWarning`` says so once. Closing twice, or before anything was
    opened, is harmless, and so is closing in another thread: the session of a thread that is alive stays. In a
    ``finally`` nothing takes the place of the exception on its way: an error in the closing is logged always, and the
    warning then.
    """
    with _process.lock:
        if _other_owner() is not None:
            return
        session, unsaved = _process.session, _process.written is not None
        _process.session, _process.owner, _process.written = None, None, None
    if session is not None:
        with suppress(Exception):  # of a type that cannot compare its values
            unsaved = unsaved or any((session.new, session.deleted, *map(session.is_modified, session.dirty)))
        close_quietly(session)
        if unsaved and sys.exc_info()[0]:
            logger.warning(UNSAVED)
        elif unsaved:
            warnings.warn(UNSAVED, RuntimeWarning, stacklevel=2)


def _other_owner() -> threading.Thread | None:
    """The thread that the global session belongs to, where that is another one and alive."""
    mine = _process.owner is threading.current_thread()
    return None if mine or _process.owner is None or not _process.owner.is_alive() else _process.owner


def close_quietly(session: Session) -> None:
    """Roll back what was not committed, and close, also where the rollback fails: a connection must not stay out.

    An error is logged and not raised: by then the session's work is committed or has failed.
    """
    try:
        session.rollback()
    except Exception:
        logger.exception("a session could not be rolled back")
    finally:
        try:
            session.close()
        except Exception:
            logger.exception("a session could not be closed")


def settings() -> tuple[URL, dict[str, Any]]:
    """The URL and the options of ``create_engine``: from :func:`configure`, else from the environment.

    :raises ValueError: one of them makes no sense.
    """
    options: dict[str, Any] = {"future": True, "pool_pre_ping": True}
    for option in POOL:
        if text := os.environ.get(name := f"DATABASE_{option.upper()}"):
            if not text.removeprefix("-").isdecimal():
                raise ValueError(f"{name}: {text!r} is no whole number")
            options[option] = int(text)
    with suppress(ArgumentError, ValueError):  # which may show the URL: nothing is raised while one is handled
        return make_url(_process.url or os.environ.get("DATABASE_URL") or DEFAULT_URL), options | _process.options
    where = "DATABASE_URL" if _process.url is None else "configure()"
    raise ValueError(f"{where}: this is no URL of a database, as in postgresql+psycopg://user@host/name")


def prepare(engine: Engine) -> None:
    """Have each new connection to SQLite begin with :data:`PRAGMAS`; whatever thread ends its work may close it."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", lambda *call: call[3].update(check_same_thread=False))
        event.listen(engine, "connect", _apply_pragmas)


def _apply_pragmas(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    with suppress(sqlite3.OperationalError):  # the file can only be read
        for pragma in PRAGMAS:
            cursor.execute(f"pragma {pragma}")
    cursor.close()


def _watch(_session: Session, _transaction: object, connection: Connection) -> None:
    event.listen(connection, "after_cursor_execute", _note)


def _note(*executed: Any) -> None:
    _connection, cursor, _text, _values, context, _many = executed
    told = context.isinsert or context.isupdate or context.isdelete
    if (session := _process.session) and (told or (not cursor.description and cursor.rowcount > 0)):
        _process.written = _process.written or session.get_nested_transaction() or session.get_transaction()


def _pass_on(session: Session) -> None:
    if session.get_nested_transaction() in {None, _process.written}:
        _process.written = _process.written and _process.written.parent


def _forget(session: Session) -> None:
    if session.get_nested_transaction() in {None, _process.written}:
        _process.written = None


def _close_at_exit() -> None:
    if _process.session is not None:
        warnings.warn("the global session was left open: call close_global_session()", ResourceWarning, stacklevel=1)
    close_global_session()


def leave_to_parent(*inherited: object) -> None:
    """In a forked child: keep for good what was inherited, by a reference that is never given back.

    A driver closes what is collected: some then tell the server, and SQLite rolls back what the parent has under way.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))


def _start_afresh() -> None:
    engine = _process.engine
    leave_to_parent(engine and engine.pool, _process.session)
    _process.session, _process.owner, _process.written, _process.lock = None, None, None, threading.RLock()
    if engine is not None:
        engine.dispose(close=False)


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_afresh)
atexit.register(_close_at_exit)
if os.environ.get("SESSION_GUARD", "0") not in {"", "0"}:
    from .guard import install

    install()
