"""What a command costs: time on the clock and of the processor, and memory, as the kernel counts them."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """One run of a command, with all processes that it started and waited for.

    :param seconds: time on the clock.
    :param processor: seconds of the processor, those in the kernel too.
    :param peak: bytes of the largest process; never less than this process has, since a child begins as its copy.
    :param status: the exit status; negative for the signal that ended it.
    :param out: the standard output.
    :param error: the standard error.
    """

    seconds: float
    processor: float
    peak: int
    status: int
    out: str
    error: str


def cost(command: list[str], folder: Path, limit: float | None = None, **environment: str) -> Cost:
    """Run a command and see what it costs.

    :param folder: where it runs.
    :param limit: seconds after which it is killed with all its processes.
    :param environment: variables that it gets beside those of this process.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out, tempfile.TemporaryFile("w+", encoding="utf-8") as error:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=error,
            start_new_session=True,
        )
        killer = threading.Timer(limit or threading.TIMEOUT_MAX, os.killpg, (process.pid, signal.SIGKILL))
        killer.daemon = True
        killer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:  # an interruption does not reach a session of its own
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            killer.cancel()
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        for file in (out, error):
            file.seek(0)
        return Cost(
            seconds,
            used.ru_utime + used.ru_stime,
            used.ru_maxrss * 1024,
            process.returncode,
            out.read(),
            error.read(),
        )
