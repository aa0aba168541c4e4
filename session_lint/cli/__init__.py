"""The command ``session-lint``: arguments in, reports out, exit codes as ruff and flake8 have them.

0: nothing found; 1: findings; 2: the tool could not do its work; 130: it was interrupted.

``plain`` reads what hooks and editors ask for again and again; everything else is click's, in ``commands``.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO

from session_lint.cli import plain
from session_lint.cli.exits import FAILED, INTERRUPTED
from session_lint.cli.saying import say
from session_lint.collecting import ONE_RUN, collect_seldom
from session_lint.errors import UserError

_UNHEARD = 1  # the exit code of click where nobody reads what is printed


def main() -> None:
    """Run the command and exit; no traceback for what a user can cause."""
    collect_seldom(ONE_RUN)
    sys.stdout = sys.stdout or _nowhere()  # whoever starts the command may have closed them
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a text that the encoding cannot say ends no run
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_run(sys.argv[1:]))
    except KeyboardInterrupt:
        say("", err=True)
        sys.exit(INTERRUPTED)
    except UserError as error:
        say(f"session-lint: {error}", err=True)
        try:
            sys.stdout.flush()
        except OSError:  # which is what the error is about
            _print_no_more()
        sys.exit(FAILED)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # the reader has seen enough
            say(f"session-lint: {error}", err=True)
        _print_no_more()
        sys.exit(_UNHEARD if isinstance(error, BrokenPipeError) else FAILED)


def _print_no_more() -> None:
    """Let go of what is still to be written, and has no place to go: Python would complain at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    read = plain.options(arguments)
    if read is None:
        from session_lint.cli.commands import run  # noqa: PLC0415  (click is a third of what a short run costs)

        return run()
    from session_lint.cli.checking import once  # noqa: PLC0415  (other commands need less)
    from session_lint.cli.defaults import filled  # noqa: PLC0415

    paths, given = read
    return once(paths or ["."], filled(given, paths))


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
