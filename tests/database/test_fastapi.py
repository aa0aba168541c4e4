"""The request's session, in a live FastAPI application."""

from __future__ import annotations

import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from sqlalchemy import text

from database.aio import dispose_async_engine, get_async_engine
from database.fastapi import AsyncRequestSession, RequestSession  # noqa: TC001 - FastAPI reads the annotations
from tests.database.conftest import watch

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another library beneath it
    from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.database.conftest import Store

WRITE = text("insert into item (name) values (:name)")


@pytest.fixture(name="out")
def _out() -> list[object]:
    """The connections of the loop's engine that are in somebody's hands."""
    return []


@pytest.fixture(name="client")
def _client(store: Store, out: list[object]) -> Iterator[TestClient]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        out.append(watch(get_async_engine().sync_engine))
        yield
        await dispose_async_engine()

    app = FastAPI(lifespan=lifespan)

    @app.post("/item/{name}")
    def create(name: str, session: RequestSession) -> str:
        session.execute(WRITE, {"name": name})
        if name == "bad":
            raise ValueError(name)
        if name == "refused":
            raise HTTPException(409)
        if name != "forgotten":
            session.commit()
        return name

    @app.post("/async/{name}")
    async def create_async(name: str, session: AsyncRequestSession) -> str:
        await session.execute(WRITE, {"name": name})
        if name == "bad":
            raise ValueError(name)
        if name != "forgotten":
            await session.commit()
        return name

    @app.get("/stream")
    def stream(session: RequestSession) -> StreamingResponse:
        rows = session.execute(text("select name from item order by id")).scalars()
        return StreamingResponse(str(name) for name in rows)

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("way", ["item", "async"])
def test_what_is_committed_is_saved_and_nothing_stays_out(
    client: TestClient, out: list[object], store: Store, way: str
) -> None:
    """What raises or commits nothing is rolled back."""
    assert client.post(f"/{way}/a").json() == "a"
    assert client.post(f"/{way}/forgotten").json() == "forgotten"
    with pytest.raises(ValueError, match="bad"):
        client.post(f"/{way}/bad")
    assert (store.rows(), store.out(), out) == (["a"], 0, [[]])


def test_an_error_that_has_an_answer(client: TestClient, store: Store) -> None:
    """It rolls back like any other."""
    assert client.post("/item/refused").status_code == 409
    assert (store.rows(), store.out()) == ([], 0)


def test_what_is_streamed_keeps_its_session(client: TestClient, store: Store) -> None:
    """Until the last piece was sent."""
    for name in "ab":
        client.post(f"/item/{name}")
    assert (client.get("/stream").text, store.out()) == ("ab", 0)


def test_requests_at_the_same_time(client: TestClient, store: Store) -> None:
    """Each has its own session."""
    barrier = threading.Barrier(4)

    def ask(number: int) -> int:
        barrier.wait()
        return int(client.post(f"/{'async' if number % 2 else 'item'}/{number}").status_code)

    with ThreadPoolExecutor(4) as executor:
        assert set(executor.map(ask, range(16))) == {200}
    assert (sorted(store.rows(), key=int), store.out()) == ([str(number) for number in range(16)], 0)
