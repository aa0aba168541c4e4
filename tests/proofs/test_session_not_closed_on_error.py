"""SES102: a ``close()`` that an exception skips. The connection stays out, and so does the lock of what was written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import insert
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def register(names):
    session = SessionLocal()  # error: SES102
    for name in names:
        session.execute(insert(User).values(name=name))
    session.commit()
    session.close()
"""

CURE = """
from sqlalchemy import insert
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def register(names):
    session = SessionLocal()
    try:
        for name in names:
            session.execute(insert(User).values(name=name))
        session.commit()
    finally:
        session.close()
"""


def test_one_error_keeps_the_connection_and_the_lock(stage: Stage) -> None:
    """The second name is taken; from then on nobody else can write."""
    program = stage.load(FAULT)
    with pytest.raises(IntegrityError):
        program.register(["ann", "ann"])
    assert stage.out() == 1
    with pytest.raises(OperationalError, match="database is locked"):
        stage.write("bob")


def test_closed_in_a_finally_others_can_go_on(stage: Stage) -> None:
    """The error is the same, and nothing is held."""
    program = stage.load(CURE)
    with pytest.raises(IntegrityError):
        program.register(["ann", "ann"])
    stage.write("bob")
    assert (stage.out(), stage.users()) == (0, ["bob"])
