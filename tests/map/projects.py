"""Projects to draw maps of, and maps of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from session_lint.files import discover
from session_lint.mapping import session_map
from session_lint.settings import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.mapping import SessionMap

SHOP = {
    "pyproject.toml": "",
    "shop/__init__.py": "",
    "shop/db.py": """\
from contextlib import contextmanager

from sqlalchemy.orm import scoped_session, sessionmaker

SessionLocal = sessionmaker()
registry = scoped_session(SessionLocal)
_session = None


@contextmanager
def work():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    finally:
        session.close()


def get_db():
    session = SessionLocal()
    try:
        yield session
    finally:
        session.close()


def current():
    global _session
    if _session is None:
        _session = SessionLocal()
    return _session


def close_current():
    global _session
    if _session is not None:
        _session.close()
        _session = None


def transactional(function):
    def wrapper(*args):
        with work() as session:
            return function(session, *args)

    return wrapper
""",
    "shop/passing.py": "from shop.db import SessionLocal as Local, current\n",
    "shop/orders/__init__.py": "",
    "shop/orders/api.py": """\
from fastapi import Depends

from shop.db import get_db, registry


def orders(db=Depends(get_db)):
    return db.execute("select 1")


def kept(user):
    registry.add(user)
    registry.commit()
""",
    "shop/orders/store.py": """\
from shop.db import transactional, work
from shop.passing import Local


def save(order):
    with work() as session:
        session.add(order)


def count(query):
    session = Local()
    try:
        return session.execute(query).scalar()
    finally:
        session.close()


def leak(query):
    session = Local()
    return session.execute(query).scalar()


@transactional
def decorated(session, order):
    session.add(order)


def given(session, order):
    session.add(order)
    session.flush()
""",
    "shop/report.py": """\
from shop.db import close_current
from shop.passing import current


def rows(query):
    return current().execute(query).all()


def main():
    try:
        print(rows("select 1"))
    finally:
        close_current()


main()
""",
    "shop/nightly.py": """\
from shop.report import rows


def nightly():
    return rows("select 2")
""",
    "tests/test_shop.py": """\
from shop.db import SessionLocal, work


def test_both():
    with work() as session:
        session.add(1)
    session = SessionLocal()
    session.close()
""",
}


def put(folder: Path, files: Mapping[str, str]) -> Path:
    """A folder with some files, by their names."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def mapped(folder: Path) -> tuple[SessionMap, list[Finding]]:
    """The map of a folder, with file names that do not depend on where it stands."""
    settings = replace(load(folder, isolated=True, config=None), cache=False)
    files, _ = discover([str(folder)], settings)
    return session_map([(settings, files)])
