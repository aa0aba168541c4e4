"""One session a request, as a dependency: ``def orders(session: RequestSession): ...``.

A path operation commits before it returns, and what it did not commit is rolled back. The dependency does not commit:
it ends after the response was sent, when nobody can be told any more that it failed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from . import aio
from .session import SessionLocal, close_quietly

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def request_session() -> Iterator[Session]:
    """A session of the request, closed when it is over, whether the path operation returned or raised."""
    session = SessionLocal(info={"pattern": "request"})
    try:
        yield session
    finally:
        close_quietly(session)


async def async_request_session() -> AsyncIterator[AsyncSession]:
    """The same for an ``async def``. Await :func:`database.aio.dispose_async_engine` when the application ends."""
    session = aio.open_async_session(info={"pattern": "request"})
    try:
        yield session
    finally:
        await asyncio.shield(session.run_sync(close_quietly))


RequestSession = Annotated[Session, Depends(request_session)]
AsyncRequestSession = Annotated[AsyncSession, Depends(async_request_session)]
