"""What the commands that look at files share: the settings for each, and which files they are."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.cli.saying import say
from session_lint.documents import text_of
from session_lint.engine import failed
from session_lint.files import Missing, discover, excluded
from session_lint.python.modules import absolute
from session_lint.report.concise import shown
from session_lint.settings import Mistake, Settings, SettingsError, configures, load, override, patterns
from session_lint.source import Source, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.finding import Finding

STDIN = "-"


_SELECTORS = ("select", "ignore", "extend_select", "extend_ignore")


def settings_for(path: Path, given: dict[str, Any]) -> Settings:
    """The settings of the file nearest a path, with the command line over them.

    :param given: the command's options; ``root`` is what its patterns are relative to where there is no such file.
    :raises SettingsError: where they cannot be followed.
    """
    folder = path if path.is_dir() else path.parent
    found = _loaded(absolute(folder), given["isolated"], given["config"])
    switched = {name: False for name, off in (("cache", "no_cache"), ("whole_project", "no_project")) if given.get(off)}
    names = (*_SELECTORS, "exclude", "extend_exclude", "force_exclude", "per_file_ignores", "markdown")
    root = found.root or given.get("root")
    settings = override(found, **{name: given.get(name) for name in names}, **switched, root=root)
    for name in ("exclude", "extend_exclude"):
        try:
            _ = given[name] and patterns(given[name])
        except ValueError as error:
            raise SettingsError(f"--{name.replace('_', '-')}: {error}") from None
    return settings


@cache  # a commit hook names a thousand files of one folder
def _loaded(folder: Path, isolated: bool, config: Path | None) -> Settings:  # noqa: FBT001
    return load(folder, isolated=isolated, config=config)


def from_stdin(paths: Sequence[str]) -> bool:
    """Whether standard input is what a run is about.

    :raises click.UsageError: where it is and files are, too.
    """
    if STDIN in paths and len(set(paths)) > 1:
        import click  # noqa: PLC0415  (a plain command line is read without)

        raise click.UsageError("'-' is standard input, and stands alone")
    return STDIN in paths


def groups(paths: Sequence[str], given: dict[str, Any]) -> tuple[list[tuple[Settings, list[Path]]], list[Missing]]:
    """The files to look at, each once, by the settings nearest to them, and the paths that do not exist.

    A walk goes by the settings of the folder that was named; a project inside it has a say in its own files.

    :raises SettingsError: where settings cannot be followed, with all mistakes of all their files.
    """
    nearest: dict[Path, Settings] = {}
    mistakes: list[Mistake] = []
    by_settings: dict[Settings, list[str]] = {}
    for name in paths:
        path = absolute(Path(name))
        settings = _nearest(path if path.is_dir() else path.parent, given, nearest, mistakes)
        by_settings.setdefault(settings, []).append(name)
    chosen: dict[Path, tuple[Settings, Path]] = {}
    missing = []
    for settings, named in by_settings.items():
        files, absent = discover(named, settings)
        missing += absent
        for file in files:
            place = absolute(file)
            own = _nearest(place.parent, given, nearest, mistakes)
            if own == settings or not excluded(file, own):
                chosen.setdefault(place, (own, file))
    if mistakes:
        raise SettingsError.of(mistakes)
    found: dict[Settings, list[Path]] = {}
    for settings, file in chosen.values():
        found.setdefault(settings, []).append(file)
    return list(found.items()), missing


def _nearest(folder: Path, given: dict[str, Any], known: dict[Path, Settings], mistakes: list[Mistake]) -> Settings:
    """The settings in a folder, looked up once for all folders that share them.

    :param known: what has been looked up, which grows.
    :param mistakes: what is wrong in files, which grows, too; the usual settings stand in for theirs.
    :raises SettingsError: where the command line cannot be followed.
    """
    way = [folder]
    while (top := way[-1]) not in known and top.parent != top and not configures(top):
        way.append(top.parent)
    if top not in known:
        try:
            known[top] = settings_for(top, given)
        except SettingsError as error:
            if not error.mistakes:
                raise
            mistakes += error.mistakes
            known[top] = Settings()
    known.update(dict.fromkeys(way, known[top]))
    return known[top]


def stdin_source(given: dict[str, Any]) -> tuple[Source | None, list[Finding], Settings, bytes]:
    """The text on standard input, or the finding that says why it cannot be read; neither where it is excluded."""
    name = given["stdin_filename"] or "<stdin>"
    settings = settings_for(Path(given["stdin_filename"] or "."), given)
    if sys.stdin is None:
        import click  # noqa: PLC0415  (as above)

        raise click.ClickException("standard input is closed")
    data = sys.stdin.buffer.read()
    if settings.force_exclude and given["stdin_filename"] and excluded(Path(name), settings):
        return None, [], settings, data
    try:
        return text_of(name, data), [], settings, data
    except SourceError as error:
        return None, failed(name, settings, error.message, error.location), settings, data


def forget() -> None:
    """Read settings and texts anew from now on: files may have changed."""
    _loaded.cache_clear()
    source_of.cache_clear()


def complain(missing: Sequence[Missing]) -> None:
    """Say which paths could not be looked at."""
    for absent in missing:
        say(f"session-lint: {absent.path}: {absent.reason}", err=True)


def complain_of_unread(failures: Sequence[Finding]) -> None:
    """Say which files could not be analysed, in a run that has no report for it."""
    for one in failures:
        say(f"session-lint: {shown(one.filename)}:{one.location.row}: {one.message}", err=True)


@cache
def source_of(filename: str) -> Source | None:
    """The text of a file, if it can be read."""
    try:
        return text_of(filename, Path(filename).read_bytes())
    except (OSError, SourceError):
        return None
