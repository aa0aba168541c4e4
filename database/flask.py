"""One session a request, in ``g.db``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g

from .session import SessionLocal, close_quietly

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Give every request of an application a session of its own, in ``g.db``.

    It is opened before the request and closed when the application context ends, whether the view returned or raised;
    what the view did not commit is rolled back. An error in the closing is logged and does not take the place of the
    view's own. Where several requests run in one application context, as in a test that pushed one, each still gets a
    fresh session.
    """
    app.before_request(_open)
    app.teardown_appcontext(_close)


def _open() -> None:
    _close()
    g.db = SessionLocal()


def _close(_error: BaseException | None = None) -> None:
    session = g.pop("db", None)
    if session is not None:
        close_quietly(session)
