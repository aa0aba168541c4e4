"""``check --show-files`` and ``--show-settings``: what a run would be about, and by which rules."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN, FAILED
from session_lint.cli.run import complain, groups, settings_for
from session_lint.python.modules import absolute
from session_lint.report.concise import shown
from session_lint.rules import catalogue

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.settings import Settings

_NO_KEYS = ("root", "files", "ignores_here")
_SWITCHES = {"cache": "no_cache", "whole_project": "no_project"}
"""The options that turn a key off, by the key."""


def show(paths: Sequence[str], given: dict[str, Any]) -> int:
    """Print the settings for some paths, or the files that a run over them would look at.

    :returns: the exit code.
    :raises SettingsError: where settings cannot be followed.
    """
    if given["show_settings"]:
        click.echo("\n".join(_settings(Path(path), given) for path in paths), nl=False)
        return CLEAN
    found, missing = groups(paths, given)
    files = sorted((file for _, chosen in found for file in chosen), key=lambda file: file.parts)
    click.echo("".join(f"{shown(str(file))}\n" for file in files), nl=False)
    complain(missing)
    return FAILED if missing else CLEAN


def _settings(path: Path, given: dict[str, Any]) -> str:
    """The settings that hold for a path, each with where it comes from, and the rules that run by them."""
    settings = settings_for(path, given)
    rows = list(_rows(settings, _origins(settings.files), given))
    width = max(len(row) for row, _ in rows)
    lines = [f"{row:<{width}}  # {source}" for row, source in rows]
    running = [code for code, rule in catalogue().items() if settings.selected(rule, str(absolute(path)))]
    files = " and ".join(shown(str(file)) for file in settings.files) or "no file"
    head = f"# the settings for {shown(str(path))}, from {files}"
    return "\n".join([head, *lines, "", f"# the rules that run: {', '.join(running) or 'none'}"]) + "\n"


def _rows(settings: Settings, origins: dict[str, str], given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in fields(settings):
        if field.name in _NO_KEYS:
            continue
        key = field.name.replace("_", "-")
        sources = [origins[key]] if key in origins else []
        if given.get(field.name) is not None or given.get(_SWITCHES.get(field.name, "")):
            sources.append("command line")
        if (value := getattr(settings, field.name)) is not None:
            yield f"{key} = {_written(value)}", " and ".join(sources) or "default"


def _origins(files: Sequence[Path]) -> dict[str, str]:
    """The settings files that say something of each key; where one extends another both may."""
    found: dict[str, list[str]] = {}
    for file in files:
        content = tomllib.loads(file.read_text("utf-8"))
        for key in content.get("tool", {}).get("session-lint", content):
            found.setdefault(key, []).append(shown(str(file)))
    return {key: " and ".join(named) for key, named in found.items()}


def _written(value: object) -> str:
    """A value much as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, str)):
        return repr(value).replace("'", '"')
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "{ " + ", ".join(f'"{name}" = {_written(inner)}' for name, inner in value) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    names = getattr(value, "names", ())  # the vocabulary
    return "{ " + ", ".join(f'"{name}"' for name, _ in names) + " }" if names else "{}"
