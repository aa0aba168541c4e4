"""Where the modules of a project are: its root, its files, and the file that a dotted name means.

What was found is remembered for as long as the object lives. No file's content is read, but to find the root where
nothing marks it, which is found once (:func:`forget_roots`), and to tell a script's neighbour from a library.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.python.modules import absolute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPOSITORIES = (".git", ".hg", ".svn")
MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")
TOPS = (
    "requirements.txt",
    "Pipfile",
    "alembic.ini",
    "docker-compose.yml",
    "Dockerfile",
    "manage.py",
    "tox.ini",
)
"""What stands at the top of a project that is no package, and in some of its folders, too."""
_INSTALLED = ("site-packages", "dist-packages")
PASSED = ("__pycache__", "node_modules", *_INSTALLED)
"""Folders that hold no module of a project."""
_LEFT_OUT = (*PASSED, "build", "dist", "venv")
_DEEP = 3
"""How many folders below the root another import root may stand: ``services/billing/src``."""
_HIGHEST = 8
"""How many folders above the topmost one with Python files may be what imports start from."""
_MOST_LOOKED_INTO = 200
"""Files, and folders, that are looked into for what they import from each other."""
_IMPORTS = rb"^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)(?:(?:\.|[ \t]+import[\s(]+)(\w+)|[ \t]*(?:$|,|;|#|as\b))"
_NAMED = rb"^[ \t]*(?:from|import)[ \t]+[^#\n]*"
_MOST_ROOTS = 400
_MOST_FILES = 40_000
_MOST_FOLDERS = 20_000
_SUFFIXES = (".py", ".pyi")


def root_of(path: Path) -> Path:
    """The folder of the project that a file belongs to.

    That is the repository; without one the nearest folder with a ``pyproject.toml``, ``setup.py`` or ``setup.cfg``;
    without that the highest folder that is reached through folders whose Python files import each other, or the one
    that the packages there are imported from, if only by what the files there import, or that has what stands at the
    top of a project that is no package (``requirements.txt``), whichever is the highest. A search ends at a hidden
    folder, at an installation, and at the home folder or the one for temporary files, where things lie side by side
    that have nothing to do with each other.
    """
    folder = absolute(path).parent
    manifest: Path | None = None
    top: Path | None = None
    for above in (folder, *folder.parents):
        if _bounded(above):
            break
        is_repository, has_manifest, is_top = _marks(above)
        if is_repository:
            return above
        manifest = manifest or (above if has_manifest else None)
        top = above if is_top else top
    return manifest or min(filter(None, (top, _outermost(folder))), key=lambda found: len(found.parts))


@cache
def _marks(folder: Path) -> tuple[bool, bool, bool]:
    """Whether a folder is a repository, has a manifest, and has what stands at the top of an application."""
    return (
        any(os.path.exists(f"{folder}/{name}") for name in REPOSITORIES),  # noqa: PTH110  (pathlib makes an object of each)
        any(os.path.isfile(f"{folder}/{name}") for name in MANIFESTS),  # noqa: PTH113
        any(os.path.isfile(f"{folder}/{name}") for name in TOPS),  # noqa: PTH113
    )


@cache
def _outermost(folder: Path) -> Path:
    for _ in range(_levels(folder)):
        if _bounded(folder.parent):
            break
        folder = folder.parent
    while (
        not _bounded(folder)
        and not _bounded(folder.parent)
        and _has_code(folder.parent)
        and _belongs(folder, folder.parent)
    ):
        folder = folder.parent
    return _imported_from(import_root(folder))


def _levels(folder: Path) -> int:
    """How many folders above the files right in a folder import something from: ``from ...db import Session``, two."""
    files = sorted(name for name in _listed(folder) if name.endswith(".py"))[:_MOST_LOOKED_INTO]
    found = [b"."]
    for name in files:
        with contextlib.suppress(OSError):
            found += re.findall(rb"^[ \t]*from[ \t]+(\.+)", (folder / name).read_bytes(), re.MULTILINE)
    return min(max(map(len, found)) - 1, _HIGHEST)


def _belongs(folder: Path, above: Path) -> bool:
    """Whether files in a folder and those right above it have to do with each other: one imports the other.

    A package is its parent's. Folders of scripts lie side by side, with a script or two above them, and are nobody's.
    """
    if "__init__.py" in _listed(folder):
        return True
    own = _listed(folder)
    beside = {name.removesuffix(".py") for name in _listed(above) if name.endswith(".py") and name not in own}
    return folder.name in _named_in(above) or not beside.isdisjoint(_named_below(folder) - sys.stdlib_module_names)


def _named_in(folder: Path) -> set[str]:
    """The names in the imports of the files right in a folder."""
    files = sorted(name for name in _listed(folder) if name.endswith(".py"))
    return _named(folder / name for name in files[:_MOST_LOOKED_INTO])


def _named_below(folder: Path) -> set[str]:
    return _named(itertools.islice(_files_below(folder), _MOST_LOOKED_INTO))


def _named(files: Iterable[Path]) -> set[str]:
    found: set[bytes] = set()
    for file in files:
        with contextlib.suppress(OSError):
            for line in re.findall(_NAMED, file.read_bytes(), re.MULTILINE):
                found.update(re.findall(rb"\w+", line))
    return {os.fsdecode(name) for name in found}


@cache
def _imported_from(folder: Path) -> Path:
    """The folder above that the files below one import each other from: ``app.models`` is looked for above ``app``."""
    if folder in crowded():
        return folder
    above = list(itertools.takewhile(lambda one: not _bounded(one), folder.parents[:_HIGHEST]))
    wanted = {pair for pair in _asked_below(folder) if not _leads(folder, *pair)} if above else set()
    found = next((root for root in above if any(_leads(root, *pair) for pair in wanted)), None)
    return found or next((root for root in above if _leads_into(root, folder)), folder)


@cache
def _asked_below(folder: Path) -> frozenset[tuple[str, str]]:
    """The first two words of what the files below a folder import, but for Python's own modules."""
    return _asked_by(itertools.islice(_files_below(folder), _MOST_LOOKED_INTO))


def _asked_by(files: Iterable[Path]) -> frozenset[tuple[str, str]]:
    """The same of what some files import."""
    asked: set[tuple[bytes, bytes]] = set()
    for file in files:
        with contextlib.suppress(OSError):
            asked.update(re.findall(_IMPORTS, file.read_bytes(), re.MULTILINE))
    named = {(os.fsdecode(outer), os.fsdecode(inner)) for outer, inner in asked}
    return frozenset(pair for pair in named if pair[0] not in sys.stdlib_module_names)


def _leads_into(root: Path, folder: Path) -> bool:
    """Whether a file below a root imports what is in a folder: ``services.users``, from beside ``services``."""
    outer, *further = folder.relative_to(root).parts
    inner = {further[0]} if further else {name.removesuffix(".py") for name in _listed(folder)}
    asked = (pair for pair in _asked_below(root) if not _leads(folder, *pair))
    return any(first == outer and second in inner for first, second in asked)


def forget_roots() -> None:
    """Look for them anew from now on."""
    _imported_from.cache_clear()
    _asked_below.cache_clear()
    _outermost.cache_clear()
    _marks.cache_clear()


def _leads(root: Path, outer: str, inner: str) -> bool:
    """Whether a folder holds a module of a name, or a folder of it, and that a module or a folder of another."""
    there = _listed(root)
    names = _listed(root / outer) if inner and outer in there else frozenset()
    return f"{outer}.py" in there or inner in names or f"{inner}.py" in names


def _files_below(folder: Path) -> Iterator[Path]:
    """The Python files of a folder and of some that are in it."""
    for place, folders, names in itertools.islice(os.walk(folder), _MOST_LOOKED_INTO):
        folders[:] = sorted(f for f in folders if not _left_out(f) and not environment(place, f))
        yield from (Path(place, name) for name in sorted(names) if name.endswith(".py"))


def _bounded(folder: Path) -> bool:
    """Whether a folder holds what does not belong together: hidden, installed, or everybody's."""
    return folder.name.startswith(".") or folder.name in ("", *_INSTALLED) or folder in crowded()


@cache
def crowded() -> tuple[Path, ...]:
    """The home folder and the one for temporary files, where scripts and projects lie side by side."""
    try:
        return absolute(Path.home()), absolute(Path(temporary()))
    except (OSError, RuntimeError):  # nobody's home; nowhere to write
        return ()


def temporary() -> str:
    """The folder for temporary files, chosen as :mod:`tempfile` does, which would cost a start more than all of this.

    The current folder, which that falls back to, holds what belongs together.
    """
    if os.name != "posix":
        from tempfile import gettempdir  # noqa: PLC0415  (see above)

        return gettempdir()
    named = (os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP"))
    usable = (place for place in (*named, "/tmp", "/var/tmp", "/usr/tmp") if os.path.isdir(place))  # noqa: S108, PTH112
    return next((place for place in usable if os.access(place, os.W_OK | os.X_OK)), "/tmp")  # noqa: S108


def _has_code(folder: Path) -> bool:
    return any(name.endswith(".py") for name in _listed(folder))


def _listed(folder: Path | str) -> frozenset[str]:
    """The names in a folder; none where it cannot be read."""
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208  (pathlib makes an object of each)
    except OSError:
        return frozenset()


def import_root(folder: Path) -> Path:
    """The folder that the packages around a folder are imported from: the first one up that is no package."""
    while (folder / "__init__.py").is_file() and folder.name:
        folder = folder.parent
    return folder


class Layout:
    """The folders of one project.

    :param root: its own, as :func:`root_of` finds it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[str, frozenset[str]] = {}
        self._near: dict[Path, tuple[Path, ...]] = {}
        self._found: dict[tuple[Path, str], tuple[Path, str] | None] = {}
        self._tops: dict[tuple[Path, str], bool] = {}
        self._foreign: dict[tuple[Path, str], bool] = {}
        self._others: tuple[Path, ...] | None = None
        self._files: tuple[Path, ...] | None = None
        self._places: dict[Path, int] | None = None

    def name(self, path: Path) -> str:
        """The dotted name of a file by its place below the root, which no other file of the project has."""
        try:
            parts = list(path.relative_to(self.root).parts)
        except ValueError:
            parts = [path.name]
        # What is no module keeps its suffix, without a dot: beside `a.ipynb` there may be an `a.py`.
        parts[-1] = path.stem if path.suffix in _SUFFIXES else path.name.replace(".", " ")
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        return ".".join(parts)

    def locate(self, dotted: str, folder: Path) -> tuple[Path, str] | None:
        """The file that the front of a dotted name means to an import in ``folder``, and the rest of the name.

        :returns: ``None`` where the project has no such module, or has several that are equally near.
        """
        key = (folder, dotted)
        if key not in self._found:
            self._found[key] = self._locate(dotted.split("."), folder)
        return self._found[key]

    def foreign(self, dotted: str, folder: Path) -> bool:
        """Whether nothing of the project goes by the first word of a dotted name."""
        top = dotted.partition(".")[0]
        key = (folder, top)
        if key not in self._foreign:
            places = () if top in sys.stdlib_module_names else (*self._around(folder), *self.others, *_inside(folder))
            self._foreign[key] = not any(self._has(root, top) for root in places)
        return self._foreign[key]

    def _locate(self, parts: list[str], folder: Path) -> tuple[Path, str] | None:
        top = parts[0]
        if top in sys.stdlib_module_names or not top.isidentifier():
            return None
        for root in self._around(folder):
            if self._has(root, top) and (found := self._below(root, parts)):
                return found
        others = [(_closeness(root, folder), root) for root in self.others if self._has(root, top)]
        best = max((near for near, _ in others), default=0)
        hits = [found for near, root in others if near == best and (found := self._below(root, parts))]
        return hits[0] if len(hits) == 1 else self._beside(parts, folder)

    def _beside(self, parts: list[str], folder: Path) -> tuple[Path, str] | None:
        """The same inside of the importing file's own packages: a script there starts its imports from its folder.

        That is what ``from db import Session`` means where no other folder has the one ``db``; but ``from celery import
        Celery`` means a library beside a ``celery.py`` that imports it, too, or has no such name in it.
        """
        for place in _inside(folder):
            found = self._below(place, parts) if self._has(place, parts[0]) else None
            if found is not None and not _is_librarys(place, parts[0]) and _speaks_of(*found):
                return found
        return None

    def _around(self, folder: Path) -> tuple[Path, ...]:
        """The folders above an importing file that its imports may start from, the nearest first."""
        if folder not in self._near:
            first = import_root(folder)
            above = (first, *(p for p in first.parents if self.root == p or self.root in p.parents))
            self._near[folder] = above if self.root in above else (*above, self.root)
        return self._near[folder]

    @property
    def others(self) -> tuple[Path, ...]:
        """The folders further down that imports may start from: those that are no packages."""
        if self._others is None:
            self._others = tuple(self._folders())
        return self._others

    def _folders(self) -> list[Path]:
        level, found = [] if self.root in crowded() else [self.root], []
        for _ in range(_DEEP):
            below = [
                folder / name
                for folder in level
                for name in sorted(self.entries(folder))
                if not _left_out(name) and (folder / name).is_dir()
            ]
            level = [folder for folder in below if "__init__.py" not in self.entries(folder)][:_MOST_ROOTS]
            found += level
        return found[:_MOST_ROOTS]

    def entries(self, folder: Path) -> frozenset[str]:
        """The names in a folder; none where it cannot be read."""
        return self._names(str(folder))

    def _names(self, place: str) -> frozenset[str]:
        """The same by the folder's path, which costs less than to make an object of it each time."""
        if place not in self._entries:
            self._entries[place] = _listed(place)
        return self._entries[place]

    def _has(self, root: Path, top: str) -> bool:
        key = (root, top)
        if key not in self._tops:
            entries = self.entries(root)
            self._tops[key] = f"{top}.py" in entries or top in entries or f"{top}.pyi" in entries
        return self._tops[key]

    def _below(self, folder: Path, parts: list[str]) -> tuple[Path, str] | None:
        """The module that a dotted name leads to from one root; packages before modules, stubs last."""
        found: tuple[str, str] | None = None
        place = str(folder)
        for index, part in enumerate(parts):
            entries, rest = self._names(place), ".".join(parts[index + 1 :])
            below = os.path.join(place, part)  # noqa: PTH118  (as above)
            inner = self._names(below) if part in entries else frozenset()
            if "__init__.py" in inner:
                found = (f"{below}{os.sep}__init__.py", rest)
            else:
                file = next((f"{part}{s}" for s in _SUFFIXES if f"{part}{s}" in entries), "")
                if file:
                    return folder.joinpath(*parts[:index], file), rest
                if "__init__.pyi" in inner:
                    found = (f"{below}{os.sep}__init__.pyi", rest)
                elif not inner:
                    break
            place = below
        return None if found is None else (Path(found[0]), found[1])

    @property
    def files(self) -> tuple[Path, ...]:
        """All Python files of the project; none where they are too many to be one.

        Of the home folder and the one for temporary files only what lies in them directly.
        """
        if self._files is None:
            found = []
            for count, (folder, folders, names) in enumerate(os.walk(self.root)):
                inner = [] if self.root in crowded() else folders
                folders[:] = sorted(f for f in inner if not _left_out(f) and not environment(folder, f))
                found += [Path(folder, name) for name in sorted(names) if name.endswith(".py")]
                if len(found) > _MOST_FILES or count > _MOST_FOLDERS:
                    found = []
                    break
            self._files = tuple(found)
        return self._files

    @property
    def places(self) -> dict[Path, int]:
        """The place of each file among :attr:`files`."""
        if self._places is None:
            self._places = {path: place for place, path in enumerate(self.files)}
        return self._places


def _inside(folder: Path) -> tuple[Path, ...]:
    """A folder and those above it that are packages, the nearest first: only a script's imports start from them."""
    first = import_root(folder)
    return tuple(itertools.takewhile(first.__ne__, (folder, *folder.parents)))


def _is_librarys(place: Path, top: str) -> bool:
    """Whether a module or package imports what goes by its own name and is not it: a library's namesake."""
    package = (place / top).is_dir()
    asked = _asked_below(place / top) if package else _asked_by([place / f"{top}.py"])
    return any(outer == top and not (package and _leads(place, outer, inner)) for outer, inner in asked)


def _speaks_of(path: Path, rest: str) -> bool:
    """Whether a module may have what is imported from it: the name stands in its text, or it has all from elsewhere."""
    name = re.escape(os.fsencode(rest.partition(".")[0]))
    with contextlib.suppress(OSError):
        return not name or re.search(rb"\b%s\b|\bimport[ \t]+\*" % name, path.read_bytes()) is not None
    return False


def _left_out(name: str) -> bool:
    return name.startswith(".") or name in _LEFT_OUT or name.endswith(".egg-info")


def environment(folder: str, name: str) -> bool:
    """Whether a folder inside another one is a virtual environment."""
    return os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118  (asked of every folder)


def _closeness(root: Path, folder: Path) -> int:
    """How many folders two places have in common."""
    return len(os.path.commonpath([root, folder]))
