"""SES701: a session that goes on after an error of the database without a rollback.

After a failed flush every further use raises PendingRollbackError; after a failed statement PostgreSQL refuses every
further command. One bad row takes all the good ones behind it along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import InternalError, PendingRollbackError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import User, engine


def register(names):
    with Session(engine) as session:
        for name in names:
            session.add(User(name=name))
            try:
                session.commit()
            except IntegrityError:  # error: SES701
                print(name, "is taken")


def load(names):
    with Session(engine) as session:
        for name in names:
            try:
                session.execute(insert(User).values(name=name))
                session.commit()
            except IntegrityError:  # error: SES701
                print(name, "is taken")
"""

CURE = """
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import User, engine


def register(names):
    with Session(engine) as session:
        for name in names:
            session.add(User(name=name))
            try:
                session.commit()
            except IntegrityError:
                session.rollback()
                print(name, "is taken")


def load(names):
    with Session(engine) as session:
        for name in names:
            try:
                session.execute(insert(User).values(name=name))
                session.commit()
            except IntegrityError:
                session.rollback()
                print(name, "is taken")
"""

NAMES = ["ann", "ann", "bob", "carl"]


def test_after_a_failed_flush_the_next_use_raises(stage: Stage) -> None:
    """The second name is taken; the third and the fourth are not saved."""
    with pytest.raises(PendingRollbackError, match="This Session's transaction has been rolled back"):
        stage.load(FAULT).register(NAMES)
    assert stage.users() == ["ann"]


def test_after_a_failed_statement_postgresql_refuses_the_next(postgres: Stage) -> None:
    """The same, in the words of the database."""
    with pytest.raises(
        InternalError, match="current transaction is aborted, commands ignored until end of transaction"
    ):
        postgres.load(FAULT).load(NAMES)
    assert postgres.users() == ["ann"]


@pytest.mark.parametrize("function", ["register", "load"])
@pytest.mark.parametrize("database", ["stage", "postgres"])
def test_after_a_rollback_the_others_are_saved(request: pytest.FixtureRequest, database: str, function: str) -> None:
    """All but the one that is taken."""
    stage: Stage = request.getfixturevalue(database)
    getattr(stage.load(CURE), function)(NAMES)
    assert (stage.users(), stage.out()) == (["ann", "bob", "carl"], 0)
