"""SES302: a ``rollback()`` or ``close()`` in the middle of a scope loses what came before, not what comes after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from app import User
from database.session import scoped_session


def register(names):
    with scoped_session() as session:
        for name in names:
            session.add(User(name=name))
            session.flush()
            if not name.isalpha():
                session.rollback()  # warning: SES302


def register_in_turns(names):
    with scoped_session() as session:
        for name in names:
            session.add(User(name=name))
            session.flush()
            if not name.isalpha():
                session.close()  # warning: SES302
"""

CURE = """
from app import User
from database.session import scoped_session


def register(names):
    with scoped_session() as session:
        for name in names:
            with session.begin_nested() as savepoint:
                session.add(User(name=name))
                session.flush()
                if not name.isalpha():
                    savepoint.rollback()
"""


@pytest.mark.parametrize("function", ["register", "register_in_turns"])
def test_what_came_before_is_lost(stage: Stage, function: str) -> None:
    """The second name is refused, and the first one goes with it."""
    getattr(stage.load(FAULT), function)(["ann", "b0b", "carl"])
    assert stage.users() == ["carl"]


def test_a_savepoint_loses_what_is_refused_only(stage: Stage) -> None:
    """The other two are there."""
    stage.load(CURE).register(["ann", "b0b", "carl"])
    assert stage.users() == ["ann", "carl"]
