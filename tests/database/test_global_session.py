"""``get_session()`` and ``close_global_session()``: one session a process, until it is closed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session, registry

from database import SessionLocal, close_global_session, get_session, scoped_session
from database import session as module
from tests.database.conftest import item, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.database.conftest import Store

mapper = registry()


class Row:
    """What the table of the tests holds."""

    def __init__(self, name: str) -> None:
        self.name = name


mapper.map_imperatively(Row, item)


def test_every_call_gives_the_same_session(store: Store) -> None:
    """Until it is closed."""
    first = get_session()
    write(first, "a")
    get_session().commit()
    assert (get_session() is first, store.rows()) == (True, ["a"])


def test_closing_gives_the_connection_back_and_the_next_call_a_new_session(store: Store) -> None:
    """The new one works like the first."""
    first = get_session()
    write(first, "a")
    first.commit()
    close_global_session()
    assert (store.rows(), store.out()) == (["a"], 0)
    second = get_session()
    write(second, "b")
    second.commit()
    assert (second is first, store.rows()) == (False, ["a", "b"])


def test_closing_twice_and_closing_nothing_is_harmless(store: Store) -> None:
    """Only the first call has something to do, and something to say."""
    close_global_session()
    write(get_session(), "a")
    with pytest.warns(RuntimeWarning, match="not committed") as warned:
        close_global_session()
    close_global_session()
    assert (len(warned), store.rows(), store.out()) == (1, [], 0)
    assert warned[0].filename == __file__


def add(session: Session) -> None:
    """Leave a row to the unit of work."""
    session.add(Row(name="a"))


def flush(session: Session) -> None:
    """Leave a row in the transaction."""
    add(session)
    session.flush()


def change(session: Session) -> None:
    """Change a row that is there."""
    flush(session)
    session.commit()
    session.scalars(select(Row)).one().name = "b"


def say(session: Session) -> None:
    """Write without the unit of work."""
    session.execute(insert(Row).values(name="a"))


def after_a_commit(session: Session) -> None:
    """Write in the second transaction."""
    flush(session)
    session.commit()
    write(session, "b")


def release(session: Session) -> None:
    """Write in a savepoint that is released, and in one in it."""
    with session.begin_nested(), session.begin_nested():
        write(session, "a")


def before_a_savepoint(session: Session) -> None:
    """Write, and undo what came after."""
    write(session, "a")
    savepoint = session.begin_nested()
    write(session, "b")
    savepoint.rollback()


UNSAVED = [add, flush, change, say, after_a_commit, release, before_a_savepoint, lambda session: write(session, "a")]


@pytest.mark.parametrize("work", UNSAVED)
def test_what_is_not_committed_is_rolled_back_and_said(store: Store, work: Callable[[Session], None]) -> None:
    """Nothing commits in the user's place."""
    work(get_session())
    saved = store.rows()
    with pytest.warns(RuntimeWarning, match="closed with changes that were not committed"):
        close_global_session()
    assert (store.rows(), store.out()) == (saved, 0)


def read(session: Session) -> None:
    """Look at everything."""
    session.execute(text("select * from item")).all()


def undo(session: Session) -> None:
    """Think better of it."""
    flush(session)
    session.rollback()
    read(session)


def keep(session: Session) -> None:
    """Save, and look again."""
    flush(session)
    session.commit()
    read(session)


def nothing_there(session: Session) -> None:
    """Change what there is not."""
    session.execute(text("update item set name = 'b' where name = 'nobody'"))


def undo_a_savepoint(session: Session) -> None:
    """Try something, and one thing more in it that stays in it."""
    savepoint = session.begin_nested()
    with session.begin_nested():
        flush(session)
    savepoint.rollback()
    read(session)


def keep_a_savepoint(session: Session) -> None:
    """Save what was written in one."""
    release(session)
    session.commit()
    read(session)


def set_the_same(session: Session) -> None:
    """Give a row the name that it has."""
    keep(session)
    row = session.scalars(select(Row)).one()
    row.name = str(row.name)


@pytest.mark.parametrize(
    "work", [read, undo, keep, nothing_there, undo_a_savepoint, keep_a_savepoint, set_the_same, type]
)
def test_what_needs_no_commit_is_not_said(store: Store, work: Callable[[Session], None]) -> None:
    """Every warning is an error here."""
    work(get_session())
    close_global_session()
    assert store.out() == 0


def test_a_value_that_cannot_be_compared_masks_nothing(store: Store) -> None:
    """The session is closed all the same."""

    class Odd(str):
        __slots__ = ()

        def __eq__(self, _: object) -> bool:
            raise OverflowError

        __hash__ = None  # type: ignore[assignment]

    session = get_session()
    keep(session)
    row = session.scalars(select(Row)).one()
    assert row.name
    row.name = Odd("a")
    close_global_session()
    assert (get_session() is session, store.rows(), store.out()) == (False, ["a"], 0)


def test_a_warning_that_is_an_error_comes_after_the_closing(store: Store) -> None:
    """The connection is back, and the next session is a new one."""
    first = get_session()
    write(first, "a")
    with pytest.raises(RuntimeWarning):
        close_global_session()
    assert (store.out(), get_session() is first) == (0, False)


def test_a_failing_close_masks_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The session is forgotten all the same, and the error is in the log."""

    def fail(_: object) -> None:
        raise OSError("the line is dead")

    def work() -> None:
        session = get_session()
        try:
            write(session, "a")
            raise ValueError("mine")
        finally:
            close_global_session()

    first = get_session()
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="mine"):
        patch.setattr(module.DatabaseSession, "close", fail)
        work()
    told = ["a session could not be closed", "the global session was closed with changes that were not committed"]
    assert (get_session() is first, caplog.messages) == (False, told)
    first.close()
    assert (store.rows(), store.out()) == ([], 0)


def test_other_patterns_do_not_see_it(store: Store) -> None:
    """A scope and a session made by hand are never the global one."""
    session = get_session()
    write(session, "a")
    session.commit()
    with scoped_session() as scoped, SessionLocal() as manual:
        assert len({id(get_session()), id(scoped), id(manual)}) == 3
    assert (get_session() is session, store.rows()) == (True, ["a"])


# Threads


def in_another_thread(work: Callable[[], object]) -> object:
    """What a function gives or raises in a thread of its own."""
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as executor:
        future = executor.submit(work)
        return future.exception() or future.result()


def test_a_second_thread_is_told_what_to_use(store: Store) -> None:
    """It gets an error, and its `finally` does not close the first one's session."""

    def work() -> None:
        try:
            write(get_session(), "b")
        finally:
            close_global_session()

    session = get_session()
    write(session, "a")
    error = in_another_thread(work)
    assert str(error) == (
        "the global session belongs to the thread 'MainThread'; in 'worker_0' use `with scoped_session() as session:`"
    )
    assert (get_session() is session, store.out()) == (True, 1)
    session.commit()
    assert store.rows() == ["a"]


def test_threads_that_ask_at_the_same_time(store: Store) -> None:
    """One of them gets it, all others the error; and when it has closed, another one may have its own."""
    barrier = threading.Barrier(8)

    def work(_: int) -> bool:
        barrier.wait()
        try:
            get_session()
        except RuntimeError:
            return False
        finally:
            barrier.wait()
            close_global_session()
        return True

    with ThreadPoolExecutor(8) as executor:
        assert sorted(executor.map(work, range(8))) == [False] * 7 + [True]
    assert in_another_thread(get_session) is not None
    close_global_session()


def test_what_a_thread_left_open_when_it_ended(store: Store) -> None:
    """It is closed, with its warning, and the next thread has one of its own."""
    left = in_another_thread(lambda: write(get_session(), "a"))
    with pytest.warns(RuntimeWarning, match="not committed"):
        session = get_session()
    assert (left, store.rows(), store.out()) == (None, [], 0)
    write(session, "b")
    session.commit()
    assert store.rows() == ["b"]


def test_a_failed_getting_can_be_closed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the `finally` around it."""

    def fail(**_: object) -> None:
        raise OSError("no memory")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no memory"):
        patch.setattr(module, "SessionLocal", fail)
        try:
            get_session()
        finally:
            close_global_session()
    write(get_session(), "a")
    get_session().commit()
    assert store.rows() == ["a"]
