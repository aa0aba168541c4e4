"""SES601: a session in two threads.

While one of them gets the session's connection, the other is refused; its thread dies, the commit goes through, and a
row is missing. Which one it is is luck. SQLAlchemy 1.4 does not refuse: there the other gets another connection, and
the session has two transactions, which on SQLite lock each other out.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from threading import Thread

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app import User, engine


def save(session, name):
    session.execute(insert(User).values(name=name))


def register(names):
    with Session(engine) as session:
        threads = [Thread(target=save, args=(session, name)) for name in names]  # error: SES601
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        session.commit()
"""

CURE = """
from threading import Thread

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app import User, engine


def save(name):
    with Session(engine) as session:
        session.execute(insert(User).values(name=name))
        session.commit()


def register(names):
    threads = [Thread(target=save, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""

REFUSED = "This session is provisioning a new connection; concurrent operations are not permitted"


@pytest.fixture(name="deaths")
def _deaths(monkeypatch: pytest.MonkeyPatch) -> queue.Queue[str]:
    """What ends threads, in the order that they end."""
    deaths: queue.Queue[str] = queue.Queue()
    monkeypatch.setattr(threading, "excepthook", lambda args: deaths.put(str(args.exc_value)))
    return deaths


def test_one_of_two_threads_is_refused_and_its_row_is_missing(stage: Stage, deaths: queue.Queue[str]) -> None:
    """And the program ends well. The first thread's connection takes until the second has died."""
    died: list[str] = []
    event.listen(stage.engine, "checkout", lambda *_: died.append(deaths.get(timeout=10)))
    stage.load(FAULT).register(["ann", "bob"])
    assert ([death.partition(" (Background")[0] for death in died], len(stage.users())) == ([REFUSED], 1)


def test_with_a_session_each_both_rows_are_saved(stage: Stage, deaths: queue.Queue[str]) -> None:
    """In the order that the threads happen to come."""
    event.listen(stage.engine, "connect", lambda connection, _: connection.execute("pragma busy_timeout = 10000"))
    stage.load(CURE).register(["ann", "bob"])
    assert (deaths.qsize(), sorted(map(str, stage.users()))) == (0, ["ann", "bob"])
