"""``session-lint vocabulary``: what the tool knows of a project's own definitions, and how."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from session_lint.cli.exits import CLEAN, FAILED
from session_lint.cli.options import file_options
from session_lint.cli.run import complain, complain_of_unread, groups
from session_lint.cli.screen import Screen
from session_lint.engine import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.analysis.glossary import Entry
    from session_lint.finding import Finding
    from session_lint.settings import Settings
    from session_lint.vocabulary import Meaning

Described: TypeAlias = "list[tuple[str, list[Entry]]]"
"""The files with something to tell, each with that."""


@click.command(cls=Screen, examples=("session-lint vocabulary src",))
@file_options
@click.option(
    "--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to list."
)
@click.pass_context
def vocabulary(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Say what files and folders define that has to do with sessions (default: the current folder).

    Factories, functions that open a session, scopes and dependencies, and whether they commit and close, global
    sessions and what closes them, classes that keep a session: all as it was read off the code. What the settings say
    of other names stands at the end.

    Exit codes: 0 done, 2 the tool could not do its work.
    """
    found, missing = groups(paths or ["."], given)
    described, failures = _described(found)
    said = sorted({pair for settings, _ in found for pair in _said(settings)})
    text = _json(described, said) if given["output_format"] == "json" else _text(described, said)
    click.echo(text, nl=False)
    complain(missing)
    complain_of_unread(failures)
    context.exit(FAILED if missing or failures else CLEAN)


def _described(found: list[tuple[Settings, list[Path]]]) -> tuple[Described, list[Finding]]:
    """What there is to tell of files, and why some of them could not be read."""
    described: Described = []
    failures: list[Finding] = []
    for settings, files in found:
        for path in files:
            entries, failed = describe(path, settings)
            failures += failed
            if entries:
                described.append((str(path), entries))
    return sorted(described, key=lambda pair: Path(pair[0]).parts), failures


def _said(settings: Settings) -> list[tuple[str, str]]:
    """The names that the settings speak of, and what they say."""
    tables = settings.vocabulary
    names = [(name, _meaning(meaning)) for name, meaning in tables.names]
    return [*names, *((alias, f"another name for {name}") for alias, name in tables.aliases)]


def _meaning(meaning: Meaning) -> str:
    return f"{meaning.role.value}, commits" if meaning.commits else meaning.role.value


def _text(described: Described, said: list[tuple[str, str]]) -> str:
    parts = [f"{path}\n{_rows(entries)}" for path, entries in described]
    if said:
        width = max(len(name) for name, _ in said)
        parts.append("said by the settings\n" + "".join(f"  {name:<{width}}  {what}\n" for name, what in said))
    return "\n".join(parts) or "Nothing is defined here that has to do with sessions\n"


def _rows(entries: list[Entry]) -> str:
    rows = max(len(str(entry.row)) for entry in entries)
    names = max(len(entry.name) for entry in entries)
    roles = max(len(entry.role) for entry in entries)
    return "".join(f"  {e.row:>{rows}}  {e.name:<{names}}  {e.role:<{roles}}  {e.known}\n" for e in entries)


def _json(described: Described, said: list[tuple[str, str]]) -> str:
    """All entries in one list; those of the settings have no file and no line."""
    found: list[dict[str, object]] = [
        {"filename": os.path.abspath(path), "row": e.row, "name": e.name, "role": e.role, "known": e.known}  # noqa: PTH100
        for path, entries in described
        for e in entries
    ]
    found += [
        {"filename": None, "row": None, "name": name, "role": what.partition(",")[0], "known": "said by the settings"}
        for name, what in said
    ]
    return json.dumps(found, indent=2) + "\n"
