"""``session-lint schema``: the JSON schema of a settings file."""

from __future__ import annotations

from importlib import resources

import click

from session_lint.cli.screen import Screen


@click.command(cls=Screen, examples=("session-lint schema > session-lint.schema.json",))
def schema() -> None:
    """Print the JSON schema of a settings file, for editors that complete and check TOML."""
    click.echo((resources.files("session_lint") / "schema.json").read_text("utf-8"), nl=False)
