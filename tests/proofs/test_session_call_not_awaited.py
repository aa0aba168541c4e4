"""SES801: a coroutine of an AsyncSession that nobody awaits does nothing.

The commit does not happen and the row is not saved; Python says so in a warning, if anybody looks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def register(name):
    async with AsyncSession(async_engine) as session:
        session.add(User(name=name))
        session.commit()  # error: SES801
"""

CURE = """
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def register(name):
    async with AsyncSession(async_engine) as session:
        session.add(User(name=name))
        await session.commit()
"""


def test_a_commit_that_is_not_awaited_saves_nothing(stage: Stage) -> None:
    """No exception, a warning, no row."""
    with pytest.warns(RuntimeWarning, match=r"coroutine 'AsyncSession\.commit' was never awaited"):
        stage.run(stage.load(FAULT).register("ann"))
    assert stage.users() == []


def test_awaited_it_saves(stage: Stage) -> None:
    """The row is there."""
    stage.run(stage.load(CURE).register("ann"))
    assert stage.users() == ["ann"]
