"""PostgreSQL servers of one's own, which can also be killed."""

from __future__ import annotations

import os
import signal
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server.

    :param url: the address of its database.
    """

    url: str
    _server: Any

    def kill(self) -> None:
        """End it at once, as a crash does: every connection breaks, and what is not committed is lost."""
        process = self._server.get_postmaster_info().process
        os.kill(process.pid, signal.SIGQUIT)
        while process.is_running() and process.status() != "zombie":
            time.sleep(0.01)

    def start(self) -> None:
        """Start it again, at the same address; it mends its files first."""
        self._server.ensure_postgres_running()


@contextmanager
def serving() -> Iterator[Server]:
    """A PostgreSQL server, stopped in the end.

    Its folder is none of pytest's: every run takes the rights to those away from the user that the server runs as.
    """
    with TemporaryDirectory(prefix="session-lint-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs: no XDG_RUNTIME_DIR, as on a build server
            pgserver = pytest.importorskip("pgserver", reason="there is no PostgreSQL to install for this Python")
            server = pgserver.get_server(folder)
        yield Server(server.get_uri().replace("postgresql:", "postgresql+psycopg:"), server)
        server.cleanup()


@contextmanager
def running() -> Iterator[str]:
    """The address of a PostgreSQL server's database."""
    with serving() as server:
        yield server.url
