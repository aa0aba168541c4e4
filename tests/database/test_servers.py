"""Flask under gunicorn and FastAPI under uvicorn, with requests at the same time, on PostgreSQL."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.database.conftest import Store

ROOT = Path(__file__).parents[2]
REQUESTS, CLIENTS, WORKERS = 400, 16, 4

FLASK = """
import os
from flask import Flask, g
from sqlalchemy import text
from database.flask import init_app
from database.session import get_engine, get_session

app = Flask(__name__)
init_app(app)
get_session().execute(text("select 1"))  # what a fork must not share: a transaction of the process that loads this

@app.post("/item/<name>")
def create(name):
    crossed = g.db.info.setdefault("request", name) != name
    g.db.execute(text("insert into item (name) values (:name)"), {"name": name})
    if name.endswith("7"):
        raise ValueError(name)
    g.db.commit()
    return {"crossed": crossed, "pid": os.getpid()}

@app.get("/rest")
def rest():
    return {"out": get_engine().pool.checkedout(), "pid": os.getpid()}
"""

FASTAPI = """
import os
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import text
from database.aio import dispose_async_engine, get_async_engine
from database.fastapi import AsyncRequestSession, RequestSession
from database.session import get_engine

@asynccontextmanager
async def lifespan(app):
    yield
    await dispose_async_engine()

app = FastAPI(lifespan=lifespan)
WRITE = text("insert into item (name) values (:name)")

@app.post("/item/{name}")
async def create(name: str, session: AsyncRequestSession):
    crossed = session.info.setdefault("request", name) != name
    await session.execute(WRITE, {"name": name})
    if name.endswith("7"):
        raise ValueError(name)
    await session.commit()
    return {"crossed": crossed, "pid": os.getpid()}

@app.post("/sync/{name}")
def create_sync(name: str, session: RequestSession):
    crossed = session.info.setdefault("request", name) != name
    session.execute(WRITE, {"name": name})
    session.commit()
    return {"crossed": crossed, "pid": os.getpid()}

@app.get("/rest")
async def rest():
    return {"out": get_engine().pool.checkedout() + get_async_engine().pool.checkedout(), "pid": os.getpid()}
"""


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[str]:
    """A server's address while the block runs; it must end well when it is asked to."""
    path = folder / "server"
    with (folder / "log").open("w") as log:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"}
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=log, stderr=log, stdin=log
        )
    address = ""
    try:
        for _ in range(300):
            address = path.read_text("utf-8").strip() if path.exists() else ""
            if address and reachable(address):
                break
            assert process.poll() is None, (folder / "log").read_text("utf-8")
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        assert process.wait(20) in (0, -15), (folder / "log").read_text("utf-8")


def reachable(address: str) -> bool:
    """Whether it answers."""
    try:
        return ask(address, "/rest")[0] == 200
    except OSError:
        return False


def ask(address: str, path: str, method: str = "GET") -> tuple[int, Any]:
    """Send one request.

    :returns: the status, and what the answer says.
    """
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if answer.status == 200 else {}
    finally:
        connection.close()


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def gunicorn(folder: Path) -> list[str]:
    """Four processes with two threads each, forked after the application was loaded."""
    (folder / "web.py").write_text(FLASK, "utf-8")
    address = f"127.0.0.1:{free_port()}"
    (folder / "server").write_text(address, "utf-8")
    return ["gunicorn", "web:app", "--preload", "-w", str(WORKERS), "--threads", "2", "-b", address]


def uvicorn(folder: Path) -> list[str]:
    """One process, with a loop and threads."""
    (folder / "web.py").write_text(FASTAPI, "utf-8")
    port = free_port()
    (folder / "server").write_text(f"127.0.0.1:{port}", "utf-8")
    return ["uvicorn", "web:app", "--port", str(port), "--log-level", "warning"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(("made", "ways", "workers"), [(gunicorn, ["item"], WORKERS), (uvicorn, ["item", "sync"], 1)])
def test_requests_at_the_same_time(
    made: Callable[[Path], list[str]], ways: list[str], workers: int, postgres: Store, tmp_path: Path
) -> None:
    """What a view commits is there once, and nothing else; no session crosses a request; at rest none is out."""
    with serving(made(tmp_path), tmp_path) as address:

        def post(number: int) -> tuple[int, Any]:
            return ask(address, f"/{ways[number % len(ways)]}/{number}", "POST")

        with ThreadPoolExecutor(CLIENTS) as executor:
            answers = list(executor.map(post, range(REQUESTS)))
        fails = {n for n in range(REQUESTS) if n % 10 == 7 and ways[n % len(ways)] == "item"}
        assert {number for number, (status, _) in enumerate(answers) if status == 500} == fails
        assert {answer["crossed"] for _, answer in answers if answer} == {False}
        assert sorted(postgres.rows(), key=int) == [str(n) for n in range(REQUESTS) if n not in fails]
        rest = [ask(address, "/rest")[1] for _ in range(20 * workers)]
        assert {one["out"] for one in rest} == {0}
        assert (len({answer["pid"] for _, answer in answers if answer}) > 1) == (workers > 1)
        backends = postgres.backends()
        loaded = ["idle in transaction"] * (made is gunicorn)  # the process that loaded the application, and waits
        assert sorted(backends) == sorted([*loaded, *["idle"] * (len(backends) - len(loaded))])
