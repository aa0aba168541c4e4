"""SES705: an engine for each call. Each has a pool of its own, and each pool keeps a connection of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.proofs.stage import Stage

FAULT = """
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker

from app import User, url


def count():
    engine = create_engine(url, connect_args={"application_name": "program"})  # warning: SES705
    SessionLocal = sessionmaker(engine)
    with SessionLocal() as session:
        return session.scalar(select(func.count(User.id)))
"""

CURE = """
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import sessionmaker

from app import User, url

engine = create_engine(url, connect_args={"application_name": "program"})
SessionLocal = sessionmaker(engine)


def count():
    with SessionLocal() as session:
        return session.scalar(select(func.count(User.id)))
"""


@pytest.fixture(autouse=True)
def _disposed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The engines that a program makes give their connections back at the end of the test."""
    engines: list[Engine] = []
    make = sqlalchemy.create_engine

    def remembered(*arguments: object, **named: object) -> Engine:
        engines.append(make(*arguments, **named))  # type: ignore[call-overload]
        return engines[-1]

    monkeypatch.setattr(sqlalchemy, "create_engine", remembered)
    yield
    for engine in engines:
        engine.dispose()


def test_three_calls_leave_three_connections(postgres: Stage) -> None:
    """Although each closes its session."""
    module = postgres.load(FAULT)
    assert ([module.count() for _ in range(3)], postgres.backends()) == ([0] * 3, ["idle"] * 3)


def test_one_engine_has_one(postgres: Stage) -> None:
    """It is the same each time."""
    module = postgres.load(CURE)
    assert ([module.count() for _ in range(3)], postgres.backends()) == ([0] * 3, ["idle"])
