"""SES201: the global session that nobody closes keeps its transaction open: PostgreSQL calls it idle in transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import func, select

from app import User
from database.session import get_session


def main():
    session = get_session()  # error: SES201
    print(session.scalar(select(func.count(User.id))), "users")
"""

CURE = """
from sqlalchemy import func, select

from app import User
from database.session import close_global_session, get_session


def main():
    try:
        session = get_session()
        print(session.scalar(select(func.count(User.id))), "users")
    finally:
        close_global_session()
"""


def test_the_transaction_stays_open(postgres: Stage) -> None:
    """The work is done, and the server still waits for its end."""
    postgres.load(FAULT).main()
    assert (postgres.out(), postgres.backends()) == (1, ["idle in transaction"])


def test_closed_it_is_over(postgres: Stage) -> None:
    """The connection is in the pool."""
    postgres.load(CURE).main()
    assert (postgres.out(), postgres.backends()) == (0, ["idle"])
