"""Options of ``check`` that do not go together, and what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.outputs import FOR_PEOPLE
from session_lint.cli.run import STDIN

if TYPE_CHECKING:
    from collections.abc import Sequence

COUNTED = (*FOR_PEOPLE, "json")
"""The formats that have a place for statistics."""
_MENDING = ("fix", "diff")
_FILES_ONLY = ("watch", "diff_base", "dependents", "show_files")
_NOT_WATCHED = ("fix", "diff", "output_file", "report", "statistics", "show_files", "show_settings")
_NOT_SILENCED = (*_MENDING, "watch", "diff_base", "baseline", "output_file", "report", "statistics")


def refuse(paths: Sequence[str], given: dict[str, Any]) -> None:
    """Refuse what contradicts itself.

    :raises click.UsageError: the message says what to do instead.
    """
    for options, instead in (
        (_both(given, ("quiet", "verbose")), "leave one of them out"),
        (_with_standard_input(paths, given, _MENDING), "`session-lint fix -` mends what it reads"),
        (_with_standard_input(paths, given, _FILES_ONLY), "name files or folders"),
        (_both(given, ("watch",), _NOT_WATCHED), "leave one of them out"),
        (_both(given, ("diff_base",), _MENDING), "`session-lint fix` mends whole files; name those that you mean"),
        (_both(given, ("fix", "diff")), "--diff shows what --fix would write; leave one of them out"),
        (_both(given, ("add_noqa",), _NOT_SILENCED), "leave one of them out"),
        (_with_standard_input(paths, given, ("add_noqa",)), "comments are written into files; name them"),
        (_both(given, ("statistics",), ("output_file",)), "--report FORMAT:FILE writes the findings beside them"),
        (_form(given, "statistics", COUNTED), f"its formats are {', '.join(COUNTED)}"),
        (_form(given, "watch", FOR_PEOPLE), f"its formats are {', '.join(FOR_PEOPLE)}"),
    ):
        if options:
            raise click.UsageError(f"{options} do not go together: {instead}")
    if given["add_noqa"] and given["baseline_file"] and given["baseline"] is not False:
        raise click.UsageError(
            "--add-noqa and a baseline do not go together: --no-baseline silences what it knows, too"
        )
    if given["reason"] and not given["add_noqa"]:
        raise click.UsageError("--reason is what a comment says: add --add-noqa")
    if given["unsafe"] and not (given["fix"] or given["diff"]):
        raise click.UsageError("--unsafe says which fixes are carried out: add --fix or --diff")


def _both(given: dict[str, Any], some: Sequence[str], others: Sequence[str] = ()) -> str:
    """The first two options that are both there, one of some and one of others; without others, two of some."""
    first = [name for name in some if given[name]]
    second = [name for name in others if given[name]] if others else first[1:]
    return f"{_option(first[0])} and {_option(second[0])}" if first and second else ""


def _with_standard_input(paths: Sequence[str], given: dict[str, Any], names: Sequence[str]) -> str:
    there = [name for name in names if given[name]]
    return f"{_option(there[0])} and standard input" if STDIN in paths and there else ""


def _form(given: dict[str, Any], name: str, forms: Sequence[str]) -> str:
    wrong = given[name] and given["output_format"] not in forms
    return f"{_option(name)} and --output-format {given['output_format']}" if wrong else ""


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
