"""SES105: an object that opens a session and has no way to close it. Each such object takes a connection for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


class Users:
    def __init__(self):
        self.session = SessionLocal()  # warning: SES105

    def count(self):
        return self.session.scalar(select(func.count(User.id)))


def count():
    return Users().count()
"""

CURE = """
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


class Users:
    def __init__(self):
        self.session = SessionLocal()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.session.close()

    def count(self):
        return self.session.scalar(select(func.count(User.id)))


def count():
    with Users() as users:
        return users.count()
"""


def test_each_object_takes_a_connection(stage: Stage) -> None:
    """With a pool of two, the third gets none."""
    program = stage.load(FAULT)
    assert [(program.count(), stage.out()) for _ in range(2)] == [(0, 1), (0, 2)]
    with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 2 overflow 0 reached"):
        program.count()


def test_an_owner_that_closes_gives_it_back(stage: Stage) -> None:
    """However many there are."""
    program = stage.load(CURE)
    assert [(program.count(), stage.out()) for _ in range(3)] == [(0, 0)] * 3
