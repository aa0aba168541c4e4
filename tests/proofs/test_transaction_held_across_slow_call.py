"""SES703: a transaction that waits for an outside service.

The service looks at the database while it is asked: PostgreSQL calls the program's connection ``idle in transaction``,
and a row that the program has changed cannot be changed by anybody else. A program that commits first holds nothing.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.proofs.stage import Stage

FAULT = """
import httpx
from sqlalchemy.orm import Session

from app import User, engine


def rename(user_id, url):
    with Session(engine) as session:
        user = session.get(User, user_id)
        user.name = "asking"
        session.flush()
        user.name = httpx.get(url).text  # warning: SES703
        session.commit()
"""

CURE = """
import httpx
from sqlalchemy.orm import Session

from app import User, engine


def rename(user_id, url):
    with Session(engine) as session:
        user = session.get(User, user_id)
        user.name = "asking"
        session.commit()
    name = httpx.get(url).text
    with Session(engine) as session:
        user = session.get(User, user_id)
        user.name = name
        session.commit()
"""


class Service(HTTPServer):
    """Answers with a name, and remembers what the database was like when it was asked.

    :param stage: the database.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stage = stage
        self.backends: list[str] = []
        self.refused = ""

    def look(self) -> None:
        """What the programs' connections do, and whether others can change the first row."""
        self.backends = self.stage.backends()
        try:
            with self.stage.outside.begin() as connection:
                connection.execute(text("set lock_timeout = '400ms'"))
                connection.execute(text("update users set name = 'other' where id = 1"))
        except OperationalError as error:
            self.refused = str(error.orig).splitlines()[0]


class Handler(BaseHTTPRequestHandler):
    """One request of the service."""

    server: Service

    def do_GET(self) -> None:
        """Look, then answer."""
        self.server.look()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"bob")

    def log_message(self, *_: object) -> None:
        """Nothing of it on the screen."""


@contextmanager
def service(stage: Stage) -> Iterator[Service]:
    """A service that is running."""
    with Service(stage) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def asked(stage: Stage, program: str) -> tuple[list[str], str]:
    """What the service saw while a program asked it: the states of the program's connections, and its own error."""
    stage.write("ann")
    with service(stage) as server:
        stage.load(program).rename(1, f"http://127.0.0.1:{server.server_port}/")
    assert stage.users() == ["bob"]
    return server.backends, server.refused


def test_the_service_sees_an_idle_transaction_and_a_lock(postgres: Stage) -> None:
    """For as long as the answer takes."""
    assert asked(postgres, FAULT) == (["idle in transaction"], "canceling statement due to lock timeout")


def test_after_a_commit_the_service_sees_nothing_held(postgres: Stage) -> None:
    """The connection is in the pool, and the row can be changed."""
    assert asked(postgres, CURE) == (["idle"], "")
