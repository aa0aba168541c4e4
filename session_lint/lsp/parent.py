"""The process that has started the server: where it is gone without a word, the server goes, too."""

from __future__ import annotations

import os
import sys
import threading
import time

PATIENCE = 2.0
"""Seconds between two looks."""


def end_with(process: int) -> None:
    """Let this process end once another one has."""
    threading.Thread(target=_watch, args=(process,), name="parent", daemon=True).start()


def _watch(process: int) -> None:
    while alive(process):
        time.sleep(PATIENCE)
    os._exit(1)  # whoever would read an answer is gone, and the thread that waits for a request cannot be woken


def alive(process: int) -> bool:
    """Whether a process exists."""
    if sys.platform == "win32":
        return _alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def _alive_on_windows(process: int) -> bool:
    import ctypes  # noqa: PLC0415  (only there)

    synchronize, timeout = 0x00100000, 0x00000102
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(synchronize, False, process)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == timeout)
    finally:
        kernel.CloseHandle(handle)
