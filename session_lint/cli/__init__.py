"""The command ``session-lint``: arguments in, reports out, exit codes as ruff and flake8 have them.

0: nothing found; 1: findings; 2: the tool could not do its work.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TextIO

import click

import session_lint
from session_lint.cli.baseline import baseline
from session_lint.cli.check import check
from session_lint.cli.explain import explain
from session_lint.cli.fix import fix
from session_lint.cli.init import init
from session_lint.cli.map import session_map
from session_lint.cli.migrate import migration
from session_lint.cli.rules import rules
from session_lint.cli.run import FAILED, INTERRUPTED
from session_lint.cli.vocabulary import vocabulary
from session_lint.engine import collect_seldom
from session_lint.settings import SettingsError
from session_lint.writing import WriteError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(session_lint.__version__, "-V", "--version", prog_name="session-lint")
def command() -> None:
    """Find SQLAlchemy sessions that leak, lose changes or are shared, and mend them."""


for subcommand in (check, fix, baseline, init, session_map, migration, rules, explain, vocabulary):
    command.add_command(subcommand)


def main() -> None:
    """Run the command and exit; no traceback for what a user can cause."""
    collect_seldom()
    sys.stdout = sys.stdout or _nowhere()  # whoever starts the command may have closed them
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name or a text that the encoding cannot say ends no run
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(command.main(standalone_mode=False))
    except click.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(FAILED)
    except (SettingsError, WriteError) as error:
        click.echo(f"session-lint: {error}", err=True)
        sys.exit(FAILED)
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # the reader has seen enough
            click.echo(f"session-lint: {error}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written has no place to go
        sys.exit(FAILED)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
