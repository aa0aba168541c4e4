"""Where the database's settings come from, what a connection begins with, and that no password is ever shown."""

from __future__ import annotations

import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from database import session as module
from database.session import configure, get_engine, scoped_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "s3cret"  # noqa: S105 - what must not be shown


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process that has used no database yet."""
    process = module._Process()
    monkeypatch.setattr(module, "_process", process)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield
    if process.engine is not None:
        process.engine.dispose()


def pool() -> QueuePool:
    """The pool of the process's engine."""
    found = get_engine().pool
    assert isinstance(found, QueuePool)
    return found


def test_the_pool_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four whole numbers; connections are tested before they are lent."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'a.db'}")
    for name, value in {"POOL_SIZE": 7, "MAX_OVERFLOW": -1, "POOL_TIMEOUT": 3, "POOL_RECYCLE": 60}.items():
        monkeypatch.setenv(f"DATABASE_{name}", str(value))
    assert (pool().size(), pool()._max_overflow, pool().timeout(), pool()._recycle) == (7, -1, 3, 60)
    assert pool()._pre_ping


def test_arguments_stand_above_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Both of the URL and of the pool."""
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "7")
    configure(f"sqlite:///{tmp_path / 'b.db'}", pool_size=2)
    assert (get_engine().url.database, pool().size()) == (str(tmp_path / "b.db"), 2)


def test_it_is_too_late_when_the_database_is_in_use(tmp_path: Path) -> None:
    """Nothing changes then."""
    configure(f"sqlite:///{tmp_path / 'b.db'}")
    engine = get_engine()
    with pytest.raises(RuntimeError, match=r"in use already: call configure\(\) before"):
        configure("sqlite:///other.db")
    assert get_engine() is engine


@pytest.mark.parametrize("value", ["many", "5.5", "", " "])
def test_a_size_that_is_no_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    """The variable is named; an empty one is as good as none."""
    configure(f"sqlite:///{tmp_path / 'b.db'}")
    monkeypatch.setenv("DATABASE_POOL_SIZE", value)
    if not value:
        assert pool().size() == 5
        return
    with pytest.raises(ValueError, match=f"DATABASE_POOL_SIZE: {value!r} is no whole number"):
        get_engine()


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, also where a traceback leaves that out."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        yield from chain(error.__context__)


def test_an_error_of_the_url_keeps_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy's own shows the URL, in its older versions."""
    monkeypatch.setenv("DATABASE_URL", f"nonsense {SECRET}")
    with pytest.raises(ValueError, match="DATABASE_URL") as caught:
        get_engine()
    assert list(chain(caught.value)) == [caught.value]


@pytest.mark.parametrize(
    "url",
    [
        f"nonsense {SECRET}",
        f"postgresql//user:{SECRET}@host/name",
        f"postgresql+psycopg://user:12/{SECRET}@host:5432/name",
        f"postgresql+psycopg://user:{SECRET}@host:port/name",
        f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/name",
        f"postgresql+psycopg://user@127.0.0.1:1/name?password={SECRET}",
        f"nowhere://user:{SECRET}@host/name",
    ],
)
@pytest.mark.parametrize("by_argument", [False, True])
def test_a_password_is_never_shown(
    url: str, by_argument: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in an error with its whole traceback, nor in a hidden one, nor in a log, nor in what objects say."""
    caplog.set_level("DEBUG")
    if by_argument:
        configure(url)
    else:
        monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises((ValueError, SQLAlchemyError)) as caught, scoped_session() as session:
        session.execute(text("select 1"))
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(module._process)
    assert SECRET not in shown + "".join(f"{error!r} {error.args}" for error in chain(caught.value))
    if isinstance(caught.value, ValueError):
        assert str(caught.value).startswith("configure()" if by_argument else "DATABASE_URL")


def test_what_a_connection_to_sqlite_begins_with(tmp_path: Path) -> None:
    """Foreign keys count, a lock is waited for, a reader does not keep a writer out."""
    configure(f"sqlite:///{tmp_path / 'b.db'}")
    with scoped_session() as session:
        asked = ("foreign_keys", "busy_timeout", "journal_mode")
        assert [session.execute(text(f"pragma {name}")).scalar() for name in asked] == [1, 5000, "wal"]


def test_a_connection_to_sqlite_is_closed_by_whatever_thread() -> None:
    """The global session of a thread that has ended must not keep the database locked."""
    configure("sqlite://")
    with ThreadPoolExecutor(1) as executor:
        connection = executor.submit(get_engine().connect).result()
    with connection:
        assert connection.execute(text("select 1")).scalar() == 1


def test_a_database_that_can_only_be_read(tmp_path: Path) -> None:
    """It can be read."""
    path = tmp_path / "b.db"
    maker = create_engine(f"sqlite:///{path}")
    with maker.begin() as connection:
        connection.execute(text("create table t (x int)"))
    maker.dispose()
    configure(f"sqlite:///file:{path}?mode=ro&uri=true")
    with scoped_session() as session:
        assert session.execute(text("select count(*) from t")).scalar() == 0
