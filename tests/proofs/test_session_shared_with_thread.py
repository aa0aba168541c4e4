"""SES601: a session in two threads.

While one of them gets the session's connection, the other is refused; its thread dies, the commit goes through, and a
row is missing. Which one it is is luck: here the first waits until the second has failed.
"""

from __future__ import annotations

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
def _deaths(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ended a thread; the first one's connection is not there before another has died, or a second has passed."""
    deaths: list[str] = []
    died = threading.Event()

    def die(args: threading.ExceptHookArgs) -> None:
        deaths.append(str(args.exc_value).partition(" (Background")[0])
        died.set()

    monkeypatch.setattr(threading, "excepthook", die)
    event.listen(stage.engine, "checkout", lambda *_: died.wait(1))
    event.listen(stage.engine, "connect", lambda connection, _: connection.execute("pragma busy_timeout = 10000"))
    return deaths


def test_one_of_two_threads_is_refused_and_its_row_is_missing(stage: Stage, deaths: list[str]) -> None:
    """And the program ends well."""
    stage.load(FAULT).register(["ann", "bob"])
    assert (deaths, len(stage.users())) == ([REFUSED], 1)


def test_with_a_session_each_both_rows_are_saved(stage: Stage, deaths: list[str]) -> None:
    """In the order that the threads happen to come."""
    stage.load(CURE).register(["ann", "bob"])
    assert (deaths, sorted(map(str, stage.users()))) == ([], ["ann", "bob"])
