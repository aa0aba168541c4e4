"""``session-lint server``: the linter inside of an editor."""

from __future__ import annotations

import logging
import sys

import click

from session_lint.cli.screen import Screen

MISSING = "the editor's server needs the extra `server`: pip install 'session-lint[server]'"


@click.command(cls=Screen, examples=("session-lint server", "session-lint server --log-level info"))
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    help="What is written to standard error.",
)
def server(log_level: str) -> None:
    """Speak the Language Server Protocol on standard input and output; an editor starts it.

    It checks what is typed before it is saved, offers fixes and shows the pages of the rules. See the documentation,
    "Editors", for how Visual Studio Code, Neovim, Helix, Emacs, PyCharm and Sublime Text are told to start it.
    """
    logging.basicConfig(stream=sys.stderr, level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    try:
        from session_lint.lsp.features import make  # noqa: PLC0415  (an extra, and slow to import)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pygls", "lsprotocol", "cattrs", "attrs"):
            raise
        raise click.ClickException(MISSING) from None
    one = make()
    protocol, sys.stdout = sys.stdout, sys.stderr  # nothing else may stand between the messages
    one.start_io(sys.stdin.buffer, protocol.buffer)
    one.analyst.stop()
    sys.exit(one.exit_code)
