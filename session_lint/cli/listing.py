"""``check --show-files`` and ``--show-settings``: what a run would be about, and by which rules."""

from __future__ import annotations

import json
import sys
from dataclasses import fields, replace
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
_OPTIONS = {
    "cache": "no_cache",
    "whole_project": "no_project",
    "baseline": "baseline_file",
    "unsafe_fixes": "unsafe",
}
"""The option that speaks of a key, where it is called otherwise."""


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
    settings = _with_options(settings_for(path, given), given)
    rows = list(_rows(settings, _origins(settings.files), given))
    width = max(len(row) for row, _ in rows)
    lines = [f"{row:<{width}}  # {source}" for row, source in rows]
    running = [code for code, rule in catalogue().items() if settings.selected(rule, str(absolute(path)))]
    files = " and ".join(shown(str(file)) for file in settings.files) or "no file"
    head = f"# the settings for {shown(str(path))}, from {files}"
    return "\n".join([head, *lines, "", f"# the rules that run: {', '.join(running) or 'none'}"]) + "\n"


def _with_options(settings: Settings, given: dict[str, Any]) -> Settings:
    """Settings with the options that a run as a whole goes by over them."""
    named = {name: given[name] for name in ("output_format", "error_on", "jobs") if given[name] is not None}
    if given["unsafe"]:
        named["unsafe_fixes"] = True
    if given["baseline"] is False:
        named["baseline"] = None
    elif given["baseline_file"]:
        named["baseline"] = str(absolute(given["baseline_file"]))
    return replace(settings, **named)


def _rows(settings: Settings, origins: dict[str, str], given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in fields(settings):
        if field.name in _NO_KEYS:
            continue
        key = field.name.replace("_", "-")
        sources = [origins[key]] if key in origins else []
        option = given.get(_OPTIONS.get(field.name, field.name))
        if option is not None and option is not False:
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
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple) and value and isinstance(value[0], tuple):
        return "{ " + ", ".join(f"{_written(name)} = {_written(inner)}" for name, inner in value) + " }"
    if isinstance(value, tuple):
        return "[" + ", ".join(_written(one) for one in value) + "]"
    names = getattr(value, "names", ())  # the vocabulary
    return "{ " + ", ".join(_written(name) for name, _ in names) + " }" if names else "{}"
