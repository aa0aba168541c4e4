"""Where the findings of one file are kept, and how it is told whether they still hold.

The cache itself is imported when the first file asks for it: a run of flake8 over code without sessions never does.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from session_lint import analysis
from session_lint.python.modules import absolute
from session_lint.python.project import project_of
from session_lint.settings import Settings
from session_lint.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_lint.cache import Cache
    from session_lint.finding import Finding
    from session_lint.vocabulary import Tables


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

        root, answer = _project(absolute(path).parent, settings)
        key = key_of(data, str(path), root, settings)
        return Drawer(_store(settings.root or Path.cwd(), os.getpid()), key, answer)
    except (ImportError, OSError):  # a Python without SQLite, a folder that may not be looked into
        return None


def introduce(path: Path, settings: Settings) -> None:
    """Give the project of a file what is kept about it."""
    _project(absolute(path).parent, settings)


def forget() -> None:
    """Ask everything anew from now on: a run is over, files may change."""
    _project.cache_clear()
    _answers.cache_clear()


@cache
def _project(folder: Path, settings: Settings) -> tuple[Path, Callable[[str], bytes]]:
    """The root of the project that the files of a folder belong to, and the answers about it."""
    root = project_of(folder / "any.py").root
    analysis.remembering(folder / "any.py", Notes(root, settings), vocabulary(settings.vocabulary))
    return root, _answers(root, settings.vocabulary)


@cache
def _answers(root: Path, tables: Tables) -> Callable[[str], bytes]:
    """A project's answers, each worked out once in a run."""
    return cache(partial(analysis.answer, path=root / "any.py", vocabulary=vocabulary(tables)))


@dataclass(frozen=True)
class Notes:
    """What is kept about a whole project.

    :param root: its folder.
    """

    root: Path
    settings: Settings

    def recall(self) -> tuple[list[str], bytes] | None:
        """The words that were kept, with the digest of what they were learnt from."""
        store, key = self._place()
        kept = store.recall(key)
        try:
            return msgspec.msgpack.decode(kept, type=tuple[list[str], bytes]) if kept is not None else None
        except msgspec.MsgspecError:
            return None

    def remember(self, words: list[str], digest: bytes) -> None:
        """Keep words for later runs."""
        store, key = self._place()
        store.remember(key, msgspec.msgpack.encode((words, digest)))

    def _place(self) -> tuple[Cache, bytes]:
        from session_lint.cache import key_of  # noqa: PLC0415  (see above)

        store = _store(self.settings.root or Path.cwd(), os.getpid())
        return store, key_of(b"", "words", self.root, Settings(vocabulary=self.settings.vocabulary))


@cache
def _store(root: Path, _process: int) -> Cache:
    """The cache of a folder, opened once in every process: a connection does not survive a fork."""
    from session_lint.cache import Cache  # noqa: PLC0415  (see above)

    return Cache(root)
