"""The fixture that rolls back whatever a test commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask, g
from sqlalchemy.exc import IntegrityError

from database.flask import init_app
from database.session import SessionLocal, close_global_session, get_session, scoped_session
from tests.database.conftest import item, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from tests.database.conftest import Store

pytest_plugins = ["database.testing"]


def names(session: Session) -> list[str]:
    """What a session sees."""
    return list(session.execute(item.select().order_by(item.c.id)).scalars("name"))


@pytest.fixture(name="kept")
def _kept(store: Store) -> Iterator[Store]:
    """The database: as it was before, when the test is over."""
    with scoped_session() as session:
        write(session, "before")
    yield store
    assert (store.rows(), store.out()) == (["before"], 0)
    with scoped_session() as session:
        write(session, "after")
    assert (store.rows(), store.out()) == (["before", "after"], 0)


def test_every_pattern_works_in_it(kept: Store, rolled_back: Session) -> None:
    """And sees what the others have committed; nobody outside does."""
    with scoped_session() as session:
        write(session, "scope")
    write(get_session(), "global")
    get_session().commit()
    close_global_session()
    app = Flask(__name__)
    init_app(app)
    with app.app_context():
        write(g.db, "request")
        g.db.commit()
    with SessionLocal() as session:
        write(session, "manual")
        session.commit()
    assert names(rolled_back) == ["before", "scope", "global", "request", "manual"]
    assert kept.rows() == ["before"]


def test_a_rollback_undoes_what_was_not_committed(kept: Store, rolled_back: Session) -> None:
    """Only that."""
    with scoped_session() as session:
        write(session, "saved")
    with pytest.raises(ValueError, match="mine"), scoped_session() as session:
        write(session, "lost")
        raise ValueError("mine")
    assert names(rolled_back) == ["before", "saved"]


def test_an_error_of_the_database(kept: Store, rolled_back: Session) -> None:
    """The transaction goes on after it."""
    with pytest.raises(IntegrityError), scoped_session() as session:
        session.execute(item.insert().values(id=1))
        session.execute(item.insert().values(id=1))
    write(rolled_back, "goes on")
    rolled_back.commit()
    assert names(rolled_back) == ["before", "goes on"]
