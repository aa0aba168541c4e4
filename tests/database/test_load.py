"""Many threads, many processes, and a server that dies: nothing is lost, nothing is doubled, nothing stays out."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from database.session import configure, scoped_session
from tests.database.conftest import opened, write
from tests.postgres import serving

if TYPE_CHECKING:
    from tests.database.conftest import Store

ROOT = Path(__file__).parents[2]
THREADS, SCOPES = 16, 250
WORKERS, JOBS = 8, 100

SHARED = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from sqlalchemy import text
from database import close_global_session, get_session

def work(number):
    session = get_session()
    session.execute(text("insert into item (name) values (:name)"), {"name": str(number)})
    session.commit()
    if number % 7 == 0:
        close_global_session()

def main(pool, method, workers, jobs):
    mine = get_session()
    mine.execute(text("insert into item (name) values ('parent')"))
    numbers = range(workers * jobs)
    if pool == "Pool":
        with get_context(method).Pool(workers) as made:
            made.map(work, numbers, chunksize=10)
            made.close()
            made.join()
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context(method)) as made:
            list(made.map(work, numbers, chunksize=10))
    mine.commit()
    close_global_session()

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
"""


def test_threads_and_a_small_pool(postgres: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """They wait for each other's connections; in the end the pool has its five, and all of them rest."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "5")
    monkeypatch.setenv("DATABASE_MAX_OVERFLOW", "0")
    monkeypatch.setenv("DATABASE_POOL_TIMEOUT", "120")  # on a busy machine, the last in the queue waits for long
    with opened(postgres.url, monkeypatch) as store:

        def work(thread: int) -> None:
            for number in range(SCOPES):
                with scoped_session() as session:
                    write(session, f"{thread}-{number}")

        with ThreadPoolExecutor(THREADS) as executor:
            list(executor.map(work, range(THREADS)))
        wanted = sorted(f"{thread}-{number}" for thread in range(THREADS) for number in range(SCOPES))
        assert (sorted(store.rows()) == wanted, store.out(), store.backends()) == (True, 0, ["idle"] * 5)


@pytest.mark.parametrize(
    ("pool", "method", "workers", "jobs"),
    [
        ("Pool", "fork", WORKERS, JOBS),
        ("ProcessPoolExecutor", "fork", 2, 40),
        ("Pool", "spawn", 2, 40),
        ("ProcessPoolExecutor", "spawn", 2, 40),
    ],
)
def test_workers_and_the_global_session(
    pool: str, method: str, workers: int, jobs: int, store: Store, tmp_path: Path
) -> None:
    """Each worker has its own, beside the parent's, which is in the middle of a transaction on PostgreSQL."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no fork")
    program = tmp_path / "program.py"
    text_ = SHARED
    if store.url.startswith("sqlite"):  # it has one writer at a time: the parent only reads meanwhile
        text_ = text_.replace("insert into item (name) values ('parent')", "select name from item")
        workers, jobs = min(workers, 4), min(jobs, 40)
    program.write_text(text_, "utf-8")
    done = subprocess.run(
        [sys.executable, program, pool, method, str(workers), str(jobs)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_POOL_SIZE": "5"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    parent = [] if store.url.startswith("sqlite") else ["parent"]
    assert sorted(store.rows()) == sorted([*map(str, range(workers * jobs)), *parent])
    if parent:
        assert store.backends() == []


def test_a_server_that_is_killed_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was under way fails, and says so; what was confirmed is there; the pool serves again."""
    saved: list[str] = []
    failed: list[tuple[str, Exception]] = []
    stop = threading.Event()

    def work(thread: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"{thread}-{number}"
            try:
                with scoped_session() as session:
                    write(session, name)
            except Exception as error:  # noqa: BLE001 - which ones it was is looked at below
                failed.append((name, error))
                time.sleep(0.02)
            else:
                saved.append(name)

    def until(more: int) -> None:
        enough, deadline = len(saved) + more, time.monotonic() + 30
        while len(saved) < enough:
            assert time.monotonic() < deadline, failed[-1:]
            time.sleep(0.01)

    with serving() as server, opened(f"{server.url}&application_name=store", monkeypatch) as store:
        with ThreadPoolExecutor(8) as executor:
            threads = [executor.submit(work, thread) for thread in range(8)]
            try:
                for _ in range(2):
                    until(200)
                    server.kill()
                    server.start()
                until(200)
            finally:
                stop.set()
        assert [thread.exception() for thread in threads] == [None] * 8
        rows = store.rows()
        assert (len(rows), store.out()) == (len(set(rows)), 0)
        assert set(saved) <= set(rows) <= {*saved, *(name for name, _ in failed)}
        assert failed
        assert {type(error) for _, error in failed if not isinstance(error, DBAPIError)} == set()
        assert set(store.backends()) == {"idle"}


def test_configure_and_a_pool_that_is_exhausted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long for a connection is told so, and the ones that hold them are not disturbed."""
    with opened(f"sqlite:///{tmp_path / 'items.db'}", monkeypatch, used=False) as store:
        configure(store.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
        with scoped_session() as session:
            write(session, "a")
            with pytest.raises(PoolTimeoutError, match="QueuePool limit"), scoped_session() as other:
                other.execute(text("select 1"))
        assert store.rows() == ["a"]
