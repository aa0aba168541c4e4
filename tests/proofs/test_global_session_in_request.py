"""SES501: the global session in a web application. What one request leaves behind is committed by the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from flask import Flask, abort

from app import User
from database.session import get_session

web = Flask(__name__)


@web.post("/users/<name>")
def register(name):
    session = get_session()  # error: SES501
    session.add(User(name=name))
    if not name.isalpha():
        abort(400)
    session.commit()
    return name
"""

CURE = """
from flask import Flask, abort, g

from app import User
from database.flask import init_app

web = Flask(__name__)
init_app(web)


@web.post("/users/<name>")
def register(name):
    g.db.add(User(name=name))
    if not name.isalpha():
        abort(400)
    g.db.commit()
    return name
"""


def answers(stage: Stage, program: str) -> list[int]:
    """The status of a request that is refused, and of one that is not."""
    client = stage.load(program).web.test_client()
    return [client.post(f"/users/{name}").status_code for name in ("b0b", "ann")]


def test_the_next_request_commits_what_was_refused(stage: Stage) -> None:
    """The answer was 400, and the user is there."""
    assert (answers(stage, FAULT), stage.users(), stage.out()) == ([400, 200], ["b0b", "ann"], 0)


def test_with_a_session_each_it_is_gone(stage: Stage) -> None:
    """Only the other one is there."""
    assert (answers(stage, CURE), stage.users(), stage.out()) == ([400, 200], ["ann"], 0)
