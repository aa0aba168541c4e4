"""The command ``session-lint``: arguments in, reports out, exit codes as ruff and flake8 have them.

0: nothing found; 1: findings; 2: the tool could not do its work; 130: it was interrupted.

Nothing here imports what only one sub-command needs: each is a module of its own, imported when it is asked for.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO

import click

import session_lint
from session_lint.cli.exits import FAILED, INTERRUPTED
from session_lint.cli.group import Commands
from session_lint.collecting import collect_seldom
from session_lint.errors import UserError

HERE = __name__
MODULES = {
    "check": (f"{HERE}.check", "check", "Look for session mistakes in files and folders."),
    "fix": (f"{HERE}.fix", "fix", "Carry out the fixes that change nothing the program writes."),
    "migrate": (f"{HERE}.migrate", "migration", "Rewrite sessions that are managed by hand to scopes."),
    "baseline": (f"{HERE}.baseline", "baseline", "Record today's findings, so that only new ones are reported."),
    "init": (f"{HERE}.init", "init", "Put the reference session module into a project."),
    "rules": (f"{HERE}.rules", "rules", "List the rules."),
    "explain": (f"{HERE}.explain", "explain", "Print the page of a rule."),
    "schema": (f"{HERE}.schema", "schema", "Print the JSON schema of a settings file."),
    "vocabulary": (f"{HERE}.vocabulary", "vocabulary", "Say what a project's own functions were taken for."),
    "map": (f"{HERE}.map", "session_map", "Draw which modules get their sessions in which way."),
    "survey": (f"{HERE}.survey", "survey", "Lint many projects on a Dask cluster."),
    "doctor": (f"{HERE}.doctor", "doctor", "See whether ruff, flake8 and pre-commit are set up for it."),
    "server": (f"{HERE}.server", "server", "Speak the Language Server Protocol to an editor."),
    "completion": (f"{HERE}.completion", "completion", "Print the script by which a shell completes it."),
}
EXAMPLES = ("session-lint check src", "session-lint fix --diff src", "session-lint explain SES101")


@click.group(
    cls=Commands,
    modules=MODULES,
    examples=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(session_lint.__version__, "-V", "--version", prog_name="session-lint")
def command() -> None:
    """Find SQLAlchemy sessions that leak, lose changes or are shared, and mend them."""


def main() -> None:
    """Run the command and exit; no traceback for what a user can cause."""
    collect_seldom()
    sys.stdout = sys.stdout or _nowhere()  # whoever starts the command may have closed them
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a text that the encoding cannot say ends no run
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(command.main(prog_name="session-lint", standalone_mode=False))
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILED)
    except UserError as error:
        click.echo(f"session-lint: {error}", err=True)
        sys.exit(FAILED)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # the reader has seen enough
            click.echo(f"session-lint: {error}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written has no place to go
        sys.exit(FAILED)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
