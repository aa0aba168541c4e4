"""Where the findings of one file are kept, and how it is told whether they still hold.

The cache itself is imported when the first file asks for it: a run of flake8 over code without sessions never does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.python.modules import absolute
from session_lint.python.project import project_of
from session_lint.vocabulary import opening_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_lint.cache import Cache
    from session_lint.finding import Finding
    from session_lint.settings import Settings


@dataclass(frozen=True)
class Drawer:
    """The place for the findings in one file with one content.

    :param answer: answers the questions that findings rest on.
    """

    store: Cache
    key: bytes
    answer: Callable[[str], bytes]

    def get(self) -> tuple[Finding, ...] | None:
        """What an earlier run has left here, if it still holds."""
        return self.store.get(self.key, self.answer)

    def put(self, findings: tuple[Finding, ...], evidence: Mapping[str, bytes]) -> None:
        """Leave findings for later runs, with the questions that they rest on and their answers."""
        self.store.put(self.key, findings, evidence)


def drawer(data: bytes, path: Path, settings: Settings) -> Drawer | None:
    """The place for the findings in a file.

    :param data: its content.
    :param path: as it was named.
    :returns: ``None`` where nothing is kept.
    """
    if not settings.cache:
        return None
    try:
        from session_lint.cache import key_of  # noqa: PLC0415  (see above)

        root, answer = _project(absolute(path).parent)
        key = key_of(data, str(path), root, settings)
        return Drawer(_store(settings.root or Path.cwd(), os.getpid()), key, answer)
    except (ImportError, OSError):  # a Python without SQLite, a folder that may not be looked into
        return None


def forget() -> None:
    """Ask everything anew from now on: a run is over, files may change."""
    _project.cache_clear()
    _answers.cache_clear()


@cache
def _project(folder: Path) -> tuple[Path, Callable[[str], bytes]]:
    """The root of the project that the files of a folder belong to, and the answers about it."""
    root = project_of(folder / "any.py", opening_words()).root
    return root, _answers(root)


@cache
def _answers(root: Path) -> Callable[[str], bytes]:
    """A project's answers, each worked out once in a run."""
    return cache(project_of(root / "any.py", opening_words()).answer)


@cache
def _store(root: Path, _process: int) -> Cache:
    """The cache of a folder, opened once in every process: a connection does not survive a fork."""
    from session_lint.cache import Cache  # noqa: PLC0415  (see above)

    return Cache(root)
