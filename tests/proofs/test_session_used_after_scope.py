"""SES303: a session that is used after its scope has closed it.

It opens again without a word: its connection is never given back, and what it writes is not saved. On SQLite nobody
else can write from then on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import func, select

from app import User
from database.session import scoped_session


def count():
    with scoped_session() as session:
        session.add(User(name="ann"))
    return session.scalar(select(func.count(User.id)))  # error: SES303


def register():
    with scoped_session() as session:
        session.add(User(name="ann"))
    session.add(User(name="bob"))  # error: SES303
    session.flush()
"""

CURE = """
from sqlalchemy import func, select

from app import User
from database.session import scoped_session


def count():
    with scoped_session() as session:
        session.add(User(name="ann"))
        return session.scalar(select(func.count(User.id)))


def register():
    with scoped_session() as session:
        session.add(User(name="ann"))
        session.add(User(name="bob"))
        session.flush()
"""


def test_a_query_after_the_scope_keeps_a_connection(stage: Stage) -> None:
    """It answers, and one connection is out for good."""
    assert (stage.load(FAULT).count(), stage.out()) == (1, 1)


def test_a_query_inside_gives_it_back(stage: Stage) -> None:
    """It answers the same."""
    assert (stage.load(CURE).count(), stage.out()) == (1, 0)


def test_what_is_written_after_the_scope_is_lost_and_locks(stage: Stage) -> None:
    """The row is not there, and the next writer is told that the database is locked."""
    stage.load(FAULT).register()
    assert (stage.users(), stage.out()) == (["ann"], 1)
    with pytest.raises(OperationalError, match="database is locked"):
        stage.write("carl")


def test_what_is_written_inside_is_saved(stage: Stage) -> None:
    """Both rows are there, and others can write."""
    stage.load(CURE).register()
    stage.write("carl")
    assert (stage.users(), stage.out()) == (["ann", "bob", "carl"], 0)
