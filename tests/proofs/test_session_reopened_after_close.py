"""SES103: a session that is used after ``close()`` takes a connection again, and nobody gives that back.

With a pool of two, the third caller gets none.
"""

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


def report():
    session = SessionLocal()
    try:
        names = session.scalars(select(User.name)).all()
    finally:
        session.close()
    return names, session.scalar(select(func.count(User.id)))  # error: SES103
"""

CURE = """
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def report():
    session = SessionLocal()
    try:
        names = session.scalars(select(User.name)).all()
        return names, session.scalar(select(func.count(User.id)))
    finally:
        session.close()
"""


def test_each_call_keeps_a_connection(stage: Stage) -> None:
    """It was given back and is taken again."""
    stage.write("ann")
    program = stage.load(FAULT)
    assert [(program.report(), stage.out()) for _ in range(2)] == [((["ann"], 1), 1), ((["ann"], 1), 2)]
    with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 2 overflow 0 reached"):
        program.report()


def test_used_before_the_close_none_is_kept(stage: Stage) -> None:
    """However often it is called."""
    stage.write("ann")
    program = stage.load(CURE)
    assert [(program.report(), stage.out()) for _ in range(3)] == [((["ann"], 1), 0)] * 3
