"""The request's session, in a live Flask application."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from flask import Blueprint, Flask, Response, g, stream_with_context
from sqlalchemy import text

from database import session as module
from database.flask import init_app
from tests.database.conftest import write

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Nothing is open after it."""
    assert (app.test_client().get("/nowhere").status_code, store.out()) == (404, 0)


def test_requests_in_one_pushed_context(app: Flask, served: list[Session], store: Store) -> None:
    """Flask gives them one ``g``; each request still has a fresh session, and none stays open."""
    client = app.test_client()
    with app.app_context():
        client.post("/item/a")
        client.get("/item")
        assert store.out() <= 1
    assert (len(set(map(id, served))), store.rows(), store.out()) == (2, ["a"], 0)


def test_what_runs_before_every_request_has_the_requests_session(served: list[Session], store: Store) -> None:
    """Also where the application had it first: the view goes on with the same session."""
    app = Flask(__name__)

    @app.before_request
    def count() -> None:
        served.append(g.db)
        write(g.db, "a")

    init_app(app)

    @app.get("/")
    def view() -> str:
        g.db.commit()
        return str(g.db is served[0])

    assert (app.test_client().get("/").text, store.rows(), store.out()) == ("True", ["a"], 0)


def test_a_request_that_asks_for_none_opens_none(app: Flask, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is opened when the view first says ``g.db``."""

    def fail(**_: object) -> None:
        raise AssertionError("opened")

    app.add_url_rule("/static-page", view_func=lambda: "page")
    monkeypatch.setattr("database.flask.SessionLocal", fail)
    assert app.test_client().get("/static-page").text == "page"


def test_a_command_and_a_pushed_context(app: Flask, store: Store) -> None:
    """They have ``g.db`` too, one for each context, closed when it ends."""
    seen = []

    @app.cli.command("fill")
    def fill() -> None:
        write(g.db, "a")
        seen.append(g.db)
        g.db.commit()
        assert "db" in g

    done = app.test_cli_runner().invoke(args=["fill"])
    with app.app_context():
        assert "db" not in g
        write(g.db, "lost")
        seen.append(g.db)
    assert (done.exit_code, store.rows(), store.out(), len(set(map(id, seen)))) == (0, ["a"], 0, 2)


def test_a_command_that_fails(app: Flask, store: Store) -> None:
    """Nothing is saved, and the connection is back."""

    @app.cli.command("fail")
    def fail() -> None:
        write(g.db, "a")
        raise ValueError("mine")

    done = app.test_cli_runner().invoke(args=["fail"])
    assert (repr(done.exception), store.rows(), store.out()) == ("ValueError('mine')", [], 0)


def test_blueprints_and_handlers_share_the_requests_session(app: Flask, store: Store) -> None:
    """Before, in the view, after it and in an error handler it is the same."""
    pages = Blueprint("pages", __name__, url_prefix="/pages")
    seen: list[Session] = []

    @pages.before_request
    def before() -> None:
        seen.append(g.db)

    @pages.get("/")
    def page() -> str:
        seen.append(g.db)
        write(g.db, "a")
        raise KeyError("mine")

    @pages.errorhandler(KeyError)
    def handle(_: KeyError) -> tuple[str, int]:
        seen.append(g.db)
        return "sorry", 418

    @pages.after_request
    def after(response: Response) -> Response:
        seen.append(g.db)
        return response

    app.register_blueprint(pages)
    answer = app.test_client().get("/pages/")
    assert (answer.status_code, answer.text, len(seen), len(set(map(id, seen)))) == (418, "sorry", 4, 1)
    assert (store.rows(), store.out()) == ([], 0)


@pytest.mark.parametrize("taken", [3, 1, 0])
def test_what_is_streamed(app: Flask, store: Store, taken: int) -> None:
    """It keeps the session until the last piece, or until the client goes away."""
    with app.app_context():
        for name in "abc":
            write(g.db, name)
        g.db.commit()

    @app.get("/stream")
    def stream() -> Response:
        def rows() -> Iterator[str]:
            for name in g.db.execute(text("select name from item order by id")).scalars():
                yield str(name)

        return Response(stream_with_context(rows()))

    answer = app.test_client().get("/stream", buffered=False)
    pieces = answer.iter_encoded()
    assert b"".join(islice(pieces, taken)) == b"abc"[:taken]
    answer.close()
    del pieces
    assert store.out() == 0


def test_two_applications(app: Flask, store: Store) -> None:
    """One that was not asked has no ``g.db``."""
    other = Flask("other")
    with other.app_context(), pytest.raises(AttributeError):
        _ = g.db
    with app.app_context():
        assert g.db.execute(text("select 1")).scalar() == 1
    assert store.out() == 0
