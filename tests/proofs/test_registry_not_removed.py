"""SES704: a registry's session in a worker thread that nobody removes.

The thread lives on, and so does its session. It keeps a transaction open from one job to the next, and an error of one
job makes the following ones fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError, PendingRollbackError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import scoped_session, sessionmaker

from app import User, engine

Session = scoped_session(sessionmaker(engine))
workers = ThreadPoolExecutor(max_workers=1)


def read():
    return Session.scalar(select(func.count(User.id)))  # warning: SES704


def write(name):
    Session.add(User(name=name))  # warning: SES704
    Session.commit()


def count():
    return workers.submit(read).result()


def register(name):
    return workers.submit(write, name).result()
"""

CURE = """
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select
from sqlalchemy.orm import scoped_session, sessionmaker

from app import User, engine

Session = scoped_session(sessionmaker(engine))
workers = ThreadPoolExecutor(max_workers=1)


def read():
    try:
        return Session.scalar(select(func.count(User.id)))
    finally:
        Session.remove()


def write(name):
    try:
        Session.add(User(name=name))
        Session.commit()
    finally:
        Session.remove()


def count():
    return workers.submit(read).result()


def register(name):
    return workers.submit(write, name).result()
"""


@pytest.mark.parametrize(("program", "state", "out"), [(FAULT, "idle in transaction", 1), (CURE, "idle", 0)])
def test_what_a_job_leaves_behind(postgres: Stage, program: str, state: str, out: int) -> None:
    """Without ``remove()`` its connection and its transaction."""
    module = postgres.load(program)
    with module.workers:
        assert (module.count(), postgres.backends(), postgres.out()) == (0, [state], out)


def test_an_error_of_one_job_makes_the_next_one_fail(stage: Stage) -> None:
    """Which has nothing to do with it."""
    module = stage.load(FAULT)
    with module.workers:
        module.register("ann")
        with pytest.raises(IntegrityError):
            module.register("ann")
        with pytest.raises(PendingRollbackError):
            module.register("bob")
    assert stage.users() == ["ann"]


def test_after_a_remove_the_next_one_goes_well(stage: Stage) -> None:
    """The error is that job's own."""
    module = stage.load(CURE)
    with module.workers:
        module.register("ann")
        with pytest.raises(IntegrityError):
            module.register("ann")
        module.register("bob")
    assert (stage.users(), stage.out()) == (["ann", "bob"], 0)
