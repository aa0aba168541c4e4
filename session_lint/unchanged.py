"""``check`` of files in which an earlier run found nothing: answered from what was kept, without a command line.

A hook names the same few files again and again; to say that all is well still shall not take longer than to look. What
is not plain, and whatever there is to tell, is left to the command itself.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.errors import UserError
from session_lint.keeping import drawer, settled
from session_lint.python.modules import absolute
from session_lint.settings import load, override

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from session_lint.keeping import Drawer
    from session_lint.settings import Settings

QUIET = ("-q", "--quiet")
FORCED = "--force-exclude"
_FORMS = (None, "full", "concise")
"""The formats that say no more of files without findings than how many they are."""
_SUFFIXES = (".py", ".pyi")
_COMPLETION = "_SESSION_LINT_COMPLETE"
"""By which a shell asks what a command line may go on with."""


def said_of(arguments: Sequence[str]) -> str | None:
    """What the command prints before it ends with 0.

    :param arguments: those of a whole command line.
    :returns: ``None`` where the command itself has to look. Raises nothing that it would not.
    """
    command, *words = arguments or [""]
    names = [word for word in words if word not in (*QUIET, FORCED)]
    if command != "check" or not names or any(map(_special, names)) or _COMPLETION in os.environ:
        return None
    paths = {absolute(path): path for path in map(Path, names)}
    try:
        if len(paths) < len(names) or not _clean(paths.values(), forced=FORCED in words):
            return None
    except (OSError, UserError):
        return None
    if any(word in QUIET for word in words):
        return ""
    from session_lint.report.concise import summary  # noqa: PLC0415  (a hook is quiet)

    return f"{summary((), len(names))}\n"


def _special(name: str) -> bool:
    """Whether a word of the command line is anything but the name of a Python file."""
    expanded = os.name == "nt" and not set(name).isdisjoint("*?[~$%")
    return name.startswith("-") or not name.endswith(_SUFFIXES) or expanded


def _clean(paths: Iterable[Path], *, forced: bool) -> bool:
    """Whether nothing is found in some files, as far as that is known.

    What takes a look at whole projects comes last: where the answer is no, the command has to take it again.
    """
    places: list[tuple[Path, Settings, Drawer]] = []
    for path in paths:
        settings = _settings(absolute(path.parent))
        if forced:
            settings = override(settings, force_exclude=True)
        place = _place(path, settings)
        if place is None or not place.clear():
            return False
        places.append((path, settings, place))
    return all(settled(path, settings) and place.get() == () for path, settings, place in places)


def _place(path: Path, settings: Settings) -> Drawer | None:
    """Where it is kept what was found in a file; ``None`` where that is not all that there is to know of it."""
    if settings.output_format not in _FORMS or settings.baseline or not path.is_file() or _excluded(path, settings):
        return None
    data = path.read_bytes()
    return None if _speaks(data) else drawer(data, path, settings)


@cache
def _settings(folder: Path) -> Settings:
    return load(folder)


def _excluded(path: Path, settings: Settings) -> bool:
    if not settings.force_exclude:
        return False
    from session_lint.files import excluded  # noqa: PLC0415  (what is named is taken, unless somebody says so)

    return excluded(path, settings)


def _speaks(data: bytes) -> bool:
    """Whether a comment of a file may name codes of ours."""
    lowered = data.lower()
    if b"#" not in data or not (b"noqa" in lowered or b"session-lint" in lowered):
        return False
    from session_lint.suppress import names_codes  # noqa: PLC0415  (few do)

    return names_codes(data.decode("latin-1"))  # what could matter in there is ASCII
