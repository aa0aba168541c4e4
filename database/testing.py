"""A fixture for pytest: ``pytest_plugins = ["database.testing"]`` in the topmost ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .session import SessionLocal, close_global_session, get_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


@pytest.fixture
def rolled_back() -> Iterator[Session]:
    """A session in a transaction that is rolled back when the test ends, whatever the code under test commits.

    ``scoped_session()``, ``get_session()``, ``g.db`` and ``SessionLocal()`` work in that transaction meanwhile, on one
    connection, so for one thread. A commit in it ends a savepoint. It needs SQLAlchemy 2.0 or later.
    """
    close_global_session()
    with get_engine().connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "sqlite":  # whose driver begins with the first write, after the savepoint
            connection.exec_driver_sql("begin")
        SessionLocal.configure(bind=connection, join_transaction_mode="create_savepoint")
        try:
            with SessionLocal() as session:
                yield session
        finally:
            close_global_session()
            SessionLocal.configure(bind=None, join_transaction_mode="conditional_savepoint")
            transaction.rollback()
