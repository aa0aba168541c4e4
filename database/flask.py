"""One session a request, in ``g.db``."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from flask import g

from .session import SessionLocal, close_quietly

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session


def init_app(app: Flask) -> None:
    """Give every request of an application a session of its own, in ``g.db``.

    It is opened when it is asked for, and closed when the application context ends, whether the view returned or
    raised; what the view did not commit is rolled back. A command, and any other code in an application context, has it
    too, and so has a generator in ``stream_with_context``. An error in the closing is logged and not raised. Where
    several requests run in one application context, as in a test that pushed one, each still gets a fresh session.
    """

    class Globals(app.app_ctx_globals_class):  # type: ignore[misc, name-defined]
        @cached_property
        def db(self) -> Session:
            return SessionLocal(info={"pattern": "request"})

    app.app_ctx_globals_class = Globals
    app.before_request_funcs.setdefault(None, []).insert(0, _close)  # before one that works with g.db
    app.teardown_appcontext(_close)


def _close(_error: BaseException | None = None) -> None:
    if session := g.pop("db", None):
        close_quietly(session)
