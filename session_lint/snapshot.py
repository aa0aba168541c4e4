"""What a whole run has found, for as long as nothing looks different: told again without reading a file.

A run over folders rests on the files below them, on the project around them, and on settings and ignore files on the
way up. As long as each of these looks as it did before the run (its size, its times, its place on the disk), the
answer is the same. Whatever is out of the ordinary is left to the cache of single files.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.digests import blake2b
from session_lint.entries import decoded, encoded
from session_lint.files import USUAL
from session_lint.frames import packed, unpacked
from session_lint.keeping import store_at
from session_lint.python.layout import MANIFESTS, PASSED, REPOSITORIES, TOPS, environment
from session_lint.python.modules import absolute
from session_lint.python.project import root_of_project
from session_lint.settings import NAMES
from session_lint.store import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from session_lint.cache import Cache
    from session_lint.finding import Finding
    from session_lint.settings import Settings

Told = list[tuple[str, tuple["Finding", ...]]]
"""The files of a run, each with what was found in it, in their order."""
_SUFFIXES = (".py", ".pyi", ".ipynb", ".md")
_NAMED = frozenset({*NAMES, *MANIFESTS, *TOPS, ".gitignore"})
_PASSED = frozenset(name for name in USUAL if name.startswith(".") or name in PASSED)
"""Folders in which there is nothing that a run goes into, nor what an import could mean."""
_EXTENDS = re.compile(rb"(?<![\w-])extend(?![\w-])[\"']?\s*=").search
_OF_GIT = ("index", "config", "info/exclude")
_OF_USER = (".gitconfig", ".config/git/config", ".config/git/ignore")
_SETTLED = 100_000_000
"""Nanoseconds after which a change of a file shows in its times, on any file system that is in use."""
_OPTIONS = (
    *("select", "ignore", "extend_select", "extend_ignore", "exclude", "extend_exclude", "force_exclude"),
    *("per_file_ignores", "markdown", "no_project", "isolated", "config"),
)


class Snapshot:
    """What an earlier run of one command line has left, and the place for what this one finds.

    :param paths: what was named.
    :param given: the command's options.
    """

    def __init__(self, paths: Sequence[str], given: Mapping[str, Any]) -> None:
        self._command = repr((str(Path.cwd()), list(paths), [(name, given.get(name)) for name in _OPTIONS]))
        self._tops = _tops(paths)
        self._config = given.get("config")
        self._begun = time.time_ns()
        self._newest = 0
        self._seen: set[str] = set()
        self._linked = False
        self._looks = self._look()

    @classmethod
    def of(cls, paths: Sequence[str], given: Mapping[str, Any]) -> Snapshot | None:
        """The one of a command line; ``None`` where nothing is kept of it."""
        if given.get("no_cache") or not all(map(os.path.isdir, paths)):
            return None
        try:
            return cls(paths, given)
        except OSError:
            return None

    def told(self) -> Told | None:
        """What was found, if everything looks as it did."""
        here = Path.cwd()
        root = next((folder for folder in (here, *here.parents) if (folder / FOLDER).is_dir()), None)
        try:
            store, key = self._place(root) if root is not None else (None, b"")
            kept = store.recall(key) if store is not None else None
            if kept is None:
                return None
            looks, names, *found = unpacked(kept)
            if looks != self._looks:
                return None
            places = [int.from_bytes(place, "big") for place in found[::2]]
            findings = dict(zip(places, map(decoded, found[1::2]), strict=True))
            return [(name, findings.get(place, ())) for place, name in enumerate(os.fsdecode(names).split("\0"))]
        except (ImportError, OSError, ValueError):
            return None

    def keep(self, told: Told, settings: Sequence[Settings]) -> None:
        """Leave what was found for later runs, where it rests on nothing but what was looked at.

        :param settings: those of all the files.
        """
        if not told or not settings or not self._is_plain([absolute(Path(file)) for file, _ in told], settings):
            return
        names = os.fsencode("\0".join(file for file, _ in told))
        try:
            found = [part for n, (_, one) in enumerate(told) if one for part in (n.to_bytes(4, "big"), encoded(one))]
            store, key = self._place(settings[0].root or Path.cwd())
            store.remember(key, packed([self._looks, names, *found]))
        except (ImportError, OSError, ValueError):
            return

    def _is_plain(self, files: Sequence[Path], settings: Sequence[Settings]) -> bool:
        """Whether everything was looked at that what was found rests on, and would look different if it changed."""
        return (
            not self._linked
            and self._newest < self._begun - _SETTLED
            and all(one.cache and not one.exclude for one in settings)
            and all(self._covers(str(root_of_project(file))) for file in files)
            and self._seen.issuperset(map(str, files))
            and not any(map(_extends, (path for path in self._seen if path.endswith(".toml"))))
        )

    def _place(self, root: Path) -> tuple[Cache, bytes]:
        store, tool = store_at(root)
        return store, blake2b(f"{tool} {self._command}".encode(errors="surrogateescape"), digest_size=32).digest()

    def _covers(self, folder: str) -> bool:
        return any(folder == top or folder.startswith(top.rstrip(os.sep) + os.sep) for top in self._tops)

    def _look(self) -> bytes:
        """A digest of how everything looks that a run rests on."""
        lines = [look for top in self._tops for look in self._below(top)]
        lines += [self._looks_of(place) for place in self._around()]
        return blake2b("\n".join(sorted(lines)).encode(errors="surrogateescape"), digest_size=16).digest()

    def _around(self) -> Iterator[str]:
        """What may have a say from outside of the folders: settings, manifests and repositories on the way up."""
        home = os.path.expanduser("~")  # noqa: PTH111  (as above)
        yield from (f"{home}/{name}" for name in _OF_USER)
        if self._config is not None:
            yield str(self._config)
        above = {str(folder) for top in self._tops for folder in Path(top).parents}
        for folder in above:
            yield from (f"{folder}/{name}" for name in _NAMED)
            for name in REPOSITORIES:
                yield from (f"{folder}/{name}/{part}" for part in ("", *_OF_GIT))

    def _below(self, top: str) -> Iterator[str]:
        """How the files in a folder look."""
        todo = [top]
        while todo:
            folder = todo.pop()
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith(_SUFFIXES) or name in _NAMED:
                        yield self._looks_of(entry.path)
                    elif name in REPOSITORIES:
                        yield from (self._looks_of(f"{entry.path}/{part}") for part in ("", *_OF_GIT))
                    elif name not in _PASSED and entry.is_dir():
                        self._linked = self._linked or entry.is_symlink()  # it may lead to where nobody looks
                        yield entry.path
                        todo += [] if entry.is_symlink() or environment(folder, name) else [entry.path]

    def _looks_of(self, path: str) -> str:
        try:
            look = os.stat(path)  # noqa: PTH116  (as above)
        except OSError:
            return f"{path}\0"
        self._seen.add(path)
        if path.endswith("/"):  # a repository's own folder changes all the time
            return path
        self._newest = max(self._newest, look.st_mtime_ns, look.st_ctime_ns)
        return f"{path}\0{look.st_size} {look.st_mtime_ns} {look.st_ctime_ns} {look.st_ino} {look.st_mode}"


def _extends(path: str) -> bool:
    """Whether a settings file may rest on another one."""
    return _EXTENDS(Path(path).read_bytes()) is not None


def _tops(paths: Sequence[str]) -> list[str]:
    """The folders that everything lies in: those that were named, or the projects that they are parts of."""
    found = set()
    for path in paths:
        folder = absolute(Path(path))
        root = root_of_project(folder / "any.py")
        found.add(str(root if root in folder.parents else folder))
    return sorted(top for top in found if not any(top != other and top.startswith(other + os.sep) for other in found))
