"""``check --verbose``: by which settings, how many files, how many of them from the cache, and how long it took."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.cli.linting import Outcome
    from session_lint.settings import Settings


def tell(outcome: Outcome, config: Path | None) -> None:
    """Say on standard error what a run has done.

    :param config: the file of settings that was named, if any.
    """
    for settings, files in outcome.groups:
        click.echo(f"settings from {_origin(settings, config)}: {many(len(files), 'file')}", err=True)
    kept = sum(report.cached for report in outcome.reports)
    click.echo(f"{many(len(outcome.reports), 'file')} checked, {kept} of them from the cache", err=True)
    for stage, seconds in outcome.seconds.items():
        click.echo(f"{stage} took {seconds:.2f} s", err=True)
    if outcome.stages:
        longest = sorted(outcome.stages.items(), key=lambda one: -one[1])
        told = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in longest)
        click.echo(f"of that, in all processes: {told}", err=True)


def _origin(settings: Settings, config: Path | None) -> str:
    if config is not None:
        return shown(str(config))
    return " and ".join(shown(str(file)) for file in settings.files) or "no file"
