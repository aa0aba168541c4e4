"""Work on a stack that is deep enough for code that is nested very deeply; imported when some needs it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Answer = TypeVar("Answer")

STACK = 512 * 1024 * 1024  # bytes, of address space: only what is used becomes memory
FRAMES = 100_000
_one = threading.Lock()


def deeply(work: Callable[[], Answer]) -> Answer:
    """The answer of some work, done on a stack of its own; what it raises is raised."""
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again in the thread that waits)
            errors.append(error)

    with _one:
        frames, stack = sys.getrecursionlimit(), threading.stack_size(STACK)
        try:
            sys.setrecursionlimit(max(frames, FRAMES))
            thread = threading.Thread(target=run, daemon=True)  # whoever is interrupted does not wait for it
            thread.start()
            thread.join()
        finally:
            threading.stack_size(stack)
            sys.setrecursionlimit(frames)
    if errors:
        raise errors[0]
    return answers[0]
