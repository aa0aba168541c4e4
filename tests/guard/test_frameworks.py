"""Applications that do it right, as people write them: the guard has nothing to say of them."""

from __future__ import annotations

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from session_lint.guard import Report, install, uninstall, watching

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another library beneath it
    from fastapi.testclient import TestClient

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
DATABASE = """
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

engine = create_engine("sqlite:///app.db")
SessionLocal = sessionmaker(engine)
"""

FASTAPI = """
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException

web = FastAPI()

def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()

def user(db: Session = Depends(get_db)):
    return db.scalar(text("select 'ann'"))

@web.get("/sync/{number}")
def sync(number: int, db: Session = Depends(get_db), name: str = Depends(user)):
    if number % 3 == 0:
        raise HTTPException(404)
    return [name, db.scalar(text("select 1"))]

def later():
    with SessionLocal() as session:
        session.execute(text("select 2"))

@web.get("/later")
def task(tasks: BackgroundTasks, db: Session = Depends(get_db)):
    tasks.add_task(later)
    return db.scalar(text("select 1"))
"""

FASTAPI_ASYNC = """
from contextlib import asynccontextmanager
from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

asynchronous = create_async_engine("sqlite+aiosqlite:///app.db")
AsyncLocal = async_sessionmaker(asynchronous)

@asynccontextmanager
async def lifespan(app):
    yield
    await asynchronous.dispose()

web = FastAPI(lifespan=lifespan)

async def get_db():
    async with AsyncLocal() as session:
        yield session

async def committing():
    async with AsyncLocal.begin() as session:
        yield session

@web.get("/async/{number}")
async def read(number: int, db: AsyncSession = Depends(get_db), other: AsyncSession = Depends(committing)):
    await other.execute(text("select 1"))
    return await db.scalar(text("select 1"))
"""

FLASK = """
from flask import Flask, g

web = Flask(__name__)

@web.teardown_appcontext
def close(error):
    session = g.pop("db", None)
    if session is not None:
        session.close()

def db():
    if "db" not in g:
        g.db = SessionLocal()
    return g.db

@web.get("/")
def index():
    return str(db().scalar(text("select 1")))

@web.get("/fails")
def fails():
    db().execute(text("select 1"))
    raise ValueError
"""

FLASK_REGISTRY = """
from flask import Flask

web = Flask(__name__)
session = scoped_session(SessionLocal)

@web.teardown_appcontext
def remove(error):
    session.remove()

@web.get("/")
def index():
    session.execute(text("create table if not exists t (x int)"))
    session.execute(text("insert into t values (1)"))
    session.commit()
    return str(session.scalar(text("select 1")))
"""

FLASK_SQLALCHEMY = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

web = Flask(__name__)
web.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///app.db"
db = SQLAlchemy(web)

@web.get("/")
def index():
    return str(db.session.scalar(text("select 1")))
"""

THREAD = """
from threading import Thread

def work():
    context = web.app_context()
    context.push()
    db.session.execute(text("select 1"))

def begin():
    thread = Thread(target=work)
    thread.start()
    thread.join()
"""


@pytest.fixture(name="reports")
def _reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Report]]:
    monkeypatch.chdir(tmp_path)
    found: list[Report] = []
    install(found.append)
    yield found
    uninstall()


def load(monkeypatch: pytest.MonkeyPatch, program: str) -> Any:  # noqa: ANN401 - a module that only its text knows
    """Execute an application's text as a module."""
    module = ModuleType("application")
    monkeypatch.setitem(sys.modules, "application", module)
    exec(compile(DATABASE + program, "application.py", "exec"), vars(module))  # noqa: S102 - the text is ours
    return module


@pytest.mark.parametrize(
    ("program", "paths"), [(FASTAPI, ["/sync/1", "/sync/2", "/sync/3", "/later"]), (FASTAPI_ASYNC, ["/async/1"])]
)
def test_fastapi(monkeypatch: pytest.MonkeyPatch, reports: list[Report], program: str, paths: list[str]) -> None:
    """Several requests at once; a session goes from one worker thread to the next."""
    module = load(monkeypatch, program)
    with TestClient(module.web) as client, ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda number: client.get(paths[number % len(paths)]).status_code, range(64)))
    module.engine.dispose()
    assert (set(answers) <= {200, 404}, list(map(str, reports))) == (True, [])


@pytest.mark.parametrize("program", [FLASK, FLASK_REGISTRY, FLASK_SQLALCHEMY])
def test_flask(monkeypatch: pytest.MonkeyPatch, reports: list[Report], program: str) -> None:
    """Requests one after the other, and in two threads."""
    module = load(monkeypatch, program)

    def ask(path: str) -> int:
        return int(module.web.test_client().get(path).status_code)

    with ThreadPoolExecutor(2) as executor:
        answers = [ask("/"), ask("/fails"), *executor.map(ask, ["/", "/fails"] * 8)]
    module.engine.dispose()
    if program == FLASK_SQLALCHEMY:
        with module.web.app_context():
            module.db.engine.dispose()
    assert (answers[0], list(map(str, reports))) == (200, [])


def test_flask_sqlalchemy_in_a_thread(monkeypatch: pytest.MonkeyPatch, reports: list[Report]) -> None:
    """Its registry keeps a session for each context, and nobody has removed it; the line that asked for it is told."""
    module = load(monkeypatch, FLASK_SQLALCHEMY + THREAD)
    with watching():
        module.begin()
    assert [report.code for report in reports] == ["SES704"]
    assert reports[0].place is not None
    assert reports[0].place.function == "work"
    with module.web.app_context():
        module.db.engine.dispose()


def test_the_reference_module() -> None:
    """Its own tests of threads, tasks, requests and fixtures; not those whose work is other processes'."""
    files = [f"tests/database/test_{name}.py" for name in ("aio", "fastapi", "flask", "load", "testing")]
    pytest_ = ["pytest", "-q", "--session-guard", "-p", "no:cacheprovider", "-W", "error", "-k", "not test_workers"]
    command = [sys.executable, "-m", *pytest_]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
