"""SES603: one AsyncSession in two tasks at once.

The second is refused while the first gets the connection, and its row is missing from what is committed. SQLAlchemy 1.4
does not refuse: there the second gets a connection of its own, which on SQLite waits for the first one's lock in vain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import InvalidRequestError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
import asyncio

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def save(session, name):
    await session.execute(insert(User).values(name=name))


async def register(names):
    async with AsyncSession(async_engine) as session:
        tasks = [save(session, name) for name in names]
        errors = await asyncio.gather(*tasks, return_exceptions=True)  # error: SES603
        await session.commit()
    return errors
"""

CURE = """
import asyncio

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def save(name):
    async with AsyncSession(async_engine) as session:
        await session.execute(insert(User).values(name=name))
        await session.commit()


async def register(names):
    tasks = [save(name) for name in names]
    return await asyncio.gather(*tasks, return_exceptions=True)
"""

REFUSED = "This session is provisioning a new connection; concurrent operations are not permitted"


def test_the_second_task_is_refused_and_its_row_is_missing(stage: Stage) -> None:
    """What the first one wrote is saved."""
    first, second = stage.run(stage.load(FAULT).register(["ann", "bob"]))
    assert (first, type(second), stage.users()) == (None, InvalidRequestError, ["ann"])
    assert str(second).startswith(REFUSED)


def test_with_a_session_each_both_are_saved(stage: Stage) -> None:
    """In the order that the tasks happen to come."""
    errors = stage.run(stage.load(CURE).register(["ann", "bob"]))
    assert (errors, sorted(map(str, stage.users()))) == ([None, None], ["ann", "bob"])
