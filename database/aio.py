"""The scope of :mod:`database.session` for asyncio: the same database, an engine for each event loop.

It needs SQLAlchemy 2.0 or later, and a driver for asyncio: where the URL names none, the one of ``DRIVERS``.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from .session import close_quietly, leave_to_parent, prepare, settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "mysql": "mysql+aiomysql"}
# Connections belong to the loop that made them: an engine is never used in another one.
_engines: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncEngine] = WeakKeyDictionary()


def open_async_session(**options: Any) -> AsyncSession:
    """A session that the caller commits and closes, in the running loop; its objects can be read after a commit."""
    return AsyncSession(get_async_engine(), expire_on_commit=False, **options)


@asynccontextmanager
async def async_scoped_session() -> AsyncIterator[AsyncSession]:
    """A session for one ``async with`` block of one task; every call opens a session of its own.

    It is committed when the block ends; an exception that leaves the block, ``CancelledError`` included, or a failing
    commit rolls it back and comes out as it was; it is closed in any case, also where the task is cancelled meanwhile.
    """
    session = open_async_session(info={"pattern": "scope"})
    try:
        yield session
        await session.commit()
    finally:
        await asyncio.shield(session.run_sync(close_quietly))


def get_async_engine() -> AsyncEngine:
    """The engine of the running event loop, made by the first call.

    :raises ValueError: a setting makes no sense.
    """
    loop = asyncio.get_running_loop()
    if loop not in _engines:
        for over in [one for known in _engines.keyrefs() if (one := known()) and one.is_closed()]:
            _engines.pop(over, None)  # it refers to its loop, which would never be collected
        url, options = settings()
        _engines[loop] = create_async_engine(url.set(drivername=DRIVERS.get(url.drivername, url.drivername)), **options)
        prepare(_engines[loop].sync_engine)
    return _engines[loop]


async def dispose_async_engine() -> None:
    """Close the pool of the running loop, as its last work, or the connections live until they are collected."""
    if engine := _engines.pop(asyncio.get_running_loop(), None):
        await engine.dispose()


def _start_afresh() -> None:
    leave_to_parent(*_engines.values())
    _engines.clear()


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_start_afresh)
