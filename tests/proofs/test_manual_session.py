"""SES104: a session that is managed by hand, and rightly: the scope does the same, and that is what is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import insert

from app import User
from database.session import SessionLocal


def register(names):
    session = SessionLocal()  # style: SES104
    try:
        for name in names:
            session.execute(insert(User).values(name=name))
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()
"""

CURE = """
from sqlalchemy import insert

from app import User
from database.session import scoped_session


def register(names):
    with scoped_session() as session:
        for name in names:
            session.execute(insert(User).values(name=name))
"""


@pytest.mark.parametrize("program", [FAULT, CURE], ids=["by hand", "scope"])
def test_success_is_saved_and_closed(stage: Stage, program: str) -> None:
    """Both rows, no connection."""
    stage.load(program).register(["ann", "bob"])
    assert (stage.users(), stage.out()) == (["ann", "bob"], 0)


@pytest.mark.parametrize("program", [FAULT, CURE], ids=["by hand", "scope"])
def test_an_error_is_rolled_back_and_closed(stage: Stage, program: str) -> None:
    """No row, no connection, and the error comes out."""
    with pytest.raises(IntegrityError):
        stage.load(program).register(["ann", "ann"])
    assert (stage.users(), stage.out()) == ([], 0)
