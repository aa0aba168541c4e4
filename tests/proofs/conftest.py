"""The databases of the proofs: a SQLite file for each test, and one PostgreSQL server for all of them."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from tests.proofs.stage import Stage, standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="stage")
def _stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An empty SQLite file."""
    with standing(f"sqlite:///{tmp_path / 'proof.db'}", monkeypatch) as stage:
        yield stage


@contextmanager
def running() -> Iterator[str]:
    """A PostgreSQL server of one's own; the address of its database.

    Its folder is none of pytest's: every run takes the rights to those away from the user that the server runs as.
    """
    with TemporaryDirectory(prefix="session-lint-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs: no XDG_RUNTIME_DIR, as on a build server
            pgserver = pytest.importorskip("pgserver", reason="there is no PostgreSQL to install for this Python")
            server = pgserver.get_server(folder)
        yield server.get_uri().replace("postgresql:", "postgresql+psycopg:")
        server.cleanup()


@pytest.fixture(name="server", scope="session")
def _server() -> Iterator[str]:
    with running() as url:
        yield url


@pytest.fixture(name="postgres")
def _postgres(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Empty tables in PostgreSQL."""
    with standing(server, monkeypatch) as stage:
        yield stage
