"""All commands, as click has them.

Nothing here imports what only one sub-command needs: each is a module of its own, imported when it is asked for.
"""

from __future__ import annotations

import click

import session_lint
from session_lint.cli.exits import CLEAN, FAILED, INTERRUPTED
from session_lint.cli.group import Commands

HERE = __name__.rpartition(".")[0]
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


def run() -> int:
    """Run the command of this process's command line.

    :returns: the exit code.
    :raises UserError: where something is wrong that whoever started it can put right.
    """
    try:
        code: int | None = command.main(prog_name="session-lint", standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return FAILED
    return code or CLEAN
