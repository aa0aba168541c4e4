"""What Python does about the memory of a process that lints: it looks for garbage seldom, and takes nothing apart."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys

ONE_RUN = 10_000_000
"""As many objects as a run over some million lines has: a fiftieth of them is garbage, if that."""


def collect_seldom(objects: int = 100_000) -> None:
    """Let this process look for garbage seldom: syntax trees are many objects, which stay and are looked at again.

    :param objects: how many new ones are waited for, each time; a process that goes on for days cannot wait long.
    """
    gc.set_threshold(objects, 20, 50)


def leave(code: int) -> None:
    """End the process at once: to free each of the millions of objects of a large run takes a sixth of its time.

    What others have asked for at its end is done. It returns where something else goes on, or watches what is done.

    :param code: the exit code.
    """
    threading = sys.modules.get("threading")  # where nobody has imported it there is one
    others = threading is not None and threading.active_count() > 1
    if others or sys.gettrace() is not None or sys.getprofile() is not None:
        return
    with contextlib.suppress(OSError, ValueError):  # nobody reads what is printed, or can: Python says so itself
        sys.stdout.flush()
        sys.stderr.flush()
        atexit._run_exitfuncs()  # noqa: SLF001  (Python has no other name for it)
        os._exit(code)
