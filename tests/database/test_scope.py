"""``scoped_session()`` and ``SessionLocal``: commit on success, rollback on anything else, close always."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from database.session import DatabaseSession, SessionLocal, scoped_session
from tests.database.conftest import write

if TYPE_CHECKING:
    from pathlib import Path

    from tests.database.conftest import Store

EVERY_KIND = [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError]


def fail(*_: object) -> None:
    """What a session's method does on a bad day."""
    raise OSError("the line is dead")


def test_commits_and_closes(store: Store) -> None:
    """What the block wrote is there for others, and the connection is back."""
    with scoped_session() as session:
        write(session, "a")
        assert (store.rows(), store.out()) == ([], 1)
    assert (store.rows(), store.out()) == (["a"], 0)


def test_commits_on_every_normal_way_out(store: Store) -> None:
    """``return``, ``continue`` and ``break`` are success."""

    def leave() -> str:
        with scoped_session() as session:
            write(session, "return")
            return "left"

    for name in ("continue", "break"):
        with scoped_session() as session:
            write(session, name)
            if name == "continue":
                continue
            break
    assert (leave(), store.rows(), store.out()) == ("left", ["continue", "break", "return"], 0)


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_any_exception_rolls_back(store: Store, kind: type[BaseException]) -> None:
    """Nothing is saved, the connection is back, and the very exception comes out."""
    error = kind("stop")
    with pytest.raises(kind) as caught, scoped_session() as session:
        write(session, "a")
        raise error
    assert caught.value is error
    assert (store.rows(), store.out()) == ([], 0)


def test_a_failing_commit_rolls_back_and_surfaces(store: Store) -> None:
    """A constraint that the database checks at the commit."""
    table = "create table part (owner integer references item (id) deferrable initially deferred)"
    with scoped_session() as session:
        session.execute(text(table))
    with pytest.raises(IntegrityError), scoped_session() as session:
        write(session, "a")
        session.execute(text("insert into part values (99)"))
    assert (store.rows(), store.out()) == ([], 0)


@pytest.mark.parametrize("method", ["rollback", "close"])
def test_a_failing_end_masks_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """The block's own exception comes out; the other one is in the log."""
    error = ValueError("mine")
    with monkeypatch.context() as patch, pytest.raises(ValueError, match="mine") as caught, scoped_session() as session:
        write(session, "a")
        patch.setattr(DatabaseSession, method, fail)
        raise error
    logged = [(record.levelno, str(record.exc_info[1])) for record in caplog.records if record.exc_info]
    assert (caught.value is error, logged) == (True, [(logging.ERROR, "the line is dead")])
    session.close()
    assert (store.rows(), store.out()) == ([], 0)


def test_close_runs_after_a_failing_rollback(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is back although the rollback raised."""
    with pytest.raises(ValueError, match="mine"), scoped_session() as session:
        write(session, "a")
        monkeypatch.setattr(DatabaseSession, "rollback", fail)
        raise ValueError("mine")
    assert (store.rows(), store.out()) == ([], 0)


def test_an_error_in_the_closing_does_not_undo_success(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The work is committed, so the block has not failed."""
    with monkeypatch.context() as patch, scoped_session() as session:
        write(session, "a")
        patch.setattr(DatabaseSession, "close", fail)
    assert (store.rows(), caplog.messages) == (["a"], ["a session could not be closed"])
    session.close()


def test_a_scope_in_a_scope_is_another_transaction(store: Store) -> None:
    """The inner one is saved although the outer one fails."""
    with pytest.raises(ValueError, match="outer"), scoped_session() as outer:
        outer.execute(text("select name from item")).all()
        with scoped_session() as inner:
            write(inner, "inner")
        assert inner is not outer
        raise ValueError("outer")
    assert (store.rows(), store.out()) == (["inner"], 0)


def test_factory_opens_what_the_caller_closes(store: Store) -> None:
    """Nobody commits for the caller, and nobody closes."""
    session = SessionLocal()
    try:
        write(session, "a")
        assert store.out() == 1
    finally:
        session.close()
    assert (store.rows(), store.out()) == ([], 0)


def test_factory_begin_is_a_scope(store: Store) -> None:
    """``sessionmaker.begin()`` works on the engine that is made on demand."""
    with SessionLocal.begin() as session:
        write(session, "a")
    assert (store.rows(), store.out()) == (["a"], 0)


def test_factory_takes_another_engine(store: Store, tmp_path: Path) -> None:
    """What is given as ``bind`` is what the session works on."""
    other = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with SessionLocal(bind=other) as session:
        found = session.execute(text("select count(*) from sqlite_master")).scalar()
    other.dispose()
    assert (found, session.get_bind(), store.rows()) == (0, other, [])


def test_threads_share_one_engine(store: Store) -> None:
    """Also when all of them are the first."""
    barrier = threading.Barrier(8)

    def work(number: int) -> object:
        barrier.wait()
        with scoped_session() as session:
            write(session, str(number))
            return session.get_bind()

    with ThreadPoolExecutor(8) as executor:
        engines = set(executor.map(work, range(8)))
    assert (len(engines), sorted(store.rows()), store.out()) == (1, [str(number) for number in range(8)], 0)
