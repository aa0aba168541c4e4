"""Two databases for every test, SQLite and PostgreSQL, and a look at them from outside."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, event, select, text
from sqlalchemy.pool import NullPool

from database import session as module
from database.session import close_global_session, get_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine
    from sqlalchemy.orm import Session

item = Table("item", MetaData(), Column("id", Integer, primary_key=True), Column("name", String))


@dataclass(frozen=True)
class Store:
    """The database of a test."""

    url: str
    outside: Engine
    _out: list[object]

    def rows(self) -> list[str]:
        """The names that are saved, as another program sees them, in the order of their writing."""
        with self.outside.connect() as connection:
            return list(connection.execute(select(item.c.name).order_by(item.c.id)).scalars())

    def out(self) -> int:
        """How many connections of the engine are in somebody's hands."""
        return len(self._out)

    def backends(self) -> list[str]:
        """What PostgreSQL says of each connection of the program's."""
        ask = "select state from pg_stat_activity where application_name = 'store' and pid <> pg_backend_pid()"
        with self.outside.connect() as connection:
            return list(connection.execute(text(ask)).scalars())


def write(session: Session, name: str) -> None:
    """Send one row to the database."""
    session.execute(text("insert into item (name) values (:name)"), {"name": name})


def watch(engine: Engine) -> list[object]:
    """A list of the engine's connections that are in somebody's hands, which goes on being true."""
    out: list[object] = []

    def give_back(_connection: object, record: object) -> None:
        if record in out:  # a record without a connection comes back too, and has never been out
            out.remove(record)

    event.listen(engine, "checkout", lambda _connection, record, _proxy: out.append(record))
    event.listen(engine, "checkin", give_back)
    return out


@pytest.fixture(name="sqlite")
def _sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A file with an empty table ``item``; the module knows no other engine and no session."""
    with opened(f"sqlite:///{tmp_path / 'items.db'}", monkeypatch) as store:
        yield store


@pytest.fixture(name="postgres")
def _postgres(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The same in PostgreSQL."""
    with opened(f"{server}&application_name=store", monkeypatch) as store:
        yield store


@pytest.fixture(name="store", params=["sqlite", "postgres"])
def _either(request: pytest.FixtureRequest) -> Store:
    """One after the other."""
    store: Store = request.getfixturevalue(request.param)
    return store


@contextmanager
def opened(url: str, monkeypatch: pytest.MonkeyPatch, *, used: bool = True) -> Iterator[Store]:
    """A database with an empty table ``item``, which the module takes for its own while the block runs.

    :param used: whether its engine is made at once, and its connections are counted.
    """
    with monkeypatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        patch.setattr(module, "_process", module._Process())
        patience = {"options": "-c lock_timeout=5s"} if url.startswith("postgresql") else {}
        outside = create_engine(url, poolclass=NullPool, connect_args=patience)
        with outside.begin() as connection:
            connection.execute(text("drop table if exists part"))
            item.metadata.drop_all(connection)
            item.metadata.create_all(connection)
        yield Store(url, outside, watch(get_engine()) if used else [])
        close_global_session()
        get_engine().dispose()
