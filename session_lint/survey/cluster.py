"""Workers that Dask gives: those of a scheduler that runs already, or processes of this machine's own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from session_lint.collecting import collect_seldom
from session_lint.errors import UserError
from session_lint.survey.work import greet, this_tool

try:
    from distributed import Client, KilledWorker, LocalCluster, Security, WorkerPlugin
    from distributed.comm.core import connect
except ImportError:
    raise UserError("a survey needs dask: pip install 'session-lint[dask]'") from None

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from distributed import Worker

    from session_lint.survey.work import Greeting, Tool

TIMEOUT = 5  # seconds until a scheduler must have answered
PATIENCE = 60  # seconds until a new worker must have come when all are gone
MOMENT = 1  # seconds for which the number of workers is taken to be the same
AHEAD = 2  # pieces that a thread has, so that it need not wait for the next one
_NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
ALLOWED_DEATHS = 1  # of own workers; what another scheduler allows is its own business


class DaskCrew:
    """The workers of a scheduler.

    :param client: a connection to it.
    """

    lost: tuple[type[BaseException], ...] = (KilledWorker,)

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen = time.monotonic()
        self._width = (0.0, 0)
        self.executor: Executor = client.get_executor(pure=False)

    def width(self) -> int:
        """How many pieces its workers can have, as it was a moment ago."""
        asked, width = self._width
        if time.monotonic() - asked > MOMENT:
            width = AHEAD * max(1, sum(self._threads()))
            self._width = (time.monotonic(), width)
        return width

    def check(self) -> None:
        """See that there is a worker.

        :raises UserError: where the scheduler is gone, or no worker has been there for a while.
        """
        if self._threads():
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > PATIENCE:
            raise UserError(f"there has been no worker for {PATIENCE} seconds")

    def _threads(self) -> list[int]:
        try:
            return list(self._client.nthreads().values())
        except (OSError, RuntimeError):
            raise UserError("the scheduler is gone") from None


class _Quiet(WorkerPlugin):
    """What an own worker does when it starts: an interruption is the survey's business, which ends it."""

    name = "session-lint"

    def setup(self, worker: Worker) -> None:  # noqa: ARG002  (Dask's)
        """Begin."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        collect_seldom()


@contextmanager
def crew(scheduler: str | None, workers: int, folders: Sequence[str]) -> Iterator[DaskCrew]:
    """Workers that are known to be able to do a survey.

    :param scheduler: the address of one that runs; ``None`` for own workers, which end with the survey.
    :param workers: how many own ones; 0 for one a processor.
    :param folders: those that all of them must see.
    :raises UserError: where no scheduler answers, it has no workers, or they cannot do the work.
    """
    _silence()
    if scheduler is None:
        with _own(workers) as client:
            yield DaskCrew(client)
        return
    client = _connected(scheduler)
    try:
        _examine(client, scheduler, folders)
        yield DaskCrew(client)
    finally:
        client.close(timeout=1)


def _silence() -> None:
    """Have Dask write nothing: what matters is told by those who asked. Each of its loggers has a level of its own."""
    for name in ["distributed", *logging.root.manager.loggerDict]:
        if name.partition(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def _own(workers: int) -> Iterator[Client]:
    """A connection to own workers.

    :raises UserError: where they cannot be started.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="session-lint-", ignore_cleanup_errors=True) as folder:
        try:
            cluster = LocalCluster(
                n_workers=workers or processors,
                threads_per_worker=1,
                silence_logs=logging.CRITICAL,
                local_directory=folder,
                scheduler_kwargs={"allowed_failures": ALLOWED_DEATHS, **_NO_DASHBOARD},
            )
        except (OSError, RuntimeError) as error:
            raise UserError(f"the workers cannot be started: {error.__cause__ or error}") from None
        with cluster, Client(cluster) as client:
            client.register_plugin(_Quiet())
            yield client


def _connected(scheduler: str) -> Client:
    try:
        asyncio.run(_greeted(scheduler))
        return Client(scheduler, timeout=TIMEOUT)
    except asyncio.TimeoutError:
        raise UserError(f"--scheduler {scheduler}: what answers there is no scheduler") from None
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise UserError(f"--scheduler {scheduler}: no scheduler answers there: {error}") from None


async def _greeted(scheduler: str) -> None:
    """See that something answers as Dask does: a client waits for ever for what is at the other end of a wrong port."""
    words = Security().get_connection_args("client")
    connection = await asyncio.wait_for(connect(scheduler, timeout=TIMEOUT, **words), 2 * TIMEOUT)
    await connection.close()


def _examine(client: Client, scheduler: str, folders: Sequence[str]) -> None:
    """See that the workers are what the survey itself is, and see what it sees.

    :raises UserError: where one of them cannot do the work.
    """
    greetings = client.run(greet, tuple(folders), on_error="return")
    if not greetings:
        raise UserError(f"--scheduler {scheduler}: it has no workers; start some: dask worker {scheduler}")
    wanted = this_tool()
    for worker, greeting in sorted(greetings.items()):
        fault = _fault(greeting, wanted)
        if fault:
            raise UserError(f"--scheduler {scheduler}: the worker {worker} cannot do this survey: {fault}")


def _fault(greeting: Greeting | BaseException, wanted: Tool) -> str:
    """Why a worker cannot do the work, empty where it can.

    :param greeting: what it has answered, or what went wrong when it should.
    """
    if isinstance(greeting, Exception) and "No module named 'session_lint" in str(greeting):
        return f"it has no session-lint {wanted.version}: install it there"
    if isinstance(greeting, BaseException):
        return f"{type(greeting).__name__}: {greeting}"
    if greeting.tool != wanted:
        return f"it has {greeting.tool}, and this is {wanted}"
    return "".join(f"it does not see {folder}" for folder in greeting.unseen[:1])
