"""Where the findings of one file are kept, and how it is told whether they still hold.

The cache itself is imported when the first file asks for it: a run of flake8 over code without sessions never does.
"""

from __future__ import annotations

import atexit
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint import signs
from session_lint.frames import packed, unpacked
from session_lint.python.mentions import finder
from session_lint.python.modules import absolute
from session_lint.python.project import Project, project_of, root_of_project
from session_lint.settings import Settings
from session_lint.signs import Kept
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_lint.cache import Cache
    from session_lint.finding import Finding
    from session_lint.signs import Signs
    from session_lint.source import Source
    from session_lint.vocabulary import Tables


_WIDEST = "widest"
"""The question for all words that could be learnt of a project."""


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
        store, tool = _store(settings.root or Path.cwd(), os.getpid())
        return Drawer(store, key_of(data, str(path), root, settings, tool), answer)
    except (ImportError, OSError):  # a Python without SQLite, a folder that may not be looked into
        return None


def introduce(path: Path, settings: Settings) -> None:
    """Give the project of a file what is kept about it."""
    _project(absolute(path).parent, settings)


def unconcerned(source: Source, settings: Settings, place: Drawer | None) -> dict[str, bytes] | None:
    """What it rests on that nothing can be found in a file; ``None`` where that takes the analysis to tell.

    :param source: its text.
    :param place: that for the findings in it.
    """
    if signs.touches(source.text):
        return None
    tables = settings.vocabulary
    if not settings.whole_project:
        from session_lint.vocabulary import vocabulary  # noqa: PLC0415  (what an earlier run has found may hold still)

        return None if vocabulary(tables).mentions(source.text) else {}
    root = root_of_project(absolute(Path(source.filename)))
    known = _known(root, tables) if place else None
    words = _widest(root, tables, Notes(root, settings, _WIDEST) if place else None) if known is None else ()
    tells = known.tells if known is not None else None if words is None else _finder(words)
    if tells is None or tells(source.text.encode(errors="replace")):
        return None
    question = "words" if known else _WIDEST
    return {question: place.answer(question)} if place else {}


def forget() -> None:
    """Ask everything anew from now on: a run is over, files may change."""
    _project.cache_clear()
    _answers.cache_clear()
    _known.cache_clear()
    _widest.cache_clear()
    signs.forget()


def leave(root: Path) -> None:
    """Let go of all that is known of one project: a run is done with it."""
    _project.cache_clear()
    _answers.cache_clear()
    _known.cache_clear()
    _widest.cache_clear()
    signs.leave(root)


@cache
def _project(folder: Path, settings: Settings) -> tuple[Path, Callable[[str], bytes]]:
    """The root of the project that the files of a folder belong to, and the answers about it."""
    root = root_of_project(folder / "any.py")
    signs.remembering(folder / "any.py", Notes(root, settings), settings.vocabulary)
    return root, _answers(root, settings.vocabulary, Notes(root, settings, _WIDEST))


@cache
def _known(root: Path, tables: Tables) -> Signs | None:
    return signs.known(root / "any.py", tables)


@cache
def _widest(root: Path, tables: Tables, notes: Notes | None) -> frozenset[str] | None:
    """The words that could be learnt of a project, as :func:`session_lint.signs.widest` has them.

    :param notes: where they are kept.
    """
    project = project_of(root / "any.py")
    kept = signs.recalled(project, notes)
    if kept is not None:
        return frozenset(kept.words)
    from session_lint.vocabulary import vocabulary  # noqa: PLC0415  (what an earlier run has found may hold still)

    words = signs.widest(project, vocabulary(tables).opening_words)
    if words is not None and notes is not None:
        notes.remember(Kept(sorted(words), signs.learnt_from(project, words), ()))
    return words


_finder = lru_cache(maxsize=4)(finder)
"""What tells whether a text holds one of some words: the same for all files of a project."""


@cache
def _answers(root: Path, tables: Tables, notes: Notes) -> Callable[[str], bytes]:
    """A project's answers, each worked out once in a run."""
    place = root / "any.py"

    @cache
    def answer(question: str) -> bytes:
        if question == _WIDEST:
            return Project.digest_of("\0".join(sorted(_widest(root, tables, notes) or ())).encode())
        found = _known(root, tables)
        if found is not None:
            return found.answer(question)
        from session_lint import analysis  # noqa: PLC0415  (most files are as they were)
        from session_lint.vocabulary import vocabulary  # noqa: PLC0415

        return analysis.answer(question, place, vocabulary(tables))

    return answer


@dataclass(frozen=True)
class Notes:
    """What is kept about a whole project.

    :param root: its folder.
    :param what: what the words are.
    """

    root: Path
    settings: Settings
    what: str = "words"

    def recall(self) -> Kept | None:
        """What was learnt."""
        store, key = self._place()
        kept = store.recall(key)
        if kept is None:
            return None
        try:
            words, digest, named = unpacked(kept)
            return Kept(_split(words), digest, _split(named))
        except ValueError:
            return None

    def remember(self, kept: Kept) -> None:
        """Keep what was learnt for later runs."""
        store, key = self._place()
        store.remember(key, packed(("\0".join(kept.words).encode(), kept.digest, "\0".join(kept.named).encode())))

    def _place(self) -> tuple[Cache, bytes]:
        from session_lint.cache import key_of  # noqa: PLC0415  (see above)

        store, tool = _store(self.settings.root or Path.cwd(), os.getpid())
        return store, key_of(b"", self.what, self.root, Settings(vocabulary=self.settings.vocabulary), tool)


def _split(words: bytes) -> list[str]:
    return words.decode().split("\0") if words else []


def store_at(root: Path) -> tuple[Cache, str]:
    """The cache of a folder, and what tool it is used by.

    :raises ImportError: where this Python has no SQLite.
    :raises OSError: where the tool's own files cannot be looked at.
    """
    return _store(root, os.getpid())


@cache
def _store(root: Path, _process: int) -> tuple[Cache, str]:
    """The cache of a folder, opened once in every process, and what tool it is used by.

    A connection does not survive a fork.
    """
    from session_lint.cache import Cache  # noqa: PLC0415  (see above)
    from session_lint.installation import fingerprint  # noqa: PLC0415

    return Cache(root), fingerprint()


def close() -> None:
    """Close the stores, so that SQLite tidies up."""
    _store.cache_clear()


atexit.register(close)
