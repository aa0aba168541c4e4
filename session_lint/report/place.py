"""Where a file is for whoever reads a report on another machine: counted from the top of its repository.

And where a place in a notebook is for whoever knows no cells: what its rows count in is no line of the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from session_lint.finding import Location

if TYPE_CHECKING:
    from session_lint.finding import Finding, Step


def top() -> Path:
    """The folder that paths are counted from: the repository that the run was started in, else the current folder."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def within(filename: str, root: Path) -> str | None:
    """A file's path from a folder on, with slashes; ``None`` where the file lies elsewhere.

    What stands for no file (``<stdin>``) is left as it is.
    """
    if filename.startswith("<"):
        return filename
    try:
        relative = os.path.relpath(filename, root)
    except ValueError:  # another drive
        return None
    return None if relative.split(os.sep, 1)[0] == os.pardir else Path(relative).as_posix()


def path(filename: str, root: Path) -> str:
    """A file's path from a folder on, or the whole path where the file lies elsewhere; with slashes."""
    inside = within(filename, root)
    return _absolute(filename).as_posix() if inside is None else inside


def uri(filename: str, root: Path) -> str:
    """The same as a URI: each byte that would mean something else there is written as ``%`` and its number."""
    inside = within(filename, root)
    return _absolute(filename).as_uri() if inside is None else quote(os.fsencode(inside))


def in_file(location: Location) -> Location:
    """A place as one in the lines of its file: of a cell it is the first line, and :func:`told` says the rest."""
    return Location(1, 1) if location.cell else location


def told(about: Finding | Step) -> str:
    """The message of a finding or a step, for a report whose places are lines of files: it names the cell itself."""
    where = about.location
    return f"cell {where.cell}, line {where.row}: {about.message}" if where.cell else about.message


def _absolute(filename: str) -> Path:
    return Path(os.path.abspath(filename))  # noqa: PTH100  # links stay as they are
