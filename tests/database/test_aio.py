"""``async_scoped_session()``: the scope's guarantees, under cancellation and in every loop."""

from __future__ import annotations

import asyncio
import gc
import logging
import warnings
from typing import TYPE_CHECKING, TypeVar

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database import aio
from database.aio import async_scoped_session, dispose_async_engine, get_async_engine, open_async_session
from tests.database.conftest import watch

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sqlalchemy.ext.asyncio import AsyncSession

    from tests.database.conftest import Store

T = TypeVar("T")


def run(work: Coroutine[None, None, T]) -> T:
    """Run work in a loop of its own, and be sure that it leaves no connection out."""

    async def whole() -> T:
        out = watch(get_async_engine().sync_engine)
        try:
            return await work
        finally:
            for _ in range(200):  # a closing that nobody waits for
                if not out:
                    break
                await asyncio.sleep(0.01)
            assert out == []
            await dispose_async_engine()

    return asyncio.run(whole())


async def write(session: AsyncSession, name: str) -> None:
    """Send one row to the database."""
    await session.execute(text("insert into item (name) values (:name)"), {"name": name})


def test_commits_and_closes(store: Store) -> None:
    """Every call opens a session of its own."""

    async def work() -> None:
        async with async_scoped_session() as session:
            await write(session, "a")
            assert await asyncio.to_thread(store.rows) == []
        async with async_scoped_session() as other:
            await write(other, "b")
        assert other is not session

    run(work())
    assert store.rows() == ["a", "b"]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError])
def test_any_exception_rolls_back(store: Store, kind: type[BaseException]) -> None:
    """And comes out as it was."""
    error = kind("mine")
    caught: list[BaseException] = []

    async def work() -> None:
        try:
            async with async_scoped_session() as session:
                await write(session, "a")
                raise error
        except BaseException as came:  # noqa: BLE001 - a loop ends itself with some of them
            caught.append(came)

    run(work())
    assert (caught, store.rows()) == ([error], [])


def test_a_failing_commit_rolls_back_and_surfaces(store: Store) -> None:
    """A constraint that the database checks at the commit."""

    async def work() -> None:
        async with async_scoped_session() as session:
            owner = "owner integer references item (id) deferrable initially deferred"
            await session.execute(text(f"create table part ({owner})"))
        async with async_scoped_session() as session:
            await write(session, "a")
            await session.execute(text("insert into part values (99)"))

    with pytest.raises(IntegrityError):
        run(work())
    assert store.rows() == []


@pytest.mark.parametrize("method", ["rollback", "close"])
def test_a_failing_end_masks_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """The block's own exception comes out; the other one is in the log."""
    right = getattr(Session, method)

    def fail(session: Session) -> None:
        right(session)
        raise OSError("the line is dead")

    async def work() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Session, method, fail)
            async with async_scoped_session() as session:
                await write(session, "a")
                raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(work())
    logged = [(record.levelno, str(record.exc_info[1])) for record in caplog.records if record.exc_info]
    assert (store.rows(), logged) == ([], [(logging.ERROR, "the line is dead")])


def test_a_task_that_is_cancelled_again_while_it_closes(store: Store) -> None:
    """Its connection comes back, and nothing is saved."""

    async def hold(begun: asyncio.Event) -> None:
        async with async_scoped_session() as session:
            await write(session, "a")
            begun.set()
            await asyncio.sleep(60)

    async def work() -> None:
        for wait in (0, 0, 0.0005, 0.001):
            begun = asyncio.Event()
            task = asyncio.create_task(hold(begun))
            await begun.wait()
            task.cancel()
            await asyncio.sleep(wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            for _ in range(3):
                await asyncio.sleep(0.01)

    run(work())
    assert store.rows() == []


def test_many_tasks_and_a_small_pool(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has a session of its own; they wait for each other's connections."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "3")
    monkeypatch.setenv("DATABASE_MAX_OVERFLOW", "0")

    async def one(number: int) -> None:
        async with async_scoped_session() as session:
            await write(session, str(number))

    async def work() -> None:
        await asyncio.gather(*map(one, range(40)))

    run(work())
    assert sorted(store.rows(), key=int) == [str(number) for number in range(40)]


def test_every_loop_has_an_engine_of_its_own(store: Store) -> None:
    """A connection belongs to the loop that made it."""

    async def work() -> object:
        async with async_scoped_session() as session:
            await write(session, "a")
        return get_async_engine()

    assert run(work()) is not run(work())
    assert (store.rows(), len(aio._engines)) == (["a", "a"], 0)


def test_loops_that_ended_without_a_word(store: Store) -> None:
    """The engine of the next loop takes the place of theirs, and their connections are collected."""

    async def work() -> None:
        async with async_scoped_session() as session:
            await write(session, "a")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # what drivers say of a connection that nobody closed
        for _ in range(3):
            asyncio.run(work())
        run(work())
        gc.collect()
    assert (len(aio._engines), store.rows()) == (0, ["a"] * 4)


def test_objects_outlive_a_commit(store: Store) -> None:
    """A session by hand; and a loop that used none has nothing to dispose of."""

    async def work() -> str:
        async with open_async_session() as session:
            await write(session, "a")
            await session.commit()
            return str((await session.execute(text("select name from item"))).scalar())

    asyncio.run(dispose_async_engine())
    assert (run(work()), store.rows()) == ("a", ["a"])
