"""Whether findings can be kept between runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from session_lint.cli.doctor.advice import Advice
from session_lint.settings import SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = ".session_lint_cache"
_OFF = "put cache = false into [tool.session-lint]"


def cache(root: Path) -> Iterator[Advice]:
    """A folder that cannot be written, for which every run works everything out anew; and settings in error."""
    try:
        settings = load(root)
    except SettingsError as error:
        yield Advice(root, f"the settings cannot be followed: {error}", "mend them first")
        return
    if not settings.cache:
        return
    home = settings.root or root
    folder = home / FOLDER
    if folder.is_symlink():
        yield Advice(folder, "it is a link, which the cache does not follow", "put a folder in its place")
    elif folder.exists() and not folder.is_dir():
        yield Advice(folder, "it is no folder, so nothing is kept between runs", "take it away")
    elif not os.access(folder if folder.exists() else home, os.W_OK):
        yield Advice(folder, "it cannot be written, so nothing is kept between runs", f"let it be written, or {_OFF}")
