"""SES802: a synchronous session stops the event loop while it waits for the database.

Here it waits for a lock that a task of the same loop holds, which cannot go on to give it up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
import asyncio

from sqlalchemy.orm import Session

from app import User, engine


async def register(name):
    with Session(engine) as session:
        session.add(User(name=name))
        session.flush()  # warning: SES802
        await asyncio.sleep(0.01)
        session.commit()
"""

CURE = """
import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def register(name):
    async with AsyncSession(async_engine) as session:
        session.add(User(name=name))
        await session.flush()
        await asyncio.sleep(0.01)
        await session.commit()
"""


def both(stage: Stage, program: str) -> None:
    """Let two tasks run it at once."""
    module = stage.load(program)

    async def work() -> None:
        await asyncio.gather(module.register("ann"), module.register("bob"))

    stage.run(work())


def test_the_second_task_waits_for_a_lock_that_the_first_cannot_give_up(stage: Stage) -> None:
    """It gives up before the first can go on; afterwards the first does."""
    with pytest.raises(OperationalError, match="database is locked"):
        both(stage, FAULT)
    assert stage.users() == ["ann"]


def test_an_asynchronous_session_lets_the_first_go_on(stage: Stage) -> None:
    """Both are saved, in the order that their connections happen to come."""
    both(stage, CURE)
    assert sorted(map(str, stage.users())) == ["ann", "bob"]
