"""SES301: a commit in the middle of a scope.

What came before it stays when the rest fails; in a ``begin()`` block the rest cannot even start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import InvalidRequestError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy.orm import sessionmaker

from app import Order, User, engine
from database.session import scoped_session

SessionLocal = sessionmaker(engine)


def order(name, item):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
        session.commit()  # error: SES301
        if not item:
            raise ValueError("nothing ordered")
        session.add(Order(user_id=user.id, item=item))


def order_in_begin(name, item):
    with SessionLocal.begin() as session:
        user = User(name=name)
        session.add(user)
        session.commit()  # error: SES301
        session.add(Order(user_id=user.id, item=item))
        session.flush()
"""

CURE = """
from sqlalchemy.orm import sessionmaker

from app import Order, User, engine
from database.session import scoped_session

SessionLocal = sessionmaker(engine)


def order(name, item):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
        session.flush()
        if not item:
            raise ValueError("nothing ordered")
        session.add(Order(user_id=user.id, item=item))


def order_in_begin(name, item):
    with SessionLocal.begin() as session:
        user = User(name=name)
        session.add(user)
        session.flush()
        session.add(Order(user_id=user.id, item=item))
        session.flush()
"""


def test_half_of_the_work_stays(stage: Stage) -> None:
    """A user without the order."""
    with pytest.raises(ValueError, match="nothing ordered"):
        stage.load(FAULT).order("ann", "")
    assert (stage.users(), stage.orders()) == (["ann"], [])


def test_with_a_flush_it_is_all_or_nothing(stage: Stage) -> None:
    """Neither, or both."""
    program = stage.load(CURE)
    with pytest.raises(ValueError, match="nothing ordered"):
        program.order("ann", "")
    assert (stage.users(), stage.orders()) == ([], [])
    program.order("ann", "lamp")
    assert (stage.users(), stage.orders()) == (["ann"], ["lamp"])


def test_in_a_begin_block_what_follows_raises(stage: Stage) -> None:
    """And half of the work stays again."""
    with pytest.raises(InvalidRequestError, match="Can't operate on closed transaction inside context manager"):
        stage.load(FAULT).order_in_begin("ann", "lamp")
    assert (stage.users(), stage.orders()) == (["ann"], [])


def test_in_a_begin_block_a_flush_is_followed_by_the_rest(stage: Stage) -> None:
    """Both are there."""
    stage.load(CURE).order_in_begin("ann", "lamp")
    assert (stage.users(), stage.orders()) == (["ann"], ["lamp"])
