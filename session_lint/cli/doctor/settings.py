"""Whether all that the settings and a baseline say has an effect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.cli.doctor.advice import Advice
from session_lint.files import discover
from session_lint.recording import FILE, BaselineError, read
from session_lint.rules import catalogue
from session_lint.settings import SettingsError, load
from session_lint.settings.idle import idle_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.settings import Settings


def idle(root: Path) -> Iterator[Advice]:
    """Settings without which nothing would change."""
    settings = _settings(root)
    if settings is None or not settings.files:
        return
    files, _ = discover([str(settings.root or root)], settings)
    for line in idle_settings(settings, files):
        yield Advice(settings.files[0], line, "take it away")


def baseline(root: Path) -> Iterator[Advice]:
    """A baseline that cannot be read, or that records findings of rules that there are not."""
    settings = _settings(root)
    file = Path(settings.baseline) if settings and settings.baseline else (settings and settings.root or root) / FILE
    if settings is None or not file.is_file():
        return
    try:
        recorded = read(file)
    except BaselineError as error:
        yield Advice(file, f"it cannot be used: {error}", "mend it, or record a new one with `session-lint baseline`")
        return
    for code in sorted({entry.code for entry in recorded.entries} - {*catalogue()}):
        yield Advice(file, f"it records findings of {code}, which no rule has", "session-lint baseline --prune")


def _settings(root: Path) -> Settings | None:
    """The settings of a folder; ``None`` where they are in error, which is told with the cache."""
    try:
        return load(root)
    except SettingsError:
        return None
