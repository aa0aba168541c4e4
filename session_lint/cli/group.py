"""The command's sub-commands: imported when they are asked for, and named where somebody has mistyped."""

from __future__ import annotations

import difflib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.screen import write_examples

if TYPE_CHECKING:
    from collections.abc import Sequence


class Commands(click.Group):
    """A group whose commands are modules.

    :param modules: by the name of a command the module that holds it, the attribute, and what it does in a few words.
    :param examples: command lines that show how it is used.
    """

    def __init__(
        self, *arguments: Any, modules: dict[str, tuple[str, str, str]], examples: Sequence[str], **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.modules = modules
        self.examples = tuple(examples)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  (click's)
        """The names of the commands, in the order in which people need them."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  (click's)
        """A command by its name."""
        if cmd_name not in self.modules:
            return None
        module, attribute, _ = self.modules[cmd_name]
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  (click's)
        """The commands with what they do, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, _, said) in self.modules.items()])
        write_examples(self.examples, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments without the command's own options.

        :raises click.UsageError: where an option is there that belongs to a sub-command.
        """
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            owner = self._owner(ctx, error.option_name)
            if owner is None:
                raise
            rest = " ".join(word for word in given if word not in self.modules)
            raise click.UsageError(
                f"{error.option_name} is an option of `{owner}`: session-lint {owner} {rest}", ctx
            ) from None

    def _owner(self, ctx: click.Context, option: str) -> str | None:
        """The first command that has an option."""
        for name in self.modules:
            command = self.get_command(ctx, name)
            if command is not None and any(option in parameter.opts for parameter in command.params):
                return name
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names.

        :raises click.UsageError: where it names none; the message says what may be meant.
        """
        name = args[0]
        if name in self.modules or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, self.modules, n=1)
        if near:
            hint = f"did you mean `{near[0]}`?"
        elif Path(name).exists() or name == "-":
            hint = f"to look for mistakes in it: session-lint check {' '.join(args)}"
        else:
            hint = "`session-lint --help` lists the commands"
        raise click.UsageError(f"no such command {name!r}; {hint}", ctx)
