"""What there is to do for a project: its files in pieces, and the digest by which a later run knows what was done."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from session_lint.errors import UserError
from session_lint.python.layout import Layout
from session_lint.python.project import root_of_project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from session_lint.files import Missing
    from session_lint.settings import Settings

PIECE = 2048
"""How many files a worker gets at once, at most: what is lost with it, and what a large project is dealt out in.

Most projects are one piece: each worker that has a part of a project learns about all of it.
"""

Choose: TypeAlias = "Callable[[Path], tuple[list[tuple[Settings, list[Path]]], list[Missing]]]"
"""Says which files of a folder are looked at, by the settings that hold for them, and what could not be looked into."""


@dataclass(frozen=True)
class Piece:
    """Files that one worker lints in one go.

    :param project: the folder of their project.
    :param files: their paths, absolute.
    """

    project: str
    files: tuple[str, ...]
    settings: Settings


@dataclass(frozen=True)
class Plan:
    """What there is to do for a project.

    :param pieces: by digests of what their findings rest on: the files of the project, the settings, the tool.
    :param lines: how many each file has.
    :param failure: why not all of it can be done, empty where it can.
    """

    project: str
    pieces: dict[bytes, Piece] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    failure: str = ""


class Planner:
    """Makes plans; what several projects rest on is read once.

    :param choose: says which files of a project are looked at.
    :param fingerprint: the tool's.
    """

    def __init__(self, choose: Choose, fingerprint: str) -> None:
        self._choose = choose
        self._fingerprint = fingerprint
        self._roots: dict[Path, bytes] = {}

    def plan(self, project: Path) -> Plan:
        """What there is to do for a project as it stands now. Raises nothing that only one project is to blame for."""
        name = str(project)
        try:
            groups, missing = self._choose(project)
        except UserError as error:
            return Plan(name, failure="; ".join(str(error).splitlines()))
        contents, lines = _read(file for _, files in groups for file in files)
        around = self._around(groups)
        pieces: dict[bytes, Piece] = {}
        for settings, files in groups:
            digest = _digest(self._fingerprint, repr(settings), name, around, contents)
            for start in range(0, len(files), PIECE):
                part = tuple(str(file) for file in files[start : start + PIECE])
                pieces[_digest(digest, *part)] = Piece(name, part, settings)
        return Plan(name, pieces, lines, "; ".join(f"{one.path}: {one.reason}" for one in missing))

    def _around(self, groups: Sequence[tuple[Settings, Sequence[Path]]]) -> bytes:
        """A digest of all that the files of a project may be judged with: it may be part of a larger one."""
        folders = {file.parent: file for settings, files in groups if settings.whole_project for file in files}
        roots = {root_of_project(file) for file in folders.values()}
        for root in roots - self._roots.keys():
            self._roots[root] = _read(_modules(root))[0]
        return _digest(*(part for root in sorted(roots) for part in (str(root), self._roots[root])))


def _modules(root: Path) -> list[Path]:
    """The files of a project that a name may lead to."""
    files = Layout(root).files
    stubs = [stub for folder in {file.parent for file in files} for stub in folder.glob("*.pyi")]
    return sorted([*files, *stubs])


def _read(files: Iterable[Path]) -> tuple[bytes, dict[str, int]]:
    """A digest of files with their names, and how many lines each has; one that cannot be read has none."""
    digest, lines = hashlib.blake2b(digest_size=32), {}
    for file in files:
        try:
            data = file.read_bytes()
        except OSError:
            data = b""
        digest.update(_digest(str(file), data))
        lines[str(file)] = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    return digest.digest(), lines


def _digest(*parts: str | bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        data = os.fsencode(part) if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.digest()
