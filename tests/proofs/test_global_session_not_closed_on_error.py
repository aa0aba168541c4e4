"""SES202: a closer that an exception skips. The transaction stays as it was when it failed, with its locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import insert

from app import User
from database.session import close_global_session, get_session


def main(names):
    session = get_session()  # error: SES202
    for name in names:
        session.execute(insert(User).values(name=name))
    session.commit()
    close_global_session()
"""

CURE = """
from sqlalchemy import insert

from app import User
from database.session import close_global_session, get_session


def main(names):
    try:
        session = get_session()
        for name in names:
            session.execute(insert(User).values(name=name))
        session.commit()
    finally:
        close_global_session()
"""


def test_an_error_leaves_the_transaction_open(postgres: Stage) -> None:
    """The second name is taken."""
    with pytest.raises(IntegrityError):
        postgres.load(FAULT).main(["ann", "ann"])
    assert (postgres.out(), postgres.backends()) == (1, ["idle in transaction (aborted)"])


def test_closed_in_a_finally_it_is_over(postgres: Stage) -> None:
    """The error is the same."""
    with pytest.raises(IntegrityError):
        postgres.load(CURE).main(["ann", "ann"])
    assert (postgres.out(), postgres.backends()) == (0, ["idle"])
