"""SES203: what is written through the global session is gone once that is closed, if nobody has committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from app import User
from database.session import close_global_session, get_session


def main(name):
    try:
        session = get_session()
        user = User(name=name)
        session.add(user)  # error: SES203
        session.flush()
        return user.id
    finally:
        close_global_session()
"""

CURE = """
from app import User
from database.session import close_global_session, get_session


def main(name):
    try:
        session = get_session()
        user = User(name=name)
        session.add(user)
        session.commit()
        return user.id
    finally:
        close_global_session()
"""


def test_the_row_had_a_number_and_is_gone(stage: Stage) -> None:
    """No exception, no row; the reference module at least warns."""
    with pytest.warns(RuntimeWarning, match="not committed"):
        number = stage.load(FAULT).main("ann")
    assert (number, stage.users()) == (1, [])


def test_committed_it_stays(stage: Stage) -> None:
    """The row is there."""
    assert (stage.load(CURE).main("ann"), stage.users()) == (1, ["ann"])
