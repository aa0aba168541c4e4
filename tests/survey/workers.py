"""A real scheduler with workers, each a process of its own, as people start them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PATIENCE = 60  # seconds
ROOT = Path(__file__).resolve().parents[2]
WATCHED = Path(__file__).resolve().with_name("watched.py")
TRACE = "SURVEY_TRACE"
SCHEDULER = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show", "--dashboard-address", "127.0.0.1:0")


@dataclass(frozen=True)
class Dask:
    """A cluster that runs.

    :param address: the scheduler's.
    :param trace: the file in which workers note what they lint.
    """

    address: str
    trace: Path

    def traced(self) -> list[tuple[int, Path]]:
        """The files that were begun, each with the process."""
        text = self.trace.read_text("utf-8") if self.trace.exists() else ""
        return [(int(pid), Path(name)) for pid, _, name in (line.partition(" ") for line in text.splitlines())]

    def worker_at(self, file: Path) -> int:
        """The process that is at a file, as soon as one is."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for pid, name in self.traced():
                if name == file:
                    return pid
            time.sleep(0.02)
        raise AssertionError(f"nobody has begun with {file}")


@contextmanager
def running(folder: Path, workers: int = 2, preload: Path = WATCHED) -> Iterator[Dask]:
    """A scheduler and its workers, with nannies, which start another one for each that dies."""
    place, trace = folder / "scheduler.json", folder / "trace"
    environment = {
        **os.environ,
        TRACE: str(trace),
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        "DASK_LOGGING__DISTRIBUTED": "critical",
    }
    own = ("--nworkers", str(workers), "--nthreads", "1", "--no-dashboard", "--local-directory", str(folder))
    commands = [
        ("distributed.cli.dask_scheduler", *SCHEDULER, "--scheduler-file", str(place)),
        ("distributed.cli.dask_worker", "--scheduler-file", str(place), *own, "--preload", str(preload)),
    ]
    started = [_started(command, folder, environment) for command in commands]
    try:
        end = time.monotonic() + PATIENCE
        while not place.exists() or not place.read_text("utf-8"):
            assert time.monotonic() < end
            time.sleep(0.02)
        address = json.loads(place.read_text("utf-8"))["address"]
        _wait_for(address, workers)
        yield Dask(address, trace)
    finally:
        for process in reversed(started):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _started(command: Sequence[str], folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    module, *arguments = command
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait_for(address: str, workers: int) -> None:
    from distributed import Client  # noqa: PLC0415  (as late as the command does)

    with Client(address, timeout=PATIENCE) as client:
        client.wait_for_workers(workers, timeout=PATIENCE)
