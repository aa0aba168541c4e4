"""SES503: a session that a dependency lends and does not take back.

Where it is closed after the ``yield``, but not in a ``finally``, an exception of the route skips the close. Where it is
returned, nobody closes it. A loop over an asynchronous dependency that is left in its middle leaves it open until the
event loop gets to close the generator: the caller goes on beside a transaction that it believes is over. What ``next``
takes out of it is closed at once, and opens anew when it is used.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.proofs.asgi import request

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    session = SessionLocal()  # error: SES503
    yield session
    session.close()


@web.get("/users/{number}")
def name_of(number: int, db: Session = Depends(get_db)):
    user = db.get(User, number)
    if user is None:
        raise HTTPException(404)
    return user.name
"""

FAULT_RETURNED = """
from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    return SessionLocal()  # error: SES503


@web.get("/users/{number}")
def name_of(number: int, db: Session = Depends(get_db)):
    return db.get(User, number).name
"""

FAULT_LOOP = """
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


async def get_session():
    async with AsyncSession(async_engine) as session:
        yield session


async def count():
    async for session in get_session():  # warning: SES503
        return await session.scalar(select(func.count(User.id)))
"""

FAULT_NEXT = """
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def count():
    session = next(get_db())  # error: SES503
    return session.scalar(select(func.count(User.id)))
"""

CURE_LOOP = """
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app import User, async_engine


@asynccontextmanager
async def get_session():
    async with AsyncSession(async_engine) as session:
        yield session


async def count():
    async with get_session() as session:
        return await session.scalar(select(func.count(User.id)))
"""

CURE = """
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


@web.get("/users/{number}")
def name_of(number: int, db: Session = Depends(get_db)):
    user = db.get(User, number)
    if user is None:
        raise HTTPException(404)
    return user.name
"""


def test_each_answer_404_keeps_a_connection(stage: Stage) -> None:
    """A good answer does not; after two bad ones the pool is empty."""
    stage.write("ann")
    web = stage.load(FAULT).web
    seen = [(request(web, f"/users/{number}").status_code, stage.out()) for number in (1, 2, 3)]
    assert seen == [(200, 0), (404, 1), (404, 2)]
    with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 2 overflow 0 reached"):
        request(web, "/users/1")


def test_with_a_finally_none_is_kept(stage: Stage) -> None:
    """Whatever the answer."""
    stage.write("ann")
    web = stage.load(CURE).web
    seen = [(request(web, f"/users/{number}").status_code, stage.out()) for number in (1, 2, 3, 1)]
    assert seen == [(200, 0), (404, 0), (404, 0), (200, 0)]


def test_returned_each_answer_keeps_a_connection(stage: Stage) -> None:
    """A good one, too."""
    stage.write("ann")
    web = stage.load(FAULT_RETURNED).web
    assert [(request(web, "/users/1").status_code, stage.out()) for _ in range(2)] == [(200, 1), (200, 2)]


@pytest.mark.parametrize(("program", "out"), [(FAULT_LOOP, 1), (CURE_LOOP, 0)])
def test_a_loop_that_is_left_in_its_middle(stage: Stage, program: str, out: int) -> None:
    """Its connection is out when the function is over, and comes back when the event loop gets to it."""

    async def work() -> list[int]:
        seen = [await stage.load(program).count(), stage.async_out()]
        await asyncio.sleep(0.1)
        return [*seen, stage.async_out()]

    assert stage.run(work()) == [0, out, 0]


def test_what_next_takes_out_of_a_dependency_is_closed_before_it_is_used(stage: Stage) -> None:
    """The generator is gone at once, and the session opens anew."""
    program = stage.load(FAULT_NEXT)
    assert [(program.count(), stage.out()) for _ in range(2)] == [(0, 1), (0, 2)]
