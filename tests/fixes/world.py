"""Running a program before and after a fix, with a failure injected at every call in turn."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import re
import sys
import types
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event
from sqlalchemy.exc import InvalidRequestError, MissingGreenlet, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session, registry, sessionmaker
from sqlalchemy.orm.exc import DetachedInstanceError
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from types import CodeType

    from sqlalchemy.engine import Engine

METADATA = MetaData()
TABLE = Table("row", METADATA, Column("id", Integer, primary_key=True), Column("value", Integer))
OLD = 1000
"""The key of the row that is there from the beginning."""


class Row:
    """What programs write."""

    def __init__(self, key: int, value: int = 0) -> None:
        self.id = key
        self.value = value


registry().map_imperatively(Row, TABLE)
ANEW = f'insert into "row" (id, value) values ({OLD}, 0)'  # noqa: S608


class UnforeseenError(Exception):
    """What a helper raises."""


@dataclass
class Result:
    """What one run did: the rows another connection sees, how it ended, what it did to the database.

    :param kept: how many connections are still out.
    :param transactions: how many transactions wrote, and how many were committed.
    """

    rows: list[tuple[int, int]]
    raised: str
    returned: object
    transactions: tuple[int, int]
    kept: int = field(compare=False)


class World:
    """A database, and modules `database.session` and `world` over it, whose calls can be made to fail.

    :param url: where it is.
    :param other: a second database, which a wrong factory would write to.
    """

    def __init__(self, url: str, other: str) -> None:
        self.engine = create_engine(url, **({"connect_args": {"timeout": 0.01}} if "sqlite" in url else {}))
        self.second = create_engine(other)
        outside = [create_engine(place, isolation_level="AUTOCOMMIT") for place in (url, other)]
        self.async_engine = None
        if "sqlite" in url:
            fast = url.replace("sqlite:", "sqlite+aiosqlite:")
            self.async_engine = create_async_engine(fast, connect_args={"timeout": 0.01}, poolclass=NullPool)
        for engine in (self.engine, self.second, *outside):
            if engine.dialect.name == "sqlite":
                event.listen(engine, "connect", _unhurt)
        for engine in (self.engine, self.second):
            METADATA.drop_all(engine)
            METADATA.create_all(engine)
        self.opened: list[Session | AsyncSession] = []
        self.done: Counter[str] = Counter()
        self.single: Session | None = None
        self.calls = 0
        self.fail_at = 0
        for engine in self._engines:
            event.listen(engine, "before_cursor_execute", self._executes)
            event.listen(engine, "commit", lambda _connection: self.done.update(["commit"]))
        self.watched, self.watched_async = self._watched(Session), self._watched(AsyncSession)
        self.made = sessionmaker(self.engine, class_=self.watched)
        self.outside = [engine.connect() for engine in outside]
        self._clean()

    @property
    def _engines(self) -> list[Engine]:
        return [self.engine, self.second, *([self.async_engine.sync_engine] if self.async_engine else [])]

    def _executes(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.lstrip().upper().startswith("SELECT"):
            self.done["write"] += 1

    def _watched(self, base: type[Any]) -> type[Any]:
        world = self

        class Committing(Session):
            pass

        event.listen(Committing, "before_commit", lambda _: self.count(_injected("commit")))  # of whatever commits it

        class Watched(base if base is AsyncSession else Committing):  # type: ignore[misc]  # of either kind
            sync_session_class = Committing

            def __init__(self, *arguments: object, **options: object) -> None:
                super().__init__(*arguments, **options)
                world.opened.append(self)

        def plain(name: str) -> Any:  # noqa: ANN401  (a method of either kind of session)
            def method(self: Any, *arguments: object, **options: object) -> object:  # noqa: ANN401
                world.count(_injected(name))
                return getattr(super(Watched, self), name)(*arguments, **options)

            return method

        def waited(name: str) -> Any:  # noqa: ANN401
            async def method(self: Any, *arguments: object, **options: object) -> object:  # noqa: ANN401
                world.count(_injected(name))
                return await getattr(super(Watched, self), name)(*arguments, **options)

            return method

        for name in ("add", "flush", "get"):
            slow = base is AsyncSession and name != "add"
            setattr(Watched, name, (waited if slow else plain)(name))
        return Watched

    def close(self) -> None:
        """Give everything back."""
        for connection in self.outside:
            connection.close()
            connection.engine.dispose()
        for engine in (self.engine, self.second):
            engine.dispose()

    def count(self, error: Exception) -> None:
        """One more call; it fails if its turn has come."""
        self.calls += 1
        if self.calls == self.fail_at:
            raise error

    def work(self) -> None:
        """A helper that programs call."""
        self.count(UnforeseenError("work"))

    def run(self, text: str, fail_at: int, flags: tuple[bool, ...]) -> Result:
        """One run of ``program(c1, c2)``, failing at the given call (0: never)."""
        self.opened.clear()
        self.calls, self.fail_at = 0, fail_at
        self.done.clear()
        namespace: dict[str, Any] = {"Row": Row, "work": self.work}
        with self._modules():
            exec(compiled(text), namespace)  # noqa: S102
            try:
                returned, raised = self._returned(namespace["program"](*flags)), ""
            except (UnforeseenError, OperationalError, InvalidRequestError, ValueError) as error:
                returned, raised = None, f"{type(error).__name__}: {error}"
            if "KEPT" in namespace:
                returned = returned, described(namespace["KEPT"])
        kept = self.engine.pool.checkedout()  # type: ignore[attr-defined]
        result = Result(self._rows(), raised, returned, (self.done["write"], self.done["commit"]), kept)
        self._clean()
        return result

    def _returned(self, value: Any) -> object:  # noqa: ANN401  (whatever a program returns)
        return asyncio.run(self._awaited(value)) if inspect.iscoroutine(value) else described(value)

    async def _awaited(self, value: Coroutine[Any, Any, object]) -> object:
        """What a coroutine returns; what it leaves open is closed in its own event loop."""
        try:
            return described(await value)
        finally:
            for session in self.opened:
                await AsyncSession.close(session)  # type: ignore[arg-type]

    def _rows(self) -> list[tuple[int, int]]:
        seen = [connection.exec_driver_sql('select id, value from "row" order by id') for connection in self.outside]
        return [(key, value) for result in seen for key, value in result]

    def _clean(self) -> None:
        self.fail_at, self.single = 0, None
        for session in self.opened:
            if isinstance(session, Session):
                Session.close(session)
        gc.collect(0)
        first, second = self.outside
        second.exec_driver_sql('delete from "row"')
        first.exec_driver_sql('delete from "row"')
        first.exec_driver_sql(ANEW)

    @contextmanager
    def _modules(self) -> Iterator[None]:
        module, world = types.ModuleType("database.session"), types.ModuleType("world")
        module.SessionLocal = self.made  # type: ignore[attr-defined]
        module.scoped_session = self._scoped_session  # type: ignore[attr-defined]
        module.get_session = self._get_session  # type: ignore[attr-defined]
        module.close_global_session = self._close_global_session  # type: ignore[attr-defined]
        parts = {"engine": self.engine, "second": self.second, "async_engine": self.async_engine}
        world.__dict__.update(parts, Watched=self.watched, WatchedAsync=self.watched_async)
        new = {"database": types.ModuleType("database"), "database.session": module, "world": world}
        before = {name: sys.modules.get(name) for name in new}
        sys.modules.update(new)
        try:
            yield
        finally:
            for name, old in before.items():
                if old is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = old

    @contextmanager
    def _scoped_session(self) -> Iterator[Session]:
        session = self.made()
        try:
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()

    def _get_session(self) -> Session:
        self.single = self.single or self.made()
        return self.single

    def _close_global_session(self) -> None:
        if self.single is not None:
            self.single.close()
        self.single = None

    def differences(self, before: str, after: str) -> list[str]:
        """Every way of failing on which the two programs do not do the same."""
        found = []
        for flags in flags_of(before + after):
            olds, news = self._runs(before, flags), self._runs(after, flags)
            for fail_at in range(max(len(olds), len(news))):  # after a program's last call, nothing fails
                old, new = (runs[fail_at if fail_at < len(runs) else 0] for runs in (olds, news))
                if old != new or new.kept > old.kept:
                    found.append(f"flags {flags}, failure at call {fail_at}: {old} became {new}")
        return found

    def _runs(self, text: str, flags: tuple[bool, ...]) -> list[Result]:
        """A run without a failure, and one for each of its calls, which fails."""
        whole = self.run(text, 0, flags)
        return [whole, *(self.run(text, fail_at, flags) for fail_at in range(1, self.calls + 1))]


def flags_of(text: str) -> Iterator[tuple[bool, ...]]:
    """All outcomes of the flags that the text asks for, beside taking them; the others are false."""
    asked = [len(re.findall(rf"\b{flag}\b", text)) > text.count("(c1, c2)") for flag in ("c1", "c2")]
    return itertools.product(*((False, True)[: 1 + flag] for flag in asked))


@lru_cache(maxsize=2)  # a program before and after
def compiled(text: str) -> CodeType:
    """The code of a program."""
    return compile(text, "program.py", "exec")


def _unhurt(connection: Any, _: object) -> None:  # noqa: ANN401  (of whatever driver)
    """What SQLite does for a computer that may fail is left out."""
    for pragma in ("synchronous=off", "journal_mode=memory"):
        connection.execute(f"pragma {pragma}").close()


def _injected(name: str) -> OperationalError:
    return OperationalError(name, {}, Exception("injected"))


def described(returned: object) -> object:
    """What a caller can see of a value: of an object of a session, what reading it gives."""
    if inspect.isgenerator(returned):
        return described(list(returned))
    if isinstance(returned, (list, tuple)):
        return [described(value) for value in returned]
    if not isinstance(returned, Row):
        return returned if isinstance(returned, (int, str, bool, type(None))) else type(returned).__name__
    try:
        return returned.id, returned.value
    except (DetachedInstanceError, MissingGreenlet) as error:
        return type(error).__name__
