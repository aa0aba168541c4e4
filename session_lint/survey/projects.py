"""Which projects lie below the folders that were named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.errors import UserError
from session_lint.files import USUAL
from session_lint.python.layout import MANIFESTS, REPOSITORIES
from session_lint.python.modules import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MARKS = frozenset((*REPOSITORIES, *MANIFESTS))
"""What only the top folder of a project holds."""


def projects(paths: Sequence[str]) -> list[Path]:
    """The folders of all projects below some folders, each once, sorted.

    A folder is a project where it is a repository, has a `pyproject.toml`, `setup.py` or `setup.cfg`, or holds Python
    files or a package. Any other is a folder of projects, and looked into; links, hidden folders and those that a walk
    leaves out are not. What lies inside of a project belongs to it.

    :raises UserError: where a path is no folder, holds no project, or lies inside of another one.
    """
    found: dict[Path, str] = {}
    for name in paths:
        folder = absolute(Path(name))
        if not folder.is_dir():
            what = "not a folder; name the folders of projects" if folder.exists() else "no such folder"
            raise UserError(f"{name}: {what}")
        before = len(found)
        found.update((project, name) for project in _below(folder))
        if len(found) == before and not any(folder in (one, *one.parents) for one in found):
            raise UserError(f"{name}: no project is there: no repository, no pyproject.toml and no Python file")
    for project, name in found.items():
        around = next((one for one in project.parents if one in found), None)
        if around is not None:
            raise UserError(f"{name}: lies in the project {around}, which is named, too: name one of them")
    return sorted(found, key=lambda one: one.parts)


def _below(folder: Path) -> Iterator[Path]:
    """The projects in a folder that was named, which may be one itself."""
    todo = [folder]
    while todo:
        place = todo.pop()
        try:
            with os.scandir(place) as listed:
                entries = list(listed)
        except OSError as error:
            if place == folder:
                raise UserError(f"{folder}: cannot be listed: {error.strerror or error}") from None
            continue
        inner = [entry for entry in entries if _is_open(entry)]
        if _is_project(entries, inner):
            yield place
        else:
            todo += [Path(entry.path) for entry in inner]


def _is_project(entries: Sequence[os.DirEntry[str]], inner: Sequence[os.DirEntry[str]]) -> bool:
    names = {entry.name for entry in entries}
    return (
        not MARKS.isdisjoint(names)
        or any(name.endswith(".py") for name in names)
        or any(Path(entry.path, "__init__.py").is_file() and not _is_marked(entry) for entry in inner)
    )


def _is_marked(folder: os.DirEntry[str]) -> bool:
    """Whether a folder is a project by itself, be it a package or not."""
    return any(Path(folder.path, mark).exists() for mark in MARKS)


def _is_open(entry: os.DirEntry[str]) -> bool:
    """Whether projects are looked for in what a folder holds."""
    return not entry.name.startswith(".") and entry.name not in USUAL and entry.is_dir(follow_symlinks=False)
