"""SES305: a scope inside a scope is another transaction.

It does not see what the outer one has written, waits in vain for the outer one's lock, and what it commits stays when
the outer one fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import func, select

from app import Order, User
from database.session import scoped_session


def count():
    with scoped_session() as session:  # warning: SES305
        return session.scalar(select(func.count(User.id)))


def register(name):
    with scoped_session() as session:
        session.add(User(name=name))
        session.flush()
        return count()


def order(name, item):
    with scoped_session() as session:
        session.add(User(name=name))
        session.flush()
        with scoped_session() as inner:  # warning: SES305
            inner.add(Order(item=item))


def order_first(name, item):
    with scoped_session() as session:
        with scoped_session() as inner:  # warning: SES305
            inner.add(Order(item=item))
        session.add(User(name=name))
        if not name:
            raise ValueError("no name")
"""

CURE = """
from sqlalchemy import func, select

from app import Order, User
from database.session import scoped_session


def count(session):
    return session.scalar(select(func.count(User.id)))


def register(name):
    with scoped_session() as session:
        session.add(User(name=name))
        session.flush()
        return count(session)


def order(name, item):
    with scoped_session() as session:
        session.add(User(name=name))
        session.flush()
        session.add(Order(item=item))


def order_first(name, item):
    with scoped_session() as session:
        session.add(Order(item=item))
        session.add(User(name=name))
        if not name:
            raise ValueError("no name")
"""


def test_the_inner_scope_does_not_see_what_the_outer_one_wrote(stage: Stage) -> None:
    """One user is written, none is counted."""
    assert (stage.load(FAULT).register("ann"), stage.users()) == (0, ["ann"])


def test_the_inner_scope_waits_for_the_outer_ones_lock(stage: Stage) -> None:
    """And the outer one waits for the inner: nothing is saved."""
    with pytest.raises(OperationalError, match="database is locked"):
        stage.load(FAULT).order("ann", "lamp")
    assert (stage.users(), stage.orders()) == ([], [])


def test_what_the_inner_scope_commits_stays(stage: Stage) -> None:
    """An order of nobody."""
    with pytest.raises(ValueError, match="no name"):
        stage.load(FAULT).order_first("", "lamp")
    assert (stage.users(), stage.orders()) == ([], ["lamp"])


def test_one_scope_sees_locks_and_fails_as_one(stage: Stage) -> None:
    """What it wrote is counted, saved together, and lost together."""
    program = stage.load(CURE)
    assert program.register("ann") == 1
    program.order("bob", "lamp")
    with pytest.raises(ValueError, match="no name"):
        program.order_first("", "table")
    assert (stage.users(), stage.orders()) == (["ann", "bob"], ["lamp"])
