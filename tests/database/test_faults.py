"""What each pattern saves, raises and keeps out when something fails: the guide's table, row by row."""

from __future__ import annotations

import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from flask import Flask, g
from sqlalchemy import insert, text
from sqlalchemy.exc import SQLAlchemyError

from database.flask import init_app
from database.session import DatabaseSession, close_global_session, get_engine, get_session, scoped_session
from tests.database.conftest import item, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from tests.database.conftest import Store

GUIDE = Path(__file__).parents[2] / "docs" / "session-management.md"
ROW = re.compile(
    r"^\| (?P<fault>[^|]+) \| (?P<rows>all|nothing) \| (?P<error>[^|]+) \| (?P<logged>[^|]+) \|$", re.MULTILINE
)


def table() -> list[tuple[str, str, str, str]]:
    """The rows of the guide's table: what fails, what is saved, what comes out, what is logged."""
    _, _, section = GUIDE.read_text("utf-8").partition("## When something fails\n")
    return [
        (row["fault"].strip(), row["rows"], row["error"].strip(" `"), row["logged"].strip())
        for row in ROW.finditer(section)
    ]


# The three patterns


def in_a_scope(act: Callable[[Session], None]) -> None:
    """A script's block, which commits by itself."""
    with scoped_session() as session:
        act(session)


def in_the_global_session(act: Callable[[Session], None]) -> None:
    """A long-running process."""
    session = get_session()
    try:
        act(session)
        session.commit()
    finally:
        close_global_session()


def in_a_request(act: Callable[[Session], None]) -> None:
    """A view of Flask's."""
    app = Flask(__name__)
    app.testing = True
    init_app(app)

    @app.post("/")
    def view() -> str:
        act(g.db)
        g.db.commit()
        return "done"

    app.test_client().post("/")


# The faults: each writes a row, and then fails in its place.


@contextmanager
def dead_line(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The driver cannot roll back any more."""
    engine = get_engine()
    driver = engine.dialect.loaded_dbapi

    def fail(_: object) -> None:
        raise driver.OperationalError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(engine.dialect, "do_rollback", fail)
        yield


@contextmanager
def late_close(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The closing has done its work when it fails."""

    def fail(session: DatabaseSession) -> None:
        super(DatabaseSession, session).close()
        raise OSError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(DatabaseSession, "close", fail)
        yield


def act(fault: str, session: Session) -> None:
    """Write a row, and do what fails."""
    write(session, "a")
    if fault == "the flush":
        session.execute(insert(item).values(id=1))
        session.execute(insert(item).values(id=1))
    elif fault == "the commit":
        session.execute(text("insert into part values (99)"))
    elif fault in {"the block", "the rollback"}:
        raise ValueError("mine")
    elif fault in {"KeyboardInterrupt", "SystemExit", "GeneratorExit"}:
        raise {"KeyboardInterrupt": KeyboardInterrupt, "SystemExit": SystemExit, "GeneratorExit": GeneratorExit}[fault]


def test_the_table_has_all_faults() -> None:
    """One row each."""
    interrupts = ["KeyboardInterrupt", "SystemExit", "GeneratorExit"]
    faults = ["nothing", "the block", "the flush", "the commit", "the rollback", "the closing", *interrupts]
    assert [fault.strip("`") for fault, *_ in table()] == faults


@pytest.mark.parametrize("pattern", [in_a_scope, in_the_global_session, in_a_request])
@pytest.mark.parametrize(("fault", "rows", "error", "logged"), table())
def test_fault(
    pattern: Callable[[Callable[[Session], None]], None],
    fault: str,
    rows: str,
    error: str,
    logged: str,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is as the table says, with every pattern on every database, and the next one works."""
    fault = fault.strip("`")
    owner = "owner integer references item (id) deferrable initially deferred"
    with scoped_session() as session:
        session.execute(text(f"create table part ({owner})"))
    broken = {"the rollback": dead_line, "the closing": late_close}.get(fault)
    raised = "nothing"
    caught: BaseException | None = None
    try:
        if broken is None:
            pattern(lambda session: act(fault, session))
        else:
            with broken(monkeypatch):
                pattern(lambda session: act(fault, session))
    except BaseException as came:  # noqa: BLE001 - it is what the test is about
        caught, raised = came, type(came).__name__
    assert (raised, store.rows(), store.out()) == (error, ["a"] if rows == "all" else [], 0)
    assert isinstance(caught, (ValueError, SQLAlchemyError, KeyboardInterrupt, SystemExit, GeneratorExit, type(None)))
    told = [message for message in caplog.messages if message.startswith("a session could not be")]
    assert bool(told) == (logged != "nothing"), caplog.messages
    with scoped_session() as session:
        write(session, "after")
    assert (store.rows()[-1], store.out()) == ("after", 0)
