"""``session-lint doctor``: whether the tools around it are set up to work with it; one module a tool."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from session_lint.cli.doctor.cache import cache
from session_lint.cli.doctor.flake8 import flake8
from session_lint.cli.doctor.pre_commit import pre_commit
from session_lint.cli.doctor.ruff import ruff
from session_lint.cli.doctor.settings import baseline, idle
from session_lint.cli.exits import CLEAN, FOUND
from session_lint.cli.screen import Screen
from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from session_lint.cli.doctor.advice import Advice

EXAMINATIONS: tuple[Callable[[Path], Iterable[Advice]], ...] = (ruff, flake8, pre_commit, cache, idle, baseline)
"""What is looked at: from the folder of a project to what to change in it."""


@click.command(cls=Screen, examples=("session-lint doctor", "session-lint doctor services/billing"))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_context
def doctor(context: click.Context, /, folder: Path) -> None:
    """See whether ruff, flake8, pre-commit and the cache are set up to work with session-lint in a project.

    ruff has to know our codes, flake8 must not mask them, hooks have to leave excluded files out, the folder of the
    cache has to be writable, every setting to have an effect, and a baseline to record rules that there are. What is
    not there is not looked at, and nothing is changed.

    Exit codes: 0 nothing to change, 1 something is, 2 it could not do its work.
    """
    found = [advice for examine in EXAMINATIONS for advice in examine(folder)]
    for one in found:
        click.echo(f"{shown(str(one.file))}: {one.wrong}\n  help: {one.cure}")
    click.echo(f"{many(len(found), 'thing')} to change" if found else "Nothing to change")
    context.exit(FOUND if found else CLEAN)
