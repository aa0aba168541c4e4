"""A database file of its own for every test, and a look at it from outside."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from database import session as module
from database.session import SessionLocal, close_global_session, scoped_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Store:
    """The database of a test."""

    path: Path
    _out: list[object]

    def rows(self) -> list[str]:
        """The names that are saved, as another program sees them, in the order of their writing."""
        connection = sqlite3.connect(self.path)
        try:
            return [name for (name,) in connection.execute("select name from item order by rowid")]
        finally:
            connection.close()

    def out(self) -> int:
        """How many connections of the engine are in somebody's hands."""
        return len(self._out)


def engine() -> Engine:
    """The engine of this process."""
    with SessionLocal() as session:
        return session.get_bind().engine


def write(session: Session, name: str) -> None:
    """Send one row to the database."""
    session.execute(text("insert into item (name) values (:name)"), {"name": name})


@pytest.fixture(name="store")
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A file with an empty table ``item``; the module knows no other engine and no session."""
    path = tmp_path / "items.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    monkeypatch.setattr(module, "_process", module._Process())
    with scoped_session() as session:
        session.execute(text("create table item (name text)"))
    out: list[object] = []
    event.listen(engine(), "checkout", lambda _connection, record, _proxy: out.append(record))
    event.listen(engine(), "checkin", lambda _connection, record: out.remove(record))
    yield Store(path, out)
    close_global_session()
    engine().dispose()
