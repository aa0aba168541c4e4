"""SES602: a session in a process and in its child.

Both have the same connection: the child's close rolls back what the parent has under way, whose commit then goes well
and saves nothing.
"""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proofs.stage import Stage

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")

FAULT = """
from multiprocessing import Process

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import User, engine


def report(session):
    print(session.scalar(select(func.count(User.id))), "users")
    session.close()


def register(name):
    with Session(engine) as session:
        session.add(User(name=name))
        session.flush()
        process = Process(target=report, args=(session,))  # error: SES602
        process.start()
        process.join()
        session.commit()
        return process.exitcode
"""

CURE = """
from multiprocessing import Process

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import User, engine


def report():
    engine.dispose(close=False)
    with Session(engine) as session:
        print(session.scalar(select(func.count(User.id))), "users")


def register(name):
    with Session(engine) as session:
        session.add(User(name=name))
        session.flush()
        process = Process(target=report)
        process.start()
        process.join()
        session.commit()
        return process.exitcode
"""


@pytest.fixture(autouse=True)
def _forking() -> Iterator[None]:
    """Processes are forked, as they were on Linux by default before Python 3.14."""
    multiprocessing.set_start_method("fork", force=True)
    yield
    multiprocessing.set_start_method(None, force=True)


def test_the_childs_close_rolls_back_the_parents_work(postgres: Stage) -> None:
    """Both end well, and the row is not there."""
    assert (postgres.load(FAULT).register("ann"), postgres.users()) == (0, [])


def test_with_a_session_each_the_parents_work_is_saved(postgres: Stage) -> None:
    """And the child has done its own."""
    assert (postgres.load(CURE).register("ann"), postgres.users()) == (0, ["ann"])
