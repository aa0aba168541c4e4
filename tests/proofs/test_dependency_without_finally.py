"""SES503: a dependency that closes its session after the ``yield``, but not in a ``finally``.

An exception of the route arrives at the ``yield``, and the close is skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tests.proofs.asgi import request

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    session = SessionLocal()  # error: SES503
    yield session
    session.close()


@web.get("/users/{number}")
def name_of(number: int, db: Session = Depends(get_db)):
    user = db.get(User, number)
    if user is None:
        raise HTTPException(404)
    return user.name
"""

CURE = """
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


@web.get("/users/{number}")
def name_of(number: int, db: Session = Depends(get_db)):
    user = db.get(User, number)
    if user is None:
        raise HTTPException(404)
    return user.name
"""


def test_each_answer_404_keeps_a_connection(stage: Stage) -> None:
    """A good answer does not; after two bad ones the pool is empty."""
    stage.write("ann")
    web = stage.load(FAULT).web
    seen = [(request(web, f"/users/{number}").status_code, stage.out()) for number in (1, 2, 3)]
    assert seen == [(200, 0), (404, 1), (404, 2)]
    with pytest.raises(PoolTimeoutError, match="QueuePool limit of size 2 overflow 0 reached"):
        request(web, "/users/1")


def test_with_a_finally_none_is_kept(stage: Stage) -> None:
    """Whatever the answer."""
    stage.write("ann")
    web = stage.load(CURE).web
    seen = [(request(web, f"/users/{number}").status_code, stage.out()) for number in (1, 2, 3, 1)]
    assert seen == [(200, 0), (404, 0), (404, 0), (200, 0)]
