"""SES101: sessions that are never closed keep their connections, until the pool is empty and the next one gets none."""

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


def count():
    session = SessionLocal()  # error: SES101
    return session.scalar(select(func.count(User.id)))
"""

CURE = """
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def count():
    with SessionLocal() as session:
        return session.scalar(select(func.count(User.id)))
"""


def test_the_pool_is_empty_after_as_many_calls_as_it_has_connections(stage: Stage) -> None:
    """Two go well; the third waits in vain."""
    program = stage.load(FAULT)
    assert [(program.count(), stage.out()) for _ in range(2)] == [(0, 1), (0, 2)]
    with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 2 overflow 0 reached"):
        program.count()


def test_closed_the_connection_is_back_after_each_call(stage: Stage) -> None:
    """However often it is called."""
    program = stage.load(CURE)
    assert [(program.count(), stage.out()) for _ in range(3)] == [(0, 0)] * 3
