"""What the texts of a project say of its sessions before any of them is understood: which files hold which words.

The words are what is *learnt* of a project, and may have been learnt by an earlier run. As long as they hold, questions
are answered from here, and the analysis itself is not imported. Nor is it for a text that holds none of the words that
could be learnt at all, where the files that they could be learnt from are few and small.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from session_lint.python.mentions import LETTERS, finder, importer, namer
from session_lint.python.modules import absolute
from session_lint.python.project import forget_projects, project_of
from session_lint.python.project import leave as leave_project
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from session_lint.python.passing import Passing
    from session_lint.python.project import Project, Unit
    from session_lint.vocabulary import Tables

_WORD = re.compile(rb"%s+" % LETTERS)
_STAR = b" import *"
_FROM_HERE = re.compile(rb"from[ \t]+\.+[ \t]*import\b").search
"""An import from the package itself, which is not named then."""
_IMPORTED = re.compile(rb"^[ \t]*from[ \t]+[.\w]+[ \t]+import[ \t]*(\([^)]*\)|[^\n(]*)", re.MULTILINE)
_AS = re.compile(rb"\b(%s+)\b(?:[ \t]+as[ \t]+(%s+))?" % (LETTERS, LETTERS))
"""In a list of what is imported: each name, and the one that it gets."""
_LITTLE = 20_000
"""Bytes of all files from which words could be learnt; where there are more, what is learnt is worth keeping."""
_METHODS = tuple(
    f".{name}("
    for name in "commit rollback add_all begin_nested bulk_save_objects bulk_insert_mappings bulk_update_mappings "
    "expunge expunge_all expire_all".split()
)
"""In a text that opens no session, the words of mistakes that somebody else's session makes of them."""
_FLUSHES = ".flush("
"""Another one, which files and streams have, too: those have no method of a session beside, but a dictionary's."""
_BESIDE = (
    r"session|\.(?:add|add_all|merge|delete|execute|query|scalars?|refresh"
    r"|expunge\w*|expire\w*|begin(?:_nested)?|bulk_\w+)\("
)
_CALLED = [
    re.compile(rf"{name}\.(?:execute|exec|query|add|merge|scalars?|stream\w*|begin|bulk_\w+)\(").search
    for name in ("session", r"session\(\)", "sess", "db")
]
"""Methods that others have, too, on what is called a session; a pattern is fast that begins with letters."""
_QUERIES = re.compile(r"\b(?:[A-Z]\w*|cls)\.query\b(?!\s*\()").search
"""Where a model may be asked for a query, which knows its session by itself: ``User.query``."""
LOADING = frozenset(
    "get get_one first one one_or_none scalar scalar_one scalar_one_or_none first_or_404 all fetchall unique scalars "
    "add add_all".split()
)
"""The methods without one of which nothing gives an object of a session."""
ATTACHING = ("add", "add_all")
"""The methods by which a session gets an object."""
_KEEPS = (
    r"^@(?:\w+\.)?(?:lru_)?cache\b|^[ \t]+(?:global[ \t]|(?!self\.|cls\.)\w+(?:\.\w+)+[ \t]*(?::[^=\n]*)?=[^=].*\()"
)


@dataclass(frozen=True)
class Kept:
    """What was learnt of a project.

    :param words: by which a call may give a session; with a dot in front the properties that do, and with ``=`` the
        variables of modules that hold one, the names of annotations that tell of one, and the functions that may return
        objects of one, each with the last word of its module.
    :param digest: of the files that they were learnt from.
    :param named: the dotted names by which the vocabulary knows getters and closers of global sessions.
    """

    words: Sequence[str]
    digest: bytes
    named: Sequence[str]


class Memory(Protocol):
    """What an earlier run has kept of a project."""

    def recall(self) -> Kept | None:
        """What was learnt."""

    def remember(self, kept: Kept) -> None:
        """Keep what was learnt for later runs."""


_memories: dict[tuple[Project, Tables], Memory] = {}


def remembering(path: Path, memory: Memory, tables: Tables) -> None:
    """Keep what is learnt of the project of a file, and make use of what was kept.

    :param tables: what the user says that names mean, by which it is learnt.
    """
    _memories[project_of(path), tables] = memory


def memory_of(project: Project, means: Callable[[Tables], bool]) -> Memory | None:
    """What an earlier run has kept of a project.

    :param means: whether it is learnt by the meanings of some tables.
    """
    return next((memory for (of, tables), memory in _memories.items() if of is project and means(tables)), None)


def forget() -> None:
    """Read everything anew from now on: a run is over, files may change."""
    _memories.clear()
    forget_projects()


def leave(root: Path) -> None:
    """Let go of all that is known of one project: a run is done with it."""
    for key in [key for key in _memories if key[0].root == root]:
        del _memories[key]
    leave_project(root)


def known(path: Path, tables: Tables) -> Signs | None:
    """What an earlier run's words say of the project of a file; ``None`` where they have to be learnt."""
    project = project_of(path)
    kept = recalled(project, _memories.get((project, tables)))
    return None if kept is None else Signs.of(project, kept)


def recalled(project: Project, memory: Memory | None) -> Kept | None:
    """What an earlier run has learnt, where the files that it was learnt from are the same still."""
    kept = memory.recall() if memory is not None else None
    if kept is None or learnt_from(project, opening(kept.words)) != kept.digest:
        return None
    return kept


def opening(learnt: Iterable[str]) -> frozenset[str]:
    """Those of the words that were learnt by which a call may give a session."""
    return frozenset(word for word in learnt if not word.startswith((".", "=")))


def passed_on(project: Project, learnt: Iterable[str]) -> dict[str, set[str]]:
    """What modules have that has to do with a session, each name with the last words of what it is imported from.

    A module that imports it, a package's ``__init__`` most often, has it for others to import.

    :param learnt: as :class:`Kept` has them.
    """
    found: dict[str, set[str]] = {}
    todo = [(word[1:].split()[0], word.rpartition(" ")[2]) for word in learnt if word.startswith("=")]
    while todo:
        name, module = todo.pop()
        if module in found.setdefault(name, set()):
            continue
        found[name].add(module)
        todo += [(name, stem(project, path)) for path in project.naming(module) if _STAR in project.content(path)]
        for path in project.naming(name):
            todo += [(new or old, stem(project, path)) for old, new in _imports(project, path, name)]
    return found


def stem(project: Project, path: Path) -> str:
    """The word of a module that an import of it, or of something in it, cannot do without."""
    return project.layout.name(path).rpartition(".")[2]


def learnt_from(project: Project, words: Iterable[str]) -> bytes:
    """A digest of all files that hold one of some words: no other can add to them."""
    return project.digest(project.texts.having(frozenset(words) - {"begin"}, project.layout.files))


def widest(project: Project, opening: Iterable[str]) -> frozenset[str] | None:
    """The words that could be learnt of a project: whatever is learnt is among them.

    It is what :func:`session_lint.analysis.growth.grow` does, with every lead taken for true.

    :param opening: the words of the libraries.
    :returns: ``None`` where too much would have to be read.
    """
    known, fresh, objects = set[str](), {*opening, "begin"}, set[str]()
    left, size = list(project.layout.files), 0
    given: dict[str, set[str]] = {}
    handed: dict[str, list[tuple[Unit, list[Passing]]]] = {}
    while fresh:
        known |= fresh
        holding = project.texts.having(frozenset(fresh - {"begin"} or fresh), left)
        taken = set(holding)
        left = [path for path in left if path not in taken]
        size += sum(len(project.content(path)) for path in holding)
        if size > _LITTLE:
            return None
        for name, word in _leads(project, holding):
            given.setdefault(word, set()).add(name)
        for unit, passings in _passings(project, holding):
            for word, some in passings.items():
                handed.setdefault(word, []).append((unit, some))
        objects |= _returned(project, holding)
        fresh = {name for word in known for name in given.get(word, ())} - known
        fresh |= _receiving([entry for word in sorted(known & handed.keys()) for entry in handed.pop(word)]) - known
    return frozenset(known | _renamed(project, objects)) - {"begin"}


def _renamed(project: Project, names: Iterable[str]) -> set[str]:
    """Some names, and those by which modules import them."""
    found, todo = set[str](), [*names]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [new for path in project.naming(name) for _, new in _imports(project, path, name) if new]
    return found


def _imports(project: Project, path: Path, name: str) -> list[tuple[str, str]]:
    """The imports of a name in a file, each with the name that it gets there, which is empty for the same."""
    content, wanted = project.content(path), name.encode()
    listed = (found for one in _IMPORTED.findall(content) if wanted in one for found in _AS.findall(one))
    return [(name, new.decode(errors="replace")) for old, new in listed if old == wanted]


def _returned(project: Project, paths: Iterable[Path]) -> set[str]:
    """The functions in some files that may return objects, and the names of annotations."""
    units = [unit for path in paths if (unit := project.load(path)) is not None]
    if not units:
        return set()
    from session_lint.python.annotated import named_annotations  # noqa: PLC0415  (as below)
    from session_lint.python.returning import returning, saving  # noqa: PLC0415  (as below)

    codes = {c.name for unit in units for c in (*returning(unit.names, LOADING), *saving(unit.names, ATTACHING))}
    return codes.union(*(named_annotations(unit.names) for unit in units))


def _leads(project: Project, paths: Iterable[Path]) -> list[tuple[str, str]]:
    """The names in some files that may give what a word gives, each with the word."""
    units = [unit for path in paths if (unit := project.load(path)) is not None]
    if not units:
        return []
    from session_lint.python.words import leads  # noqa: PLC0415  (most texts are told by bytes)

    return [(lead.name, lead.word) for unit in units for lead in leads(unit.names)]


def _passings(project: Project, paths: Iterable[Path]) -> list[tuple[Unit, dict[str, list[Passing]]]]:
    """The arguments in some files that go by a name."""
    units = [unit for path in paths if (unit := project.load(path)) is not None]
    if not units:
        return []
    from session_lint.python.passing import passings  # noqa: PLC0415  (as above)

    return [(unit, passings(unit.names)) for unit in units]


def _receiving(handed: list[tuple[Unit, list[Passing]]]) -> set[str]:
    """The parameters that may get some arguments."""
    if not handed:
        return set()
    from session_lint.python.passing import receiving  # noqa: PLC0415  (as above)

    return {name for unit, passings in handed for passing in passings for name in receiving(unit.names, passing)}


def touches(text: str) -> bool:
    """Whether a text may use, or end, a session that it did not open, and of which it need not speak."""
    if any(word in text for word in _METHODS) or any(called(text) for called in _CALLED):
        return True
    if ".query" in text and _QUERIES(text):
        return True
    return _FLUSHES in text and re.search(_BESIDE, text, re.IGNORECASE) is not None


def imported(data: bytes, path: Path, packages: frozenset[str]) -> bool:
    """Whether some file of a project may import one of some packages, or a text that stands for one of its files.

    :param path: the text's.
    """
    return project_of(absolute(path)).imports(packages) or importer(packages)(data)


def keeps(text: str) -> bool:
    """Whether a text may put something into a global, or into a field of one, or have a function remember it."""
    return re.search(_KEEPS, text, re.MULTILINE) is not None


class Signs:
    """The files of a project by the words that they hold.

    :param learnt: the words and the properties, as :class:`Kept` has them.
    :param telling: the words that tell whether a text may have to do with a session.
    :param named: as :class:`Kept` has them.
    """

    def __init__(self, project: Project, learnt: Sequence[str], telling: frozenset[str], named: Iterable[str]) -> None:
        self.project = project
        self.learnt = learnt
        self.telling = telling
        self.named = named

    @classmethod
    def of(cls, project: Project, kept: Kept) -> Signs:
        """Those of a project of which something is known already."""
        return cls(project, kept.words, opening(kept.words) - {"begin"}, kept.named)

    def answer(self, question: str) -> bytes:
        """The answer to a question as things stand now, for those that rest on the one they had."""
        if question == "words":
            said = (f"={name} {' '.join(sorted(modules))}" for name, modules in sorted(self._shared.items()))
            return self.project.digest_of("\0".join([*self.learnt, *said]).encode())
        if question == "globals":
            return self.project.digest(self.keeping)
        if question == "worth":
            return self.project.digest(self.worthy)
        kind, _, name = question.partition("\0")
        return self.project.listed(self.concerned(name)) if kind == "worthy" else self.project.answer(question)

    @cached_property
    def worthy(self) -> list[Path]:
        """The files that may have to do with a session."""
        files = self.project.layout.files
        known = {*self.project.texts.having(self.telling, files)}
        return [path for path in files if path in known or self._shares(self.project.content(path))]

    def worth(self, data: bytes, path: Path) -> bool:
        """Whether a text may have to do with a session.

        :param path: the file that it is the text of, or that it stands for.
        """
        if path in self.project.layout.places and data == self.project.content(path):
            return path in self._worthy
        return self.tells(data)

    @cached_property
    def _worthy(self) -> frozenset[Path]:
        return frozenset(self.worthy)

    def tells(self, data: bytes) -> bool:
        """The same of any text: it holds a word, or what a module has and the module."""
        return self._finds(data) or self._shares(data)

    def _shares(self, data: bytes) -> bool:
        return any(namer(name)(data) and (finds(data) or _FROM_HERE(data)) for name, finds in self._modules)

    @cached_property
    def _finds(self) -> Callable[[bytes], bool]:
        return finder(self.telling)

    @cached_property
    def _shared(self) -> dict[str, set[str]]:
        return passed_on(self.project, self.learnt)

    @cached_property
    def _modules(self) -> list[tuple[str, Callable[[bytes], bool]]]:
        """What modules have that has to do with a session, with what tells whether a text names one of them."""
        return [(name, finder(modules)) for name, modules in self._shared.items()]

    def concerned(self, name: str) -> list[Path]:
        """The files that may have to do with a session and hold a name."""
        files = self._by_word.get(name.encode(), 0)
        return [path for place, path in enumerate(self.worthy) if files >> place & 1]

    @cached_property
    def _by_word(self) -> dict[bytes, int]:
        """For each word which of those files hold it, as bits: they are asked for hundreds of names."""
        found: dict[bytes, int] = {}
        for place, path in enumerate(self.worthy):
            for word in {*_WORD.findall(self.project.content(path))}:
                found[word] = found.get(word, 0) | 1 << place
        return found

    @cached_property
    def naming_globals(self) -> set[Path]:
        """The files that may call a getter or closer that the vocabulary knows."""
        found: set[Path] = set()
        for module, _, last in (name.rpartition(".") for name in self.named):
            holding = self.project.holding(last)
            if holding:
                whole, parent = re.escape(module), re.escape(module.rpartition(".")[0])
                imported = re.compile(rf"(?:from|import)\s+{whole}\b|from\s+{parent}\s+import\b".encode())
                found.update(p for p in holding if imported.search(self.project.content(p)))
        return found

    @cached_property
    def keeping(self) -> list[Path]:
        """The files that may keep a session in a global, or call a getter that the vocabulary knows."""
        known = self.naming_globals | set(self.worthy)
        worthy = [p for p in self.project.layout.files if p in known]
        return [p for p in worthy if keeps(self.project.content(p).decode("latin-1"))]
