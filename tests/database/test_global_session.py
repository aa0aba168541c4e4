"""``get_session()`` and ``close_global_session()``: one session a process, until it is closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from database import SessionLocal, close_global_session, get_session, scoped_session
from database import session as module
from tests.database.conftest import write

if TYPE_CHECKING:
    from tests.database.conftest import Store


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
    write(first, "lost")
    close_global_session()
    assert (store.rows(), store.out()) == (["a"], 0)
    second = get_session()
    write(second, "b")
    second.commit()
    assert (second is first, store.rows()) == (False, ["a", "b"])


def test_closing_twice_and_closing_nothing_is_harmless(store: Store) -> None:
    """Only the first call has something to do."""
    close_global_session()
    write(get_session(), "a")
    close_global_session()
    close_global_session()
    assert (store.rows(), store.out()) == ([], 0)


def test_what_is_not_committed_is_rolled_back(store: Store) -> None:
    """Nothing commits in the user's place."""
    write(get_session(), "a")
    close_global_session()
    assert store.rows() == []


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
    assert (get_session() is first, caplog.messages) == (False, ["a session could not be closed"])
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
