"""Work that is done in a process of its own, which ends with all that it has come to know.

What a process has learnt of a large project is millions of objects. To take them apart takes a fifth of a run over many
projects, and what they leave behind stays with the process; a process that ends costs nothing.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

POSSIBLE = sys.platform == "linux"
"""Whether a process can be forked safely: elsewhere, libraries of the system do not bear it."""
_TELL_OF_DEATH = 1  # PR_SET_PDEATHSIG in Linux's prctl.h


def apart(work: Callable[[], T]) -> T:
    """What some work gives, done by a process that is forked for it and ends with this one.

    :param work: what it gives can be pickled.
    :raises ChildProcessError: where the process has died.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()  # else what waits there is written twice
    sys.stderr.flush()
    parent = os.getpid()
    child = os.fork()
    if not child:
        os.close(reading)
        _serve(work, writing, parent)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123  (a number)
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise ChildProcessError(f"the process {child} has died")
    result: T = pickle.loads(told)  # noqa: S301  (from a process of our own)
    return result


def end_with(parent: int) -> None:
    """Let this process be killed when its parent ends, even by a kill, of which nobody could tell it.

    Where the system cannot do that, it goes on.
    """
    with contextlib.suppress(Exception):
        import ctypes  # noqa: PLC0415  (few runs start processes)

        ctypes.CDLL(None).prctl(_TELL_OF_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _serve(work: Callable[[], object], writing: int, parent: int) -> NoReturn:
    """Do the work, tell what it gives, and end without taking anything apart."""
    code = 1
    try:
        end_with(parent)
        told = pickle.dumps(work(), pickle.HIGHEST_PROTOCOL)
        with open(writing, "wb") as pipe:
            pipe.write(told)
        code = 0
    finally:
        os._exit(code)  # whatever it raised is told by its end
