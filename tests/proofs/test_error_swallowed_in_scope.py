"""SES304: what a scope commits after an error of the database that was passed over.

After a failed flush the scope's own commit raises, and all of its work is lost. After a failed statement PostgreSQL
turns that commit into a rollback and says nothing. A savepoint loses the failed part only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import PendingRollbackError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app import User
from database.session import scoped_session


def register(names):
    with scoped_session() as session:
        for name in names:
            try:
                session.add(User(name=name))
                session.flush()
            except IntegrityError:  # warning: SES304
                print(name, "is taken")


def load(names):
    with scoped_session() as session:
        for name in names:
            try:
                session.execute(insert(User).values(name=name))
            except IntegrityError:  # warning: SES304
                print(name, "is taken")
"""

CURE = """
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from app import User
from database.session import scoped_session


def register(names):
    with scoped_session() as session:
        for name in names:
            try:
                with session.begin_nested():
                    session.add(User(name=name))
            except IntegrityError:
                print(name, "is taken")


def load(names):
    with scoped_session() as session:
        for name in names:
            try:
                with session.begin_nested():
                    session.execute(insert(User).values(name=name))
            except IntegrityError:
                print(name, "is taken")
"""

NAMES = ["ann", "bob", "ann"]


def test_after_a_failed_flush_the_scope_raises_and_saves_nothing(stage: Stage) -> None:
    """The last of three names is taken; the first two are gone as well."""
    with pytest.raises(PendingRollbackError, match="rolled back due to a previous exception during flush"):
        stage.load(FAULT).register(NAMES)
    assert stage.users() == []


def test_after_a_failed_statement_postgresql_saves_nothing_and_says_nothing(postgres: Stage) -> None:
    """The block ends well, and the first two names are gone."""
    postgres.load(FAULT).load(NAMES)
    assert postgres.users() == []


def test_after_a_failed_statement_sqlite_saves_the_rest(stage: Stage) -> None:
    """So a test on SQLite does not show it."""
    stage.load(FAULT).load(NAMES)
    assert stage.users() == ["ann", "bob"]


@pytest.mark.parametrize("function", ["register", "load"])
@pytest.mark.parametrize("database", ["stage", "postgres"])
def test_a_savepoint_loses_what_failed_only(request: pytest.FixtureRequest, database: str, function: str) -> None:
    """Both names are there, whatever the database and however they were written."""
    stage: Stage = request.getfixturevalue(database)
    getattr(stage.load(CURE), function)(NAMES)
    assert stage.users() == ["ann", "bob"]
