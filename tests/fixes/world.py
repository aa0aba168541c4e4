"""Running a program before and after a fix, with a failure injected at every call in turn."""

from __future__ import annotations

import gc
import itertools
import sys
import types
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, registry, sessionmaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METADATA = MetaData()
TABLE = Table("row", METADATA, Column("id", Integer, primary_key=True))


class Row:
    """What programs write."""

    def __init__(self, key: int) -> None:
        self.id = key


registry().map_imperatively(Row, TABLE)


class UnforeseenError(Exception):
    """What a helper raises."""


@dataclass
class Result:
    """What one run did: the rows another connection sees, how it ended, how many connections it kept."""

    rows: list[int]
    raised: str
    returned: object
    kept: int = field(compare=False)


class World:
    """A database file, and a module `database.session` over it whose calls can be made to fail.

    :param folder: where the file goes.
    """

    def __init__(self, folder: Path) -> None:
        self.engine = create_engine(f"sqlite:///{folder / 'world.sqlite3'}", connect_args={"timeout": 0.01})
        event.listen(self.engine, "connect", lambda connection, _record: connection.execute("pragma synchronous=off"))
        METADATA.create_all(self.engine)
        self.reader = create_engine(f"sqlite:///{folder / 'world.sqlite3'}")
        self.opened: list[Session] = []
        self.calls = 0
        self.fail_at = 0
        self.made = sessionmaker(self.engine, class_=self._session_class())

    def _session_class(self) -> type[Session]:
        world = self

        class Watched(Session):
            def __init__(self, **options: object) -> None:
                super().__init__(**options)  # type: ignore[arg-type]
                world.opened.append(self)

            def _guarded(self, name: str, *arguments: object, **options: object) -> object:
                world.count(OperationalError(name, {}, Exception("injected")))
                return getattr(super(), name)(*arguments, **options)

        for method in ("add", "flush", "execute", "commit"):
            setattr(Watched, method, lambda self, *a, _name=method, **o: self._guarded(_name, *a, **o))
        return Watched

    def close(self) -> None:
        """Give everything back."""
        self.engine.dispose()
        self.reader.dispose()

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
        namespace: dict[str, object] = {"Row": Row, "work": self.work}
        with self._modules():
            exec(compile(text, "program.py", "exec"), namespace)  # noqa: S102
            try:
                returned, raised = namespace["program"](*flags), ""  # type: ignore[operator]
            except (UnforeseenError, OperationalError, ValueError) as error:
                returned, raised = None, f"{type(error).__name__}: {error}"
        result = Result(self._rows(), raised, returned, self.engine.pool.checkedout())  # type: ignore[attr-defined]
        self._clean()
        return result

    def _rows(self) -> list[int]:
        with self.reader.connect() as connection:
            return sorted(connection.scalars(select(TABLE.c.id)))

    def _clean(self) -> None:
        self.fail_at = 0
        for session in self.opened:
            Session.close(session)
        gc.collect(0)
        with self.engine.begin() as connection:
            connection.execute(TABLE.delete())

    @contextmanager
    def _modules(self) -> Iterator[None]:
        module = types.ModuleType("database.session")
        module.SessionLocal = self.made  # type: ignore[attr-defined]
        module.scoped_session = self._scoped_session  # type: ignore[attr-defined]
        before = {name: sys.modules.get(name) for name in ("database", "database.session")}
        sys.modules["database"] = types.ModuleType("database")
        sys.modules["database.session"] = module
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

    def differences(self, before: str, after: str) -> list[str]:
        """Every way of failing on which the two programs do not do the same."""
        found = []
        for flags in itertools.product((False, True), repeat=2):
            if not any(word in before.partition(":\n")[2] for word in ("c1", "c2")) and any(flags):
                continue  # nothing asks for them
            calls = max(self._total(before, flags), self._total(after, flags))
            for fail_at in range(calls + 1):
                old, new = self.run(before, fail_at, flags), self.run(after, fail_at, flags)
                if old != new or new.kept > old.kept:
                    found.append(f"flags {flags}, failure at call {fail_at}: {old} became {new}")
        return found

    def _total(self, text: str, flags: tuple[bool, ...]) -> int:
        self.run(text, 0, flags)
        return self.calls
