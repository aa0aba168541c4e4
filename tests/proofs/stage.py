"""Where a proof's programs are executed: a real database, a pool of connections, and a look at both from outside.

A program finds a module ``app`` to import from, as a project's own modules do: ``engine``, ``async_engine``, the
``url`` of the database, and the mapped classes ``User`` and ``Order``.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Column, ForeignKey, Integer, String, create_engine, select, text
from sqlalchemy.ext.asyncio import close_all_sessions as close_all_async_sessions
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import close_all_sessions, registry
from sqlalchemy.pool import AsyncAdaptedQueuePool, NullPool, QueuePool

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    import pytest

T = TypeVar("T")

PATIENCE = 0.2
"""For how many seconds the programs wait for a lock or a connection; those with ``async_engine`` wait longer."""

SEEN = text(
    "select state from pg_stat_activity where application_name = 'program' and pid <> pg_backend_pid() order by state"
)

mapper = registry()


@mapper.mapped
class User:
    """Somebody; no two of them have the same name."""

    __tablename__ = "users"
    id = Column(Integer, primary_key=True)
    name = Column(String, unique=True)


@mapper.mapped
class Order:
    """What a user has ordered."""

    __tablename__ = "orders"
    id = Column(Integer, primary_key=True)
    user_id = Column(Integer, ForeignKey("users.id"))
    item = Column(String)


class Stage:
    """One empty database with its tables, and the engines on it.

    The programs' engine has a pool of two connections, with none above them.

    :param url: where the database is.
    """

    def __init__(self, url: str) -> None:
        sqlite = url.startswith("sqlite")
        patience: dict[str, Any] = {"timeout": PATIENCE, "check_same_thread": False} if sqlite else {}
        self.url = url
        self.engine = create_engine(
            url,
            poolclass=QueuePool,
            pool_size=2,
            max_overflow=0,
            pool_timeout=PATIENCE,
            connect_args=patience or {"application_name": "program", "options": f"-c lock_timeout={PATIENCE}s"},
        )
        self.outside = create_engine(url, poolclass=NullPool, connect_args=patience)
        self.app = ModuleType("app")
        vars(self.app).update(engine=self.engine, url=self.url, User=User, Order=Order)
        if sqlite:
            asynchronous = url.replace("sqlite", "sqlite+aiosqlite")
            self.async_engine = create_async_engine(
                asynchronous, poolclass=AsyncAdaptedQueuePool, connect_args={"timeout": 10}
            )
            vars(self.app).update(async_engine=self.async_engine)
        mapper.metadata.drop_all(self.outside)
        mapper.metadata.create_all(self.outside)

    def load(self, program: str) -> Any:  # noqa: ANN401 - a module that only its text knows
        """Execute a program's text as a module.

        :returns: the module.
        """
        module = ModuleType("program")
        sys.modules["program"] = module
        exec(compile(program, "program.py", "exec"), vars(module))  # noqa: S102 - the text is ours
        return module

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run asynchronous work and all its tasks in a loop of their own, and close there what they left open."""

        async def whole() -> T:
            try:
                return await work
            finally:
                others = asyncio.all_tasks() - {asyncio.current_task()}
                await asyncio.gather(*others, return_exceptions=True)
                await close_all_async_sessions()
                await self.async_engine.dispose()

        return asyncio.run(whole())

    def out(self) -> int:
        """How many connections of the pool are in somebody's hands."""
        pool = self.engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def async_out(self) -> int:
        """The same of the asynchronous engine's pool."""
        pool = self.async_engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()

    def users(self) -> list[str | None]:
        """The names of the users, as another program sees them, in the order of their writing."""
        with self.outside.connect() as connection:
            return list(connection.execute(select(User.name).order_by(User.id)).scalars())

    def orders(self) -> list[str | None]:
        """The items that were ordered, as another program sees them, in the order of their writing."""
        with self.outside.connect() as connection:
            return list(connection.execute(select(Order.item).order_by(Order.id)).scalars())

    def write(self, name: str) -> None:
        """Save a user, as another program does it.

        :raises OperationalError: the database is locked for longer than anybody waits.
        """
        with self.outside.begin() as connection:
            connection.execute(text("insert into users (name) values (:name)"), {"name": name})

    def backends(self) -> list[str]:
        """What PostgreSQL says of each connection of the programs' pool."""
        with self.outside.connect() as connection:
            return list(connection.execute(SEEN).scalars())

    def close(self) -> None:
        """Give back what the programs left open."""
        close_all_sessions()
        gc.collect()
        self.engine.dispose()


@contextmanager
def standing(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A stage, with its module ``app`` in reach and the reference module on its engine.

    Garbage is not collected meanwhile: what is open stays open for as long as nobody closes it.
    """
    from database import session  # noqa: PLC0415 - programs import it too: here its state is only borrowed

    stage = Stage(url)
    monkeypatch.setitem(sys.modules, "app", stage.app)
    monkeypatch.setitem(sys.modules, "program", stage.app)
    monkeypatch.setattr(session, "_process", session._Process(engine=stage.engine))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    parent = os.getpid()
    gc.disable()
    try:
        yield stage
    finally:
        gc.enable()
        if os.getpid() == parent:
            stage.close()
