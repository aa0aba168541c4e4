"""SES504: a request's session in the hands of something that goes on when the request is over.

The session is closed with the request and opens anew in the thread, the task, the stream: that connection is never
given back, and what is written is lost. FastAPI runs background tasks and streams before it closes a dependency, unless
that says ``scope="function"``; versions up to 0.117 closed it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proofs.asgi import request

if TYPE_CHECKING:
    from tests.proofs.stage import Stage

FAULT = """
from threading import Event, Thread

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()
answered = Event()
threads = []


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def save(session, name):
    answered.wait(10)
    session.add(User(name=name))
    session.flush()


@web.post("/users/{name}")
def register(name: str, db: Session = Depends(get_db)):
    thread = Thread(target=save, args=(db, name))  # error: SES504
    threads.append(thread)
    thread.start()
    return name
"""

CURE = """
from threading import Event, Thread

from fastapi import Depends, FastAPI
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()
answered = Event()
threads = []


def save(name):
    answered.wait(10)
    with SessionLocal() as session:
        session.add(User(name=name))
        session.commit()


@web.post("/users/{name}")
def register(name: str):
    thread = Thread(target=save, args=(name,))
    threads.append(thread)
    thread.start()
    return name
"""

FAULT_FLASK = """
from flask import Flask, Response, g, stream_with_context
from sqlalchemy import select

from app import User
from database.flask import init_app

web = Flask(__name__)
init_app(web)


def names(session):
    for name in session.scalars(select(User.name)):
        yield name


@web.get("/plain")
def plain():
    return Response(names(g.db))  # error: SES504


@web.get("/context")
def context():
    return Response(stream_with_context(names(g.db)))  # error: SES504
"""

CURE_FLASK = """
from flask import Flask, Response
from sqlalchemy import select

from app import User
from database.session import scoped_session

web = Flask(__name__)


def names():
    with scoped_session() as session:
        for name in session.scalars(select(User.name)):
            yield name


@web.get("/plain")
def plain():
    return Response(names())
"""

BY_VERSION = """
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app import User, engine

SessionLocal = sessionmaker(engine)
web = FastAPI()


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def names(session):
    yield from session.scalars(select(User.name))


def save(session, name):
    session.add(User(name=name))
    session.flush()


@web.get("/stream")
def stream(db: Session = Depends(get_db)):
    return StreamingResponse(names(db))


@web.get("/task")
def task(background: BackgroundTasks, db: Session = Depends(get_db)):
    background.add_task(save, db, "bob")


@web.get("/stream/function")
def stream_of_function(db: Session = Depends(get_db, scope="function")):
    return StreamingResponse(names(db))


@web.get("/task/function")
def task_of_function(background: BackgroundTasks, db: Session = Depends(get_db, scope="function")):
    background.add_task(save, db, "bob")
"""


def register(stage: Stage, program: str) -> tuple[list[str | None], int]:
    """What is saved, and how many connections are out, once the thread of a request is over."""
    module = stage.load(program)
    request(module.web, "/users/ann", "POST")
    module.answered.set()
    for thread in module.threads:
        thread.join()
    return stage.users(), stage.out()


def test_in_a_thread_the_session_opens_anew(stage: Stage) -> None:
    """No row, one connection."""
    assert register(stage, FAULT) == ([], 1)


def test_a_thread_with_a_session_of_its_own_saves(stage: Stage) -> None:
    """The row, and no connection."""
    assert register(stage, CURE) == (["ann"], 0)


@pytest.mark.parametrize("path", ["/plain", "/context"])
def test_in_a_stream_of_flask_the_session_opens_anew(stage: Stage, path: str) -> None:
    """The answer is right, and a connection is out for good; ``stream_with_context`` does not help."""
    stage.write("ann")
    assert (stage.load(FAULT_FLASK).web.test_client().get(path).text, stage.out()) == ("ann", 1)


def test_a_stream_with_a_session_of_its_own_gives_it_back(stage: Stage) -> None:
    """When it is at its end."""
    stage.write("ann")
    assert (stage.load(CURE_FLASK).web.test_client().get("/plain").text, stage.out()) == ("ann", 0)


@pytest.mark.parametrize(
    ("path", "out"), [("/stream", 0), ("/task", 0), ("/stream/function", 1), ("/task/function", 1)]
)
def test_what_fastapi_runs_before_it_closes_a_dependency(stage: Stage, path: str, out: int) -> None:
    """A connection is out where the dependency was closed first."""
    stage.write("ann")
    assert (request(stage.load(BY_VERSION).web, path).status_code, stage.out()) == (200, out)
