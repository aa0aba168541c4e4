"""What the guard reports, and what it leaves in peace, of programs that this test runs itself."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Column, Integer, String, create_engine, insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, registry, scoped_session, sessionmaker
from sqlalchemy.pool import QueuePool

from session_lint.guard import Report, install, installed, uninstall, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

ROOT = Path(__file__).parents[2]
ONE = text("select 1")
mapper = registry()


@mapper.mapped
class Item:
    """A row."""

    __tablename__ = "item"
    id = Column(Integer, primary_key=True)
    name = Column(String, unique=True)

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[assignment]


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{tmp_path / 'guard.db'}", poolclass=QueuePool)
    mapper.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(name="reports")
def _reports() -> Iterator[list[Report]]:
    """What the guard reports while the test runs."""
    found: list[Report] = []
    install(found.append, idle=0)
    yield found
    uninstall()


def codes(reports: list[Report]) -> list[str]:
    """The codes, once what nobody holds is collected."""
    gc.collect()
    return [report.code for report in reports]


# what is left open


def test_where_it_was_opened(engine: Engine, reports: list[Report]) -> None:
    """The stack ends at the line that asked for the session."""

    def leak() -> None:
        Session(engine).execute(ONE)

    leak()
    assert codes(reports) == ["SES101"]
    report = reports[0]
    assert report.place is not None
    assert (report.place.filename, report.place.function) == (__file__, "leak")
    assert "Session(engine).execute(ONE)" in str(report)
    assert "in test_where_it_was_opened" in str(report)
    assert "pluggy" not in str(report)


@pytest.mark.parametrize(
    "work",
    [
        type,
        lambda session: (session.execute(ONE), session.close()),
        lambda session: (session.add(Item(name="a")), session.commit(), session.close()),
        lambda session: session.__exit__(None, None, None),
    ],
    ids=["unused", "closed", "committed", "left"],
)
def test_what_was_closed_or_never_used(
    engine: Engine, reports: list[Report], work: Callable[[Session], object]
) -> None:
    """Nothing to say."""
    work(Session(engine))
    assert codes(reports) == []


def test_after_an_error_of_the_database(engine: Engine, reports: list[Report]) -> None:
    """Whoever caught it."""

    def leak() -> None:
        session = Session(engine)
        session.execute(text("select nothing"))
        session.close()

    with pytest.raises(Exception, match="nothing") as caught:
        leak()
    del caught
    assert codes(reports) == ["SES102"]


def test_a_class_of_sessions_of_ones_own(engine: Engine, reports: list[Report]) -> None:
    """The line that asked for one is told, not the class."""

    class Own(Session):
        def __init__(self, bind: Engine) -> None:
            super().__init__(bind, expire_on_commit=False)

        def ask(self) -> object:
            return self.execute(ONE)

    def leak() -> None:
        Own(engine).ask()

    leak()
    assert codes(reports) == ["SES101"]
    assert reports[0].place is not None
    assert reports[0].place.function == "leak"


def test_a_block_that_is_watched(engine: Engine) -> None:
    """What it opened itself is reported at its end, although somebody still holds it; and any exception is known."""
    found: list[Report] = []
    kept: list[Session] = []

    def work() -> None:
        kept.append(Session(engine))
        kept[-1].execute(ONE)
        raise ValueError

    with watching(found.append):
        pass
    assert installed() is None
    with pytest.raises(ValueError, match=r"^$"), watching(found.append):
        work()
    assert codes(found) == ["SES102"]
    kept[0].close()


def test_a_connection_by_hand(engine: Engine) -> None:
    """It has no code, because no rule is about it."""
    found: list[Report] = []
    with watching(found.append):
        connection = engine.connect()
        connection.execute(ONE)
    assert [(report.code, report.open) for report in found] == [("", True)]
    assert "a connection was not given back" in str(found[0])
    connection.close()
    with watching(found.append), engine.connect() as other:
        other.execute(ONE)
    assert len(found) == 1


def test_a_connection_that_nobody_holds(engine: Engine) -> None:
    """Seen when it is collected."""
    found: list[Report] = []
    with watching(found.append):
        engine.connect().execute(ONE)
        gc.collect()
    assert [report.message for report in found] == ["a connection was not given back"]


def test_what_another_thread_is_at_work_with(engine: Engine, reports: list[Report]) -> None:
    """Is not this block's."""
    opened, done = threading.Event(), threading.Event()

    def work() -> None:
        with Session(engine) as session:
            session.execute(ONE)
            opened.set()
            done.wait(10)

    thread = threading.Thread(target=work)
    with watching():
        thread.start()
        opened.wait(10)
    assert codes(reports) == []
    done.set()
    thread.join()


def test_an_asynchronous_session(reports: list[Report]) -> None:
    """The task's own lines are shown, through SQLAlchemy's greenlets."""

    async def leak() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        session = AsyncSession(engine)
        await session.execute(ONE)
        with watching():
            await session.execute(ONE)
        guard = installed()
        assert guard is not None
        guard.leftovers()
        await session.close()
        await engine.dispose()

    asyncio.run(leak())
    assert codes(reports) == ["SES101"]
    assert "in leak" in str(reports[0])


# scopes


@contextmanager
def committing(engine: Engine) -> Iterator[Session]:
    """A scope of the project."""
    session = opened(engine)
    try:
        yield session
        session.commit()
    finally:
        session.close()


@contextmanager
def lending(engine: Engine) -> Iterator[Session]:
    """One that leaves the commit to its block."""
    session = opened(engine)
    try:
        yield session
    finally:
        session.close()


def opened(engine: Engine) -> Session:
    """A factory that the scopes use."""
    return sessionmaker(engine)()


class Unit:
    """A scope that is a class."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __enter__(self) -> Session:
        self.session = Session(self.engine)
        return self.session

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self.session.commit()
        self.session.close()


COMMITTING = {
    "own": committing,
    "class": Unit,
    "begin": lambda engine: sessionmaker(engine).begin(),
}
LENDING = {"own": lending, "session": Session}


@pytest.mark.parametrize("scope", COMMITTING.values(), ids=COMMITTING)
@pytest.mark.parametrize(("call", "code"), [("commit", "SES301"), ("rollback", "SES302"), ("close", "SES302")])
def test_what_a_committing_scope_does_itself(
    engine: Engine, reports: list[Report], scope: Callable[[Engine], Any], call: str, code: str
) -> None:
    """Done in its block it is reported, with the line that did it."""
    with scope(engine) as session:
        session.execute(ONE)
    assert codes(reports) == []
    with scope(engine) as session:
        session.execute(ONE)
        getattr(session, call)()
    assert codes(reports) == [code]
    assert reports[0].happened is not None
    assert reports[0].happened.program[0].function == "test_what_a_committing_scope_does_itself"


@pytest.mark.parametrize("scope", LENDING.values(), ids=LENDING)
def test_what_a_lending_scope_leaves_to_its_block(
    engine: Engine, reports: list[Report], scope: Callable[[Engine], Any]
) -> None:
    """It is the block's to commit."""
    with scope(engine) as session:
        session.add(Item(name="a"))
        session.commit()
        session.rollback()
    assert codes(reports) == []


def test_an_asynchronous_scope(reports: list[Report]) -> None:
    """The same."""

    async def work() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        factory = async_sessionmaker(engine)
        async with factory.begin() as session:
            await session.execute(ONE)
        assert codes(reports) == []
        async with factory.begin() as session:
            await session.execute(ONE)
            await session.commit()
        await engine.dispose()

    asyncio.run(work())
    assert codes(reports) == ["SES301"]


@asynccontextmanager
async def lent(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """A scope of the project, whose session SQLAlchemy closes, in a task of its own."""
    async with AsyncSession(engine) as session:
        yield session
        await session.commit()


async def mended(engine: AsyncEngine) -> None:
    """The block leaves all of it to the scope."""
    async with lent(engine) as session:
        await session.execute(ONE)


async def committed(engine: AsyncEngine) -> None:
    """It commits."""
    async with lent(engine) as session:
        await session.execute(ONE)
        await session.commit()


async def closed(engine: AsyncEngine) -> None:
    """It closes."""
    async with lent(engine) as session:
        await session.execute(ONE)
        await session.close()


async def used_afterwards(engine: AsyncEngine) -> None:
    """It keeps the session."""
    async with lent(engine) as session:
        await session.execute(ONE)
    await session.execute(ONE)
    await session.close()


@pytest.mark.parametrize(
    ("work", "expected"),
    [(mended, []), (committed, ["SES301"]), (closed, ["SES302"]), (used_afterwards, ["SES303"])],
)
@pytest.mark.parametrize("in_a_task", [False, True])
def test_an_asynchronous_scope_of_the_project(
    reports: list[Report],
    work: Callable[[AsyncEngine], Coroutine[Any, Any, None]],
    expected: list[str],
    in_a_task: bool,
) -> None:
    """What SQLAlchemy does at its end is the scope's own doing, and not the block's."""

    async def run() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        await (asyncio.create_task(work(engine)) if in_a_task else work(engine))
        await engine.dispose()

    asyncio.run(run())
    assert codes(reports) == expected


def test_a_function_in_a_scope_has_a_session_of_its_own(engine: Engine, reports: list[Report]) -> None:
    """The scope it runs in is another's."""

    def prepare() -> None:
        with Session(engine) as session:
            session.add(Item(name="a"))
            session.commit()

    @contextmanager
    def application() -> Iterator[None]:
        prepare()
        yield
        [].clear()

    with application():
        pass
    assert codes(reports) == []


def test_a_savepoint_is_not_the_scope(engine: Engine, reports: list[Report]) -> None:
    """What fails in it is answered."""
    with committing(engine) as session:
        session.execute(text("insert into item (name) values ('a')"))
        for name in ("a", "b"):
            with suppress(IntegrityError), session.begin_nested():
                session.add(Item(name=name))
    assert codes(reports) == []


# what is lost


def test_what_was_written_and_not_committed(engine: Engine, reports: list[Report]) -> None:
    """Flushed or not, added or changed; an object that is merely looked at is not written."""

    def rename(session: Session, item: Item) -> None:
        item.name = "c"  # type: ignore[assignment]
        session.add(item)

    with sessionmaker(engine).begin() as session:
        session.add(Item("a"))
    with Session(engine) as session:
        item = session.query(Item).one()
        session.add(item)
        session.merge(item)
    assert codes(reports) == []
    for write in (
        lambda session, _: session.add(Item("b")),
        lambda session, _: (session.add(Item("b")), session.flush()),
        rename,
        lambda session, item: session.delete(item),
        lambda session, _: session.execute(insert(Item).values(name="b")),
    ):
        with Session(engine) as session:
            write(session, session.query(Item).one())
        assert codes(reports).pop() == "SES702"
    assert len(reports) == 5


def released(session: Session) -> None:
    """Write in a savepoint."""
    with session.begin_nested():
        session.add(Item("a"))


def before_a_savepoint(session: Session) -> None:
    """Write, then undo what came after."""
    session.add(Item("a"))
    savepoint = session.begin_nested()
    session.add(Item("b"))
    session.flush()
    savepoint.rollback()


def undone(session: Session) -> None:
    """Undo the savepoint, with one in it that was released."""
    savepoint = session.begin_nested()
    released(session)
    savepoint.rollback()
    session.execute(ONE)


def tried(session: Session) -> None:
    """Have a savepoint undone by what is raised in it."""
    with suppress(ValueError), session.begin_nested():
        session.add(Item("a"))
        session.flush()
        raise ValueError
    session.execute(ONE)


def transaction_undone(session: Session) -> None:
    """Undo the transaction by its own method."""
    with suppress(ValueError), session.begin():
        session.add(Item("a"))
        session.flush()
        raise ValueError
    session.execute(ONE)


def saved(session: Session) -> None:
    """Commit what was written in a savepoint."""
    released(session)
    session.commit()
    session.execute(ONE)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (released, ["SES702"]),
        (before_a_savepoint, ["SES702"]),
        (undone, []),
        (tried, []),
        (transaction_undone, []),
        (saved, []),
    ],
)
def test_what_was_written_in_a_savepoint(
    engine: Engine, reports: list[Report], work: Callable[[Session], None], expected: list[str]
) -> None:
    """A savepoint commits nothing, and takes back only what was written in it."""
    with Session(engine) as session:
        work(session)
    assert codes(reports) == expected


def test_what_was_thrown_away_on_purpose(engine: Engine, reports: list[Report]) -> None:
    """By a rollback, by an exception, or in a transaction that is somebody else's."""
    with Session(engine) as session:
        session.add(Item("a"))
        session.flush()
        session.rollback()
    with suppress(ValueError), Session(engine) as session:
        session.add(Item("a"))
        raise ValueError
    with engine.connect() as connection, connection.begin() as transaction:
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            session.add(Item("a"))
            session.flush()
        transaction.rollback()
    assert codes(reports) == []


def test_a_scope_whose_session_is_used_afterwards(engine: Engine, reports: list[Report]) -> None:
    """Once for the use, and once for what is open then."""
    with committing(engine) as session:
        session.execute(ONE)
    session.execute(ONE)
    assert [(report.code, report.open) for report in reports] == [("SES303", False)]
    del session
    assert codes(reports) == ["SES303", "SES303"]
    assert (reports[1].open, "left open" in str(reports[1])) == (True, True)


def test_what_nobody_wants_to_hear(engine: Engine) -> None:
    """A young rule, and what is named."""

    def nested(**words: Any) -> list[str]:
        found: list[Report] = []
        install(found.append, **words)
        with Session(engine) as session:
            session.execute(ONE)
            with committing(engine) as inner:
                inner.execute(ONE)
                inner.commit()
        uninstall()
        return [report.code for report in found]

    assert nested() == ["SES301"]
    assert nested(ignore=()) == ["SES305", "SES301"]
    assert nested(ignore={"SES301", "SES305"}) == []


# threads, tasks, time


def test_what_another_task_is_at_work_with(reports: list[Report]) -> None:
    """Is not this block's; what a task has left that is over, is."""

    async def work() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        opened, done = asyncio.Event(), asyncio.Event()

        async def other() -> None:
            async with AsyncSession(engine) as session:
                await session.execute(ONE)
                opened.set()
                await done.wait()

        with watching():
            task = asyncio.create_task(other())
            await opened.wait()
        assert codes(reports) == []
        done.set()
        await task
        await engine.dispose()

    asyncio.run(work())
    assert codes(reports) == []


def test_a_call_that_was_cancelled(reports: list[Report]) -> None:
    """It is nobody's work any more."""

    async def work() -> None:
        engine = create_async_engine("sqlite+aiosqlite://")
        async with AsyncSession(engine) as session:
            await session.execute(ONE)
            task = asyncio.create_task(session.execute(ONE))
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await session.rollback()
            await session.execute(ONE)
        await engine.dispose()

    asyncio.run(work())
    assert codes(reports) == []


def test_one_thread_after_the_other(engine: Engine, reports: list[Report]) -> None:
    """A session may be handed on."""
    with Session(engine.execution_options()) as session:
        session.execute(ONE)
        thread = threading.Thread(target=session.rollback)
        thread.start()
        thread.join()
        session.execute(ONE)
    assert codes(reports) == []


def test_a_registry_that_is_removed(engine: Engine, reports: list[Report]) -> None:
    """And one that is not."""
    sessions = scoped_session(sessionmaker(engine))

    def work(*, remove: bool) -> None:
        sessions.execute(ONE)
        if remove:
            sessions.remove()

    for remove in (True, False):
        thread = threading.Thread(target=partial(work, remove=remove))
        thread.start()
        thread.join()
        assert codes(reports) == ([] if remove else ["SES704"])


def test_a_transaction_that_waits(engine: Engine) -> None:
    """Seen while it waits, once."""
    found: list[Report] = []
    install(found.append, idle=0.05)
    with Session(engine) as session:
        session.execute(ONE)
        time.sleep(0.3)
        assert [report.code for report in found] == ["SES703"]
        session.commit()
        time.sleep(0.2)
    uninstall()
    assert "0.05 seconds" in found[0].message
    assert len(found) == 1


def test_a_blocking_session_in_a_loop(engine: Engine, reports: list[Report]) -> None:
    """But not in a thread beside it."""

    def read() -> None:
        with Session(engine) as session:
            session.execute(ONE)

    async def beside() -> None:
        await asyncio.to_thread(read)

    async def inside() -> None:
        read()

    asyncio.run(beside())
    assert codes(reports) == []
    asyncio.run(inside())
    assert codes(reports) == ["SES802"]


# the guard and its host


def test_each_mistake_is_logged_once_for_each_place(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """As a warning."""
    install()
    with caplog.at_level(logging.WARNING, "session_lint.guard"):
        for _ in range(3):
            Session(engine).execute(ONE)
            gc.collect()
        Session(engine).execute(ONE)
        gc.collect()
    uninstall()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert all("SES101" in record.getMessage() for record in caplog.records)


def test_the_last_one_holds(engine: Engine, reports: list[Report]) -> None:
    """But one who asks for nothing in particular takes nothing away."""
    install()
    Session(engine).execute(ONE)
    assert codes(reports) == ["SES101"]
    others: list[Report] = []
    install(others.append)
    Session(engine).execute(ONE)
    assert (codes(reports), codes(others)) == (["SES101"], ["SES101"])


def test_uninstalled_nothing_is_left(engine: Engine) -> None:
    """Neither a method nor a hook nor a listener."""
    before = {**vars(Session)}, sys.excepthook, threading.excepthook
    install()
    assert vars(Session)["commit"] is not before[0]["commit"]
    uninstall()
    assert ({**vars(Session)}, sys.excepthook, threading.excepthook) == before
    uninstall()
    with Session(engine) as session:
        session.execute(ONE)


def test_uninstalled_it_says_nothing(engine: Engine) -> None:
    """Also of what was open before."""
    found: list[Report] = []
    install(found.append)
    session = Session(engine)
    session.execute(ONE)
    uninstall()
    del session
    assert codes(found) == []


def test_a_session_that_was_there_before(engine: Engine) -> None:
    """Nothing is known of it."""
    found: list[Report] = []
    session = Session(engine)
    with watching(found.append):
        session.execute(ONE)
        session.commit()
    session.close()
    assert found == []


def test_an_error_of_the_reports_receiver_is_not_the_programs(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the work is done."""

    def fail(report: Report) -> None:
        raise ValueError(report.code)

    install(fail, idle=0)
    with caplog.at_level(logging.ERROR, "session_lint.guard"), sessionmaker(engine).begin() as session:
        session.add(Item(name="a"))
        session.commit()
    uninstall()
    assert "the guard failed" in caplog.text
    with Session(engine) as session:
        assert session.query(Item).count() == 1


# processes

PROGRAM = """
import sys, atexit, multiprocessing, threading
sys.path.insert(0, {root!r})
import database
from database import SessionLocal, close_global_session, get_session, scoped_session
from sqlalchemy import text

def work():
    get_session().execute(text("select 1"))

def manual():
    session = SessionLocal()
    session.execute(text("select 1"))
    int("x")
    session.close()

if __name__ == "__main__":
    {body}
"""

ENDS = {
    "closed": ("work(); close_global_session()", []),
    "its own atexit": ("atexit.register(close_global_session); work()", []),
    "only the net": ("work()", ["SES201"]),
    "an error": ("global session; session = SessionLocal(); session.execute(text('select 1')); int('x')", ["SES102"]),
    "an error in a function": ("manual()", ["SES102"]),
    "an error in a thread": ("t = threading.Thread(target=manual); t.start(); t.join()", ["SES102"]),
    "forked": ("p = multiprocessing.get_context('fork').Process(target=work); p.start(); p.join()", ["SES201"]),
    "spawned": ("p = multiprocessing.get_context('spawn').Process(target=work); p.start(); p.join()", ["SES201"]),
}


@pytest.mark.parametrize(("body", "expected"), ENDS.values(), ids=ENDS)
def test_a_process_ends(tmp_path: Path, body: str, expected: list[str]) -> None:
    """With ``SESSION_GUARD``, which says on the standard error stream what was left open, once."""
    body = textwrap.dedent(body).replace("global session; ", "")
    (tmp_path / "program.py").write_text(PROGRAM.format(root=str(ROOT), body=body), "utf-8")
    environment = {"SESSION_GUARD": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    told = [line.split(": ")[1].split()[0] for line in done.stderr.splitlines() if ": SES" in line]
    assert told == expected, done.stderr


def test_without_it_nothing_is_watched(tmp_path: Path) -> None:
    """Nor is the guard imported."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import database; print('session_lint' in sys.modules)"
    for value, expected in (("", "False"), ("0", "False"), ("1", "True")):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={"SESSION_GUARD": value, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected
