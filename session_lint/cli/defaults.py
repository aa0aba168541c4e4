"""Options of ``check`` that were not given: what the settings say, else what is usual."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.cli.run import STDIN, settings_for
from session_lint.finding import Severity
from session_lint.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence


def filled(given: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The options with those filled in that were not given.

    A run has one report and one exit code: the settings of what was named first decide, without paths those of the
    current folder. Settings in error decide nothing here: the run tells of all of them at once.
    """
    first = next(iter(paths), ".")
    try:
        settings = settings_for(Path((given["stdin_filename"] or ".") if first == STDIN else first), given)
    except SettingsError:
        settings = Settings()
    said = {
        "output_format": settings.output_format or "full",
        "error_on": settings.error_on or Severity.STYLE.value,
        "jobs": settings.jobs,
    }
    return {**given, **{name: value for name, value in said.items() if given[name] is None}}
