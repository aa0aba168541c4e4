"""Running a program over one session on SQLite, with every failure in turn, and what that shows."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, Table, create_engine, event, func, select
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, registry, sessionmaker

from tests.oracle.schedule import Schedule, schedules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oracle.deeds import Program

RUNS = 400
METADATA = MetaData()
TABLE = Table("deed", METADATA, Column("id", Integer, primary_key=True))
FOLDER = TemporaryDirectory()  # of the process; each has a database of its own
ENGINE = create_engine(f"sqlite:///{FOLDER.name}/deeds.sqlite3", connect_args={"timeout": 0.01})
event.listen(ENGINE, "connect", lambda connection, _record: connection.execute("pragma synchronous=off"))
METADATA.create_all(ENGINE)


class Row:
    """What programs write."""


registry().map_imperatively(Row, TABLE)


class Run:
    """What happens to the first session of one run.

    :param schedule: decides what fails.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.shown: set[str] = set()
        self.session: Watched | None = None
        self.by_scope = False  # a scope has opened it
        self.in_scope = False  # and its block goes on
        self.waits = False  # an operation has failed, and nobody has rolled back since
        self.asked = False  # a query has, and nobody has ended the transaction since
        self.closed = False
        self.by_block = False  # a block has closed it, at some time
        self.reopened = False  # it was used after it was closed, and not closed again
        self.written = 0

    def use(self) -> None:
        """The session is asked for something."""
        if self.waits or self.asked:
            self.shown.add("SES701")
        self.reopened |= self.closed
        self.closed = False

    def fail(self, *, waits: bool, asked: bool = False) -> None:
        """Fail, where the schedule says so; what writes leaves a session that waits for a rollback.

        What asks leaves a transaction that refuses all that follows, as PostgreSQL's does.
        """
        if self.schedule.fault((OperationalError,)):
            self.waits |= waits
            self.asked |= asked
            raise OperationalError("deed", {}, Exception("injected"))

    @property
    def is_open(self) -> bool:
        """Whether a second session would lie inside of the first one's life."""
        if self.in_scope:
            return not self.closed
        return self.session is not None and self.session.in_transaction() and not self.by_scope


class Watched(Session):
    """A session of a program; each statement fails in some run, and each commit of the first session."""

    run: Run | None = None
    second: Run | None = None

    def execute(self, statement: Any, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401, D102
        writes = getattr(statement, "is_insert", False)
        if self.run is not None:
            self.run.use()
            self.run.fail(waits=writes, asked=not writes)
            self.run.written += writes
        elif self.second is not None:
            self.second.fail(waits=False)
        return super().execute(statement, *arguments, **named)

    def commit(self) -> None:  # noqa: D102
        run = self.run
        if run is not None:
            if run.waits:
                run.shown.add("SES701")
            run.waits = run.asked = False
            run.fail(waits=True)
        super().commit()

    def rollback(self) -> None:  # noqa: D102
        if self.run is not None:
            if sys.exc_info()[0] is None:  # one fault at a time
                self.run.fail(waits=False)
            self.run.waits = self.run.asked = False
        super().rollback()

    def close(self) -> None:  # noqa: D102
        if self.run is not None:
            self.run.waits = self.run.asked = self.run.reopened = False
            self.run.closed = True
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        super().__exit__(kind, value, traceback)
        if self.run is not None:
            self.run.by_block = True


class World:
    """One program, and what its runs show."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.code = compile(program.text, "deed.py", "exec")

    def shown(self) -> set[str]:
        """The codes of the faults that some run shows."""
        found: set[str] = set()
        lost = False
        for schedule in schedules(RUNS):
            run = self._go(schedule)
            found |= run.shown
            lost |= "lost" in run.shown
        if lost and not self.program.commits and "left open" not in found:
            found.add("SES702")
        if self.program.is_one_statement:
            found.discard("SES304")  # nothing else can be lost
        if "SES304" in found:  # which speaks of the same clause
            found.discard("SES701")
        return {code for code in found if code.startswith("SES")}

    def _go(self, schedule: Schedule) -> Run:
        run = Run(schedule)
        with ENGINE.begin() as connection:
            connection.execute(TABLE.delete())
        namespace: dict[str, Any] = {}
        with _modules(run):
            exec(self.code, namespace)  # noqa: S102  (it is made here)
            try:
                namespace["program"](bool(schedule.choose(2)) if self.program.asks else False)
                self._ended(run)
            except SQLAlchemyError:
                pass
        assert run.session is not None
        Session.close(run.session)
        return run

    def _ended(self, run: Run) -> None:
        """What holds where a run has ended, and nothing was raised."""
        if run.reopened:
            run.shown.add("SES303" if run.by_block else "SES103")
        if not run.closed:
            run.shown.add("left open")
        if not run.schedule.faults and run.written and run.closed:
            with Session(ENGINE) as reader:
                rows = reader.scalar(select(func.count()).select_from(TABLE))
            if rows != run.written:
                run.shown.add("lost")


@contextmanager
def _modules(run: Run) -> Iterator[None]:
    """The modules that a program imports, over the one engine."""
    maker = sessionmaker(ENGINE, class_=Watched)

    def open_session() -> Watched:
        session = maker()
        if run.session is None:
            run.session = session
            session.run = run
        else:
            session.second = run
        return session

    @contextmanager
    def scoped_session() -> Iterator[Session]:
        if run.session is not None and run.is_open:
            run.shown.add("SES305")
        session = open_session()
        first = session is run.session
        run.in_scope |= first
        run.by_scope |= first
        try:
            yield session
            if first and run.waits:
                run.shown.add("SES304")
            session.run = None  # from here on it is the scope that works with it
            session.commit()
        except BaseException:
            session.run = None
            session.rollback()
            raise
        finally:
            session.close()
            if first:
                run.in_scope, run.by_block, run.closed = False, True, True
                run.waits = run.asked = run.reopened = False
                session.run = run

    app, database = ModuleType("app"), ModuleType("database.session")
    app.__dict__.update(Row=Row, q=select(TABLE.c.id))
    database.__dict__.update(SessionLocal=open_session, scoped_session=scoped_session)
    known = {"app": app, "database": ModuleType("database"), "database.session": database}
    before = {name: sys.modules.get(name) for name in known}
    sys.modules.update(known)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
