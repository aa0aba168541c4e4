"""Long pages on a terminal, one screen after the other."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from session_lint.report.run import Look


def paged(text: str, look: Look) -> None:
    """Print a text, by ``PAGER`` (or ``less``) where it is longer than the terminal and somebody can turn pages.

    :param look: of standard output.
    """
    high = text.count("\n") >= shutil.get_terminal_size().lines
    wanted = os.environ.get("PAGER") not in ("", "cat")
    if high and wanted and look.width is not None and sys.stdin is not None and sys.stdin.isatty():
        click.echo_via_pager(f"{text}\n", color=None if look.colour else False)  # with None, click tells less of them
    else:
        click.echo(text, color=look.colour)
