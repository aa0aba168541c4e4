"""SES502: a session that is opened before each request, and no teardown closes it.

Each request keeps a connection, until the pool is empty. ``after_request`` is no teardown: where exceptions are passed
on, as in tests and in debug mode, or another such hook fails, it is not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import User, engine

web = Flask(__name__)


@web.before_request
def open_session():
    g.db = Session(engine)  # error: SES502


@web.get("/users")
def count():
    return str(g.db.scalar(select(func.count(User.id))))
"""

FAULT_AFTER = """
from flask import Flask, g
from sqlalchemy.orm import Session

from app import User, engine

web = Flask(__name__)


@web.before_request
def open_session():
    g.db = Session(engine)  # error: SES502


@web.after_request
def close_session(response):
    g.db.close()
    return response


@web.get("/users/<int:number>")
def name_of(number):
    return g.db.get(User, number).name
"""

CURE = """
from flask import Flask, g
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import User, engine

web = Flask(__name__)


@web.before_request
def open_session():
    g.db = Session(engine)


@web.teardown_appcontext
def close_session(error):
    session = g.pop("db", None)
    if session is not None:
        session.close()


@web.get("/users")
def count():
    return str(g.db.scalar(select(func.count(User.id))))


@web.get("/users/<int:number>")
def name_of(number):
    return g.db.get(User, number).name
"""


CURE_MANAGED = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import func, select

from app import User, url

web = Flask(__name__)
web.config["SQLALCHEMY_DATABASE_URI"] = url
db = SQLAlchemy(web)


@web.before_request
def look():
    db.session.scalar(select(func.count(User.id)))


@web.get("/users")
def count():
    return str(db.session.scalar(select(func.count(User.id))))
"""


def test_the_third_request_gets_no_connection(stage: Stage) -> None:
    """With a pool of two."""
    client = stage.load(FAULT).web.test_client()
    assert [(client.get("/users").status_code, stage.out()) for _ in range(3)] == [(200, 1), (200, 2), (500, 2)]


def test_after_request_is_passed_by_an_exception_that_is_passed_on(stage: Stage) -> None:
    """As in every test of an application."""
    web = stage.load(FAULT_AFTER).web
    web.testing = True
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'name'"):
        web.test_client().get("/users/1")
    assert stage.out() == 1


def test_after_request_is_run_where_an_exception_becomes_an_answer(stage: Stage) -> None:
    """As in production."""
    client = stage.load(FAULT_AFTER).web.test_client()
    assert (client.get("/users/1").status_code, stage.out()) == (500, 0)


def test_after_request_is_passed_when_another_hook_fails(stage: Stage) -> None:
    """In production, too: hooks run in the reverse order, and the first that fails is the last."""
    web = stage.load(FAULT_AFTER).web

    def fail(response: object) -> None:
        raise ValueError(response)

    web.after_request(fail)
    stage.write("ann")
    assert (web.test_client().get("/users/1").status_code, stage.out()) == (500, 1)


def test_a_teardown_closes_it_in_any_case(stage: Stage) -> None:
    """After an answer, and after an exception."""
    web = stage.load(CURE).web
    client = web.test_client()
    assert [(client.get("/users").status_code, stage.out()) for _ in range(3)] == [(200, 0)] * 3
    web.testing = True
    with pytest.raises(AttributeError):
        client.get("/users/1")
    assert stage.out() == 0


def test_what_flask_sqlalchemy_opens_it_removes(stage: Stage) -> None:
    """Its sessions need no hook."""
    module = stage.load(CURE_MANAGED)
    answer = module.web.test_client().get("/users")
    with module.web.app_context():
        assert (answer.text, module.db.engine.pool.checkedout()) == ("0", 0)
        module.db.engine.dispose()
