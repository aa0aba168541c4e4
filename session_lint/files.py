"""Which files a run is about: what was named, and what a walk through the named folders finds.

A walk takes ``*.py``, and notebooks and Markdown where the settings say so; it leaves out what git ignores and what the
settings exclude, and asks git itself where there is one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.documents import MARKDOWN, NOTEBOOK
from session_lint.python.modules import absolute
from session_lint.settings import patterns
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pathspec import GitIgnoreSpec

    from session_lint.settings import Settings

USUAL = (
    *("__pycache__", "__pypackages__", "node_modules", "site-packages", "venv", "_build", "build", "dist"),
    *(
        ".bzr",
        ".direnv",
        ".eggs",
        ".git",
        ".hg",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".nox",
        ".pyenv",
        ".pytest_cache",
    ),
    *(".ruff_cache", ".session_lint_cache", ".svn", ".tox", ".venv", ".vscode"),
)
STAGED = r"(\d{6}) [0-9a-f]+ \d\t"
GITLINK = "160000"


@dataclass(frozen=True)
class Missing:
    """A path that was named and cannot be linted, and why."""

    path: str
    reason: str


def discover(paths: Sequence[str], settings: Settings) -> tuple[list[Path], list[Missing]]:
    """The files to lint.

    :param paths: files, which are always taken, and folders, which are walked.
    :returns: the files, sorted, each once; and what could not be looked into.
    """
    found: dict[Path, Path] = {}
    missing: list[Missing] = []
    for name in dict.fromkeys(paths):
        path = Path(name)
        if settings.force_exclude and excluded(path, settings):
            continue
        if path.is_dir():
            walked = _Walk(path, settings, missing)
            found.update((absolute(file), file) for file in walked.files())
        elif path.is_file():
            found[absolute(path)] = path
        else:
            missing.append(
                Missing(name, "neither a file nor a folder" if os.path.lexists(path) else "no such file or folder")
            )
    return sorted(found.values(), key=lambda file: file.parts), missing


def excluded(path: Path, settings: Settings) -> bool:
    """Whether the settings exclude a path: their patterns it or a folder it is in, or their keys its kind of file."""
    if not settings.notebooks and path.name.lower().endswith(NOTEBOOK):
        return True
    place = settings.relative(path)
    if place is None or place == ".":
        return False
    parts = place.split("/")
    match = _matcher(settings)
    return any(match("/".join(parts[:end]), True) for end in range(1, len(parts))) or match(place, path.is_dir())


def _suffixes(settings: Settings) -> tuple[str, ...]:
    """How the names of the files end that a walk takes."""
    wanted = ((".py", True), (NOTEBOOK, settings.notebooks), (MARKDOWN, settings.markdown))
    return tuple(suffix for suffix, taken in wanted if taken)


def _matcher(settings: Settings) -> Callable[[str, bool], bool]:
    """A test whether the settings exclude a path: told where it is below the root, and whether it is a folder.

    It speaks of the path by itself, not of the folders that it is in.
    """
    usual = frozenset(() if settings.exclude else USUAL)
    lines = (*settings.exclude, *settings.extend_exclude)
    spec = patterns(lines) if lines else None

    def match(place: str, folder: bool) -> bool:  # noqa: FBT001
        if folder and place.rpartition("/")[2] in usual:
            return True
        return spec is not None and spec.match_file(f"{place}/" if folder else place)

    return match


class _Walk:
    """One walk through a folder that was named.

    :param missing: where folders that cannot be listed are told.
    """

    def __init__(self, folder: Path, settings: Settings, missing: list[Missing]) -> None:
        self.folder = folder
        self.match = _matcher(settings)
        self.suffixes = _suffixes(settings)
        self.missing = missing
        # A folder that is excluded and named all the same is meant: the patterns then hold inside it only.
        place = settings.relative(folder)
        self.prefix = "" if place in (None, ".") or excluded(folder, settings) else f"{place}/"
        self.folders: dict[str, bool] = {"": False}

    def files(self) -> Iterator[Path]:
        """The files below the folder that are looked at."""
        for place in self._places(""):
            if not self.excluded(place):
                yield self.folder / place

    def excluded(self, place: str, *, folder: bool = False) -> bool:
        """Whether the patterns exclude a file or a folder on the way to it."""
        above = place.rpartition("/")[0]
        if above not in self.folders:
            self.folders[above] = self.excluded(above, folder=True)
        return self.folders[above] or self.match(self.prefix + place, folder)

    def _places(self, below: str) -> Iterator[str]:
        """The files under ``below``, relative to the folder."""
        base = self.folder / below
        listed = listed_by_git(base, self.suffixes)
        if listed is None:
            for file in _listed_by_walking(
                base, self.suffixes, self._unlisted, lambda place: self.excluded(below + place, folder=True)
            ):
                yield below + file
            return
        files, repositories = listed
        yield from (below + file for file in files)
        for repository in repositories:
            if not self.excluded(below + repository, folder=True):
                yield from self._places(f"{below}{repository}/")

    def _unlisted(self, error: OSError) -> None:
        self.missing.append(
            Missing(str(Path(error.filename or self.folder)), f"cannot be listed: {error.strerror or error}")
        )


def listed_by_git(folder: Path, suffixes: tuple[str, ...]) -> tuple[list[str], list[str]] | None:
    """What git knows of a folder: tracked, and neither tracked nor ignored.

    :param suffixes: how the names of the files end.
    :returns: the files and the repositories inside it, relative to it; ``None`` where git does not work, or
        ignores the folder itself, which was named all the same.
    """
    answer = _git(folder, "ls-files", "-z", "--cached", "--others", "--stage", "--exclude-standard")
    if answer is None:
        return None
    files, repositories = [], []
    for entry in dict.fromkeys(os.fsdecode(answer).split("\0")):
        staged = re.match(STAGED, entry, re.ASCII)
        place = entry[staged.end() :] if staged else entry
        if (staged and staged[1] == GITLINK) or place.endswith("/"):
            if (folder / place / ".git").exists():
                repositories.append(place.rstrip("/"))
        elif place.endswith(suffixes) and (folder / place).is_file():
            files.append(place)
    if not files and _git(folder, "check-ignore", "-q", str(folder.absolute())) is not None:
        return None
    return files, repositories


def _git(folder: Path, *arguments: str) -> bytes | None:
    """Git's answer about a folder, whatever repository a hook's environment points to; ``None`` when it has none."""
    import subprocess  # noqa: PLC0415  (a run over files that are named never asks)

    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-C",
        str(folder),
        *arguments,
    ]  # a checked repository runs no program of its own
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=False)  # noqa: S603
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _listed_by_walking(
    folder: Path, suffixes: tuple[str, ...], unlisted: Callable[[OSError], None], excluded: Callable[[str], bool]
) -> Iterator[str]:
    """The files below a folder, relative to it, without those that ``.gitignore`` files ignore.

    :param suffixes: how their names end.
    :param unlisted: told of every folder that cannot be listed.
    :param excluded: whether not to go into a folder.
    """
    ignores = _Ignores(folder)
    for top, folders, files in os.walk(folder, onerror=unlisted):
        place = os.path.relpath(top, folder).replace(os.sep, "/")
        prefix = "" if place == "." else f"{place}/"
        ignores.read(Path(top))
        folders[:] = sorted(
            f for f in folders if not excluded(prefix + f) and not ignores.ignored(Path(top, f), folder=True)
        )
        for file in sorted(files):
            path = Path(top, file)
            if file.endswith(suffixes) and path.is_file() and not ignores.ignored(path, folder=False):
                yield prefix + file


class _Ignores:
    """The ``.gitignore`` files that hold in a folder and below it, for where git itself does not answer."""

    def __init__(self, folder: Path) -> None:
        self.specs: dict[Path, GitIgnoreSpec] = {}
        above = _above(absolute(folder))
        for parent in above:
            self.read(parent)
        if above and self.ignored(absolute(folder), folder=True):
            self.specs.clear()  # it was named all the same

    def read(self, folder: Path) -> None:
        """Take up a folder's own file."""
        try:
            lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
            self.specs[absolute(folder)] = patterns(tuple(lines))
        except (OSError, ValueError):
            return

    def ignored(self, path: Path, *, folder: bool) -> bool:
        """Whether the nearest file that says anything about a path ignores it."""
        path = absolute(path)
        for parent in path.parents if self.specs else ():
            spec = self.specs.get(parent)
            if spec is not None:
                said = spec.check_file(path.relative_to(parent).as_posix() + "/" * folder).include
                if said is not None:
                    return said
        return False


def _above(folder: Path) -> list[Path]:
    """The folders above one, up to the top of its repository; none when it is in no repository."""
    for count, parent in enumerate(folder.parents, 1):
        if (folder / ".git").exists():
            return []
        if (parent / ".git").exists():
            return list(folder.parents[:count])
    return []
