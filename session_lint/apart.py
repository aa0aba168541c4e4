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
    from collections.abc import Callable, Iterator
    from types import FrameType

T = TypeVar("T")

POSSIBLE = sys.platform == "linux"
"""Whether a process can be forked safely: elsewhere, libraries of the system do not bear it."""


def apart(work: Callable[[], T]) -> T:
    """What some work gives, done by a process that is forked for it.

    It ends with this one: at once where this one is ended by ``SIGTERM``.

    :param work: what it gives can be pickled; it has to look itself whether this process is still there, if it shall
        end with one that is killed.
    :raises ChildProcessError: where the process has died.
    """
    reading, writing = os.pipe()
    sys.stdout.flush()  # else what waits there is written twice
    sys.stderr.flush()
    child = os.fork()
    if not child:
        os.close(reading)
        _serve(work, writing)
    os.close(writing)
    with _ended_by(signal.SIGTERM, child), open(reading, "rb") as pipe:  # noqa: PTH123
        told = pipe.read()
        _, status = os.waitpid(child, 0)
    if status:
        raise ChildProcessError(f"the process {child} has died")
    result: T = pickle.loads(told)  # noqa: S301  (from a process of our own)
    return result


def _serve(work: Callable[[], object], writing: int) -> NoReturn:
    """Do the work, tell what it gives, and end without taking anything apart."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        told = pickle.dumps(work(), pickle.HIGHEST_PROTOCOL)
        with open(writing, "wb") as pipe:
            pipe.write(told)
        code = 0
    finally:
        os._exit(code)  # whatever it raised is told by its end


@contextlib.contextmanager
def _ended_by(number: signal.Signals, child: int) -> Iterator[None]:
    """A process that is ended with this one, where a signal does that."""

    def end(_number: int, _frame: FrameType | None) -> None:
        os.kill(child, signal.SIGKILL)
        signal.signal(number, before)
        os.kill(os.getpid(), number)

    before = signal.signal(number, end)
    try:
        yield
    finally:
        signal.signal(number, before)
