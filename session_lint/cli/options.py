"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from session_lint.cli.screen import option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

RULES, FILES, SETTINGS = "Rules", "Files", "Settings"

Command = TypeVar("Command", bound=Callable[..., object])


def _codes(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> tuple[str, ...] | None:
    """``--select SES1,SES2 --select SES3`` as one tuple; ``None`` where the option was not given."""
    return tuple(code.strip() for value in values for code in value.split(",") if code.strip()) or None


def complete_codes(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem] | list[str]:
    """What a shell may complete to: codes of rules, behind those that are there already."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  (only a shell asks)

    from session_lint.rules import catalogue  # noqa: PLC0415

    before, comma, begun = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{code}", help=rule.name)
        for code, rule in catalogue().items()
        if code.startswith(begun.upper())
    ]


def _ignores(
    _context: click.Context, _parameter: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, tuple[str, ...]], ...] | None:
    """``--per-file-ignores 'tests/**:SES1,SES4'`` as the settings have it; ``None`` where it was not given."""
    found = []
    for value in values:
        pattern, colon, codes = value.rpartition(":")
        if not (colon and pattern and codes):
            raise click.BadParameter(f"{value!r} is not PATTERN:CODES; write it as 'tests/**:SES1,SES4'")
        found.append((pattern, tuple(code.strip() for code in codes.split(",") if code.strip())))
    return tuple(found) or None


def _list(heading: str, name: str, metavar: str, text: str) -> Callable[[Command], Command]:
    complete = complete_codes if metavar == "CODES" else None
    return option(heading, name, multiple=True, metavar=metavar, callback=_codes, shell_complete=complete, help=text)


_SELECT = "Run only these rules; these, too."
_IGNORE = "Do not run these rules; nor these."
_EXCLUDE = "Leave these out; these and the usual."
_CONFIG = "Read this file of settings; read none."
_WITHOUT = "Judge each file alone; keep nothing."
_MARKDOWN = "Look into Python blocks of *.md, too."

_FILES = [
    click.argument("paths", nargs=-1, type=click.Path()),
    _list(FILES, "--exclude", "LIST", _EXCLUDE),
    _list(FILES, "--extend-exclude", "LIST", _EXCLUDE),
    option(FILES, "--force-exclude", is_flag=True, default=None, help="Leave them out even when named."),
    option(FILES, "--markdown", is_flag=True, default=None, help=_MARKDOWN),
    option(SETTINGS, "--config", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help=_CONFIG),
    option(SETTINGS, "--isolated", is_flag=True, help=_CONFIG),
    option(SETTINGS, "--no-project", is_flag=True, help=_WITHOUT),
]
_SELECTORS = [
    _list(RULES, "--select", "CODES", _SELECT),
    _list(RULES, "--extend-select", "CODES", _SELECT),
    _list(RULES, "--ignore", "CODES", _IGNORE),
    _list(RULES, "--extend-ignore", "CODES", _IGNORE),
]
_HERE = [
    option(
        RULES,
        "--per-file-ignores",
        multiple=True,
        metavar="PATTERN:CODES",
        callback=_ignores,
        help="Nor these in some files.",
    )
]
_RUN = [
    option(SETTINGS, "--no-cache", is_flag=True, help=_WITHOUT),
    option(FILES, "--stdin-filename", metavar="NAME", help="What to call the text read for `-`."),
]


def options(command: Command) -> Command:
    """Give a command the options that all runs of rules over files share."""
    return _given([*_SELECTORS, *_HERE, *_FILES, *_RUN], command)


def survey_options(command: Command) -> Command:
    """Give a command the options of runs that may take place elsewhere: none is about the current folder."""
    return _given([*_SELECTORS, *_FILES], command)


def file_options(command: Command) -> Command:
    """Give a command the options that say which files are looked at, and with what around them."""
    return _given(_FILES, command)


def _given(choice: Sequence[Callable[[Any], Any]], command: Command) -> Command:
    return reduce(lambda decorated, one: one(decorated), reversed(choice), command)
