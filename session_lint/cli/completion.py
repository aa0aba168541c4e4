"""``session-lint completion``: the script by which a shell completes commands, options and codes of rules."""

from __future__ import annotations

import click

from session_lint.cli.screen import Screen

VARIABLE = "_SESSION_LINT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


@click.command(
    cls=Screen,
    examples=(
        'eval "$(session-lint completion bash)"    # in ~/.bashrc',
        'eval "$(session-lint completion zsh)"     # in ~/.zshrc',
        "session-lint completion fish > ~/.config/fish/completions/session-lint.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, /, shell: str) -> None:
    """Print the script by which a shell completes session-lint: commands, options, codes of rules.

    The shell then asks `session-lint` itself, with the variable _SESSION_LINT_COMPLETE set.
    """
    from click.shell_completion import get_completion_class  # noqa: PLC0415  (only here)

    made = get_completion_class(shell)
    assert made is not None  # one of the three that click knows
    click.echo(made(context.find_root().command, {}, "session-lint", VARIABLE).source())
