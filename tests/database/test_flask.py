"""The request's session, in a live Flask application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask, g
from sqlalchemy import text

from database import session as module
from database.flask import init_app
from tests.database.conftest import write

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.database.conftest import Store


@pytest.fixture(name="served")
def _served() -> list[Session]:
    """The sessions that the application worked with, in the order of the requests."""
    return []


@pytest.fixture(name="app")
def _app(served: list[Session]) -> Flask:
    app = Flask(__name__)
    app.testing = True
    init_app(app)

    @app.post("/item/<name>")
    def create(name: str) -> str:
        served.append(g.db)
        write(g.db, name)
        if name == "bad":
            raise ValueError(name)
        if name != "forgotten":
            g.db.commit()
        return name

    @app.get("/item")
    def count() -> str:
        served.append(g.db)
        return str(g.db.execute(text("select count(*) from item")).scalar())

    return app


def test_every_request_has_its_own_and_it_is_closed(app: Flask, served: list[Session], store: Store) -> None:
    """What a view commits is saved; the connection is back after each request."""
    client = app.test_client()
    answers = [client.post("/item/a").text, client.post("/item/b").text, client.get("/item").text]
    assert (answers, len(set(map(id, served)))) == (["a", "b", "2"], 3)
    assert (store.rows(), store.out()) == (["a", "b"], 0)


def test_what_the_view_does_not_commit_is_rolled_back(app: Flask, store: Store) -> None:
    """The request's session commits nothing by itself."""
    app.test_client().post("/item/forgotten")
    assert (store.rows(), store.out()) == ([], 0)


def test_a_view_that_raises(app: Flask, store: Store) -> None:
    """Its exception comes out, its changes do not stay."""
    with pytest.raises(ValueError, match="bad"):
        app.test_client().post("/item/bad")
    assert (store.rows(), store.out()) == ([], 0)


def test_a_failing_close_does_not_mask_the_view(
    app: Flask, served: list[Session], store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The error in the closing is in the log."""

    def fail(_: object) -> None:
        raise OSError("the line is dead")

    with monkeypatch.context() as patch, pytest.raises(ValueError, match="bad"):
        patch.setattr(module.DatabaseSession, "close", fail)
        app.test_client().post("/item/bad")
    assert "a session could not be closed" in caplog.messages
    served[0].close()
    assert (store.rows(), store.out()) == ([], 0)


def test_a_request_that_reaches_no_view(app: Flask, store: Store) -> None:
    """A session was opened for it all the same, and is closed."""
    assert (app.test_client().get("/nowhere").status_code, store.out()) == (404, 0)


def test_requests_in_one_pushed_context(app: Flask, served: list[Session], store: Store) -> None:
    """Flask gives them one ``g``; each request still has a fresh session, and none stays open."""
    client = app.test_client()
    with app.app_context():
        client.post("/item/a")
        client.get("/item")
        assert store.out() <= 1
    assert (len(set(map(id, served))), store.rows(), store.out()) == (2, ["a"], 0)


def test_a_context_without_a_request(app: Flask, store: Store) -> None:
    """A command-line command has no ``g.db``, and nothing to close."""
    with app.app_context():
        assert "db" not in g
    assert store.out() == 0
