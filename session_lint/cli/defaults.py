"""Options that were not given: what the settings say, else what is usual."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.cli.run import STDIN, groups, settings_for
from session_lint.finding import Severity
from session_lint.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.settings import Settings


def filled(given: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The options of ``check`` with those filled in that were not given.

    A run has one report, one baseline and one exit code: the settings of what was named first decide, without paths
    those of the current folder.

    :raises SettingsError: where the settings cannot be followed.
    """
    settings = _first(given, paths)
    said = {
        "output_format": settings.output_format or "full",
        "error_on": settings.error_on or Severity.STYLE.value,
        "jobs": settings.jobs,
        "baseline_file": _baseline(settings),
    }
    return {**given, **{name: value for name, value in said.items() if given[name] is None}}


def baseline_file(given: dict[str, Any], paths: Sequence[str]) -> Path | None:
    """The baseline that the options name, else the settings; ``None`` where neither does.

    :raises SettingsError: where the settings cannot be followed.
    """
    named: Path | None = given["baseline_file"]
    return named or _baseline(_first(given, paths))


def _first(given: dict[str, Any], paths: Sequence[str]) -> Settings:
    """The settings of what was named first.

    :raises SettingsError: where they cannot be followed, with the mistakes of all that was named.
    """
    first = next(iter(paths), ".")
    try:
        return settings_for(Path((given["stdin_filename"] or ".") if first == STDIN else first), given)
    except SettingsError:
        groups(paths or ["."], given)
        raise


def _baseline(settings: Settings) -> Path | None:
    return Path(settings.baseline) if settings.baseline else None
