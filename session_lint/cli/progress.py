"""A bar on a terminal's standard error, once a run takes longer than people wait without one."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 1.0  # seconds
_LINE_AWAY = "\x1b[1A\x1b[2K"


@contextmanager
def progress(total: int, label: str = "checking", *, hidden: bool = False) -> Iterator[Callable[[], None]]:
    """What to call after each of some steps.

    :param label: what is being done.
    :param hidden: whether nothing is shown, whatever standard error is.
    """
    begun, done = time.monotonic(), 0
    bar = None
    seen = not hidden and sys.stderr.isatty()

    def step() -> None:
        nonlocal bar, done
        done += 1
        if bar is not None:
            bar.update(1)
        elif seen and time.monotonic() - begun > PATIENCE:
            import click  # noqa: PLC0415  (a plain command line is read without)

            bar = stack.enter_context(click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True))
            bar.update(done)

    with ExitStack() as stack:
        yield step
    if bar is not None:
        import click  # noqa: PLC0415  (as above)

        click.echo(_LINE_AWAY, nl=False, err=True)  # the report needs no bar above it
