"""SES306: an object that is read after the scope that loaded it has committed.

The commit expires it and the end of the scope detaches it: reading it raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm.exc import DetachedInstanceError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from app import User, engine
from database.session import scoped_session
from sqlalchemy.orm import Session


def register(name):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
    return user.id  # error: SES306


def greeting(user_id):
    with scoped_session() as session:
        user = session.get(User, user_id)
    return "Hello " + user.name  # error: SES306


def by_hand(name):
    session = Session(engine)
    try:
        user = User(name=name)
        session.add(user)
        session.commit()
    finally:
        session.close()
    return user.id  # error: SES306


def rolled_back(user_id):
    session = Session(engine, expire_on_commit=False)
    try:
        user = session.get(User, user_id)
    finally:
        session.rollback()
        session.close()
    return user.name  # error: SES306
"""

CURE = """
from app import User
from database.session import scoped_session


def register(name):
    with scoped_session() as session:
        user = User(name=name)
        session.add(user)
        session.flush()
        return user.id


def greeting(user_id):
    with scoped_session() as session:
        user = session.get(User, user_id)
        name = user.name
    return "Hello " + name
"""

DETACHED = "Instance <User at .*> is not bound to a Session; attribute refresh operation cannot proceed"


def test_a_saved_object_cannot_be_read_after_the_scope(stage: Stage) -> None:
    """The row is saved all the same: the caller sees an error where the work was done."""
    with pytest.raises(DetachedInstanceError, match=DETACHED):
        stage.load(FAULT).register("ann")
    assert stage.users() == ["ann"]


def test_a_loaded_object_cannot_be_read_after_the_scope(stage: Stage) -> None:
    """Nothing was changed, and it is expired nevertheless."""
    stage.write("ann")
    with pytest.raises(DetachedInstanceError, match=DETACHED):
        stage.load(FAULT).greeting(1)


def test_a_session_that_is_closed_by_hand_leaves_it_alone_too(stage: Stage) -> None:
    """It is the commit that expires, and the close that detaches, whoever does them."""
    with pytest.raises(DetachedInstanceError, match=DETACHED):
        stage.load(FAULT).by_hand("ann")
    assert stage.users() == ["ann"]


def test_a_rollback_expires_it_whatever_the_session_was_told(stage: Stage) -> None:
    """``expire_on_commit`` is about commits."""
    stage.write("ann")
    with pytest.raises(DetachedInstanceError, match=DETACHED):
        stage.load(FAULT).rolled_back(1)


def test_what_is_read_inside_stays(stage: Stage) -> None:
    """A plain value is nobody's instance."""
    program = stage.load(CURE)
    assert (program.register("ann"), program.greeting(1)) == (1, "Hello ann")
