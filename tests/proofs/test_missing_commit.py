"""SES702: what is written through a session that is closed without a commit is not saved, and nobody is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy.orm import Session

from app import User, engine


def register(name):
    with Session(engine) as session:
        user = User(name=name)
        session.add(user)  # error: SES702
        session.flush()
        return user.id
"""

CURE = """
from sqlalchemy.orm import Session

from app import User, engine


def register(name):
    with Session(engine) as session:
        user = User(name=name)
        session.add(user)
        session.commit()
        return user.id
"""


def test_without_a_commit_nothing_is_saved(stage: Stage) -> None:
    """The program even has the number of the row, and so has the next one."""
    program = stage.load(FAULT)
    assert (program.register("ann"), program.register("bob"), stage.users()) == (1, 1, [])


def test_with_it_the_rows_are_there(stage: Stage) -> None:
    """Each with a number of its own."""
    program = stage.load(CURE)
    assert (program.register("ann"), program.register("bob"), stage.users()) == (1, 2, ["ann", "bob"])
