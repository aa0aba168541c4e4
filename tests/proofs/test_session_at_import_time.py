"""SES604: one session for all functions of a module, opened when it is imported.

It keeps a transaction open from the first query on, and one error makes all later calls fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError, PendingRollbackError

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
session = SessionLocal()  # warning: SES604


def name_of(number):
    return session.get(User, number).name


def register(name):
    session.add(User(name=name))
    session.commit()
"""

CURE = """
from sqlalchemy.orm import sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)


def name_of(number):
    with SessionLocal() as session:
        return session.get(User, number).name


def register(name):
    with SessionLocal() as session:
        session.add(User(name=name))
        session.commit()
"""


@pytest.mark.parametrize(("program", "state", "out"), [(FAULT, "idle in transaction", 1), (CURE, "idle", 0)])
def test_what_a_query_leaves_behind(postgres: Stage, program: str, state: str, out: int) -> None:
    """The global session its connection and its transaction."""
    postgres.write("ann")
    assert (postgres.load(program).name_of(1), postgres.backends(), postgres.out()) == ("ann", [state], out)


def test_one_error_makes_all_later_calls_fail(stage: Stage) -> None:
    """Nobody has rolled back, because it is nobody's session."""
    module = stage.load(FAULT)
    module.register("ann")
    with pytest.raises(IntegrityError):
        module.register("ann")
    with pytest.raises(PendingRollbackError):
        module.register("bob")
    assert stage.users() == ["ann"]


def test_with_a_session_each_call_the_next_one_goes_well(stage: Stage) -> None:
    """The error is that call's own."""
    module = stage.load(CURE)
    module.register("ann")
    with pytest.raises(IntegrityError):
        module.register("ann")
    module.register("bob")
    assert (stage.users(), stage.out()) == (["ann", "bob"], 0)
