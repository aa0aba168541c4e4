"""SES401: one module, two ways to get a session. Each has a transaction of its own, though the code reads as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import func, select

from app import Order, User
from database.session import close_global_session, get_session, scoped_session


def count():
    with scoped_session() as session:
        return session.scalar(select(func.count(User.id)))


def order(item):
    with scoped_session() as session:
        session.add(Order(item=item))


def main(name, item):
    try:
        session = get_session()  # warning: SES401
        session.add(User(name=name))
        session.flush()
        print(count(), "users")
        order(item)
        session.commit()
    finally:
        close_global_session()
"""

CURE = """
from sqlalchemy import func, select

from app import Order, User
from database.session import close_global_session, get_session


def count():
    return get_session().scalar(select(func.count(User.id)))


def order(item):
    get_session().add(Order(item=item))


def main(name, item):
    try:
        session = get_session()
        session.add(User(name=name))
        session.flush()
        print(count(), "users")
        order(item)
        session.commit()
    finally:
        close_global_session()
"""


def test_one_does_not_see_the_other_and_locks_it_out(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The user is not counted, the order is refused, and nothing is saved."""
    with pytest.raises(OperationalError, match="database is locked"):
        stage.load(FAULT).main("ann", "lamp")
    assert (capsys.readouterr().out, stage.users(), stage.orders()) == ("0 users\n", [], [])


def test_one_way_is_one_transaction(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Counted and saved."""
    stage.load(CURE).main("ann", "lamp")
    assert (capsys.readouterr().out, stage.users(), stage.orders()) == ("1 users\n", ["ann"], ["lamp"])
