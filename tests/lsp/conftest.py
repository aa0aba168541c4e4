"""A client for each test, and a folder of its own that is a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lsp.client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="fresh")
def _fresh() -> Iterator[Client]:
    """A server of its own, which has not been initialized."""
    client = Client()
    try:
        yield client
    finally:
        client.kill()


@pytest.fixture(name="server", scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that tests share: to start one takes a second."""
    client = Client()
    try:
        yield client.initialize(tmp_path_factory.mktemp("workspace"))
    finally:
        client.kill()


@pytest.fixture(name="plain", scope="session")
def _plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """The same for a client that can do nothing but what it must, and counts in bytes."""
    client = Client()
    able = {"general": {"positionEncodings": ["utf-8"]}}
    try:
        yield client.initialize(tmp_path_factory.mktemp("workspace"), capabilities=able)
    finally:
        client.kill()


@pytest.fixture(name="client")
def _client(server: Client) -> Iterator[Client]:
    """The shared server, with nothing open."""
    yield server
    server.close_all()


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    """A project: a module that makes sessions, and one that opens some."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    (root / "db.py").write_text(DB, encoding="utf-8")
    (root / "users.py").write_text(USERS, encoding="utf-8")
    return root


DB = """\
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def fresh():
    return SessionLocal()
"""
USERS = """\
from db import fresh


def count(users):
    session = fresh()
    return session.query(users).count()
"""
