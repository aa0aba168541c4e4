"""The modules of one project, read when somebody asks for them, and what was asked.

No code is imported or run: files are read as text. A module that cannot be read or parsed, or is larger than anyone
writes, is a module that nothing is known of.

What an answer rests on is kept with who asked, as *evidence*: pairs of a question and its answer, which
:meth:`Project.answer` answers anew, so that a later run can tell whether anything has changed.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from session_lint.python.layout import Layout, root_of
from session_lint.python.names import Names
from session_lint.python.pending import Pending
from session_lint.python.scopes import absolute
from session_lint.source import Source, SourceError, decode

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator
    from pathlib import Path

    from session_lint.python.names import Qualified
    from session_lint.python.scopes import ScopeNode

_LARGEST = 1_500_000
"""Bytes of the largest file that is followed into; what is larger is data, or was generated."""
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n;#]*)|import[ \t]+([^\n;#]+))", re.MULTILINE
)
_WORD = re.compile(rb"\w+(?:\.\w+)*")


class Unit:
    """One module of a project that was read.

    :param evidence: the questions that were asked on its behalf, with their answers.
    :param uses: the modules that it asked about.
    """

    def __init__(self, path: Path, source: Source, names: Names) -> None:
        self.path = path
        self.source = source
        self.names = names
        self.evidence: dict[str, bytes] = {}
        self.uses: dict[Unit, None] = {}


class Project:
    """The modules of one project.

    :param root: its folder.
    :param words: names that make a file worth following an import into.
    """

    def __init__(self, root: Path, words: tuple[str, ...]) -> None:
        self.root = root
        self.layout = Layout(root)
        self._words = re.compile("|".join(map(re.escape, words)).encode())
        self._bytes: dict[Path, bytes] = {}
        self._units: dict[Path, Unit | None] = {}
        self._by_name: dict[str, Unit] = {}
        self._of: dict[Names, Unit] = {}
        self._imports: dict[Path, tuple[Path, ...]] = {}
        self._reaches: dict[Path, bool] = {}
        self.pending = Pending()

    # modules

    def open(self, path: Path, source: Source, tree: ast.Module) -> Unit:
        """The module of a text that the caller has parsed, which stands for the file from now on."""
        known = self._units.get(path)
        if known is not None and known.source.text == source.text:
            return known
        return self._take(path, Source(str(path), source.text), tree)

    def _take(self, path: Path, source: Source, tree: ast.Module) -> Unit:
        name = self.layout.name(path)
        names = Names(tree, name, package=path.stem == "__init__", elsewhere=self)
        unit = Unit(path, source, names)
        self._units[path] = self._by_name[name] = self._of[names] = unit
        return unit

    def load(self, path: Path) -> Unit | None:
        """The module in a file, or ``None`` where it cannot be read."""
        if path not in self._units:
            self._units[path] = self._read(path)
        return self._units[path]

    def _read(self, path: Path) -> Unit | None:
        data = self.content(path)
        if not data or len(data) > _LARGEST:
            return None
        try:
            source = decode(str(path), data)
            return self._take(path, source, source.parse())
        except (SourceError, RecursionError, MemoryError):
            return None

    def content(self, path: Path) -> bytes:
        """The bytes of a file; none where it cannot be read."""
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes()
            except OSError:
                self._bytes[path] = b""
        return self._bytes[path]

    def unit(self, names: Names) -> Unit:
        """The module that some names belong to."""
        return self._of[names]

    # what names ask

    def find(self, dotted: str, asker: Names, *, anyway: bool = False) -> tuple[Names, str] | None:
        """The module of the project that the front of a dotted name means to an import, and the rest of the name.

        :param anyway: whether to follow into a module that mentions none of the words, too.
        """
        unit = self._of[asker]
        folder = unit.path.parent
        if self.layout.foreign(dotted, folder):
            unit.evidence[f"find\0{folder}\0{dotted.partition('.')[0]}"] = b""
            return None
        found = self.layout.locate(dotted, folder)
        unit.evidence[f"find\0{folder}\0{dotted}"] = _place(found)
        if found is None:
            return None
        path, rest = found
        if not anyway and not self._worth(unit, path):
            return None
        known = self._consult(unit, path)
        return None if known is None else (known.names, rest)

    def _worth(self, unit: Unit, path: Path) -> bool:
        worth = self.reaches(path)
        unit.evidence[f"reach\0{path}"] = b"1" if worth else b"0"
        return worth

    def _consult(self, unit: Unit, path: Path) -> Unit | None:
        found = self.load(path)
        if found is None:
            unit.evidence[f"file\0{path}"] = self.answer(f"file\0{path}")
        elif found is not unit:
            unit.uses[found] = None
        return found

    def definition(self, name: str, asker: Names) -> tuple[Names, ScopeNode] | None:
        """The function or class of the project that a dotted name stands for, in a module that was read."""
        front = name.rpartition(".")[0]
        while front:
            unit = self._by_name.get(front)
            if unit is not None and name in unit.names.definitions:
                if unit.names is not asker:
                    self._of[asker].uses[unit] = None
                return unit.names, unit.names.definitions[name]
            front = front.rpartition(".")[0]
        return None

    def resolve(self, name: str, asker: Names) -> Qualified:
        """What a dotted name stands for, whatever the words say: for a name that was imported and not followed."""
        found = self.find(name, asker, anyway=True)
        if found is None or not found[1] or found[0] is asker:
            return frozenset()
        names, rest = found
        first, _, others = rest.partition(".")
        bases = names.exported(first, anyway=True)
        for attribute in others.split(".") if others else ():
            bases = frozenset(q for base in bases for q in names.attribute(base, attribute, 0))
        return bases

    # the whole project

    def mentioning(self, word: str, asker: Names) -> list[Unit]:
        """The modules whose text holds a word, the asker's own left out."""
        unit = self._of[asker]
        paths = self.holding(word)
        unit.evidence[f"word\0{word}"] = _digest("\0".join(map(str, paths)).encode(errors="surrogateescape"))
        found = [self._consult(unit, path) for path in paths if path != unit.path]
        return [one for one in found if one is not None]

    def holding(self, word: str) -> list[Path]:
        """The files whose bytes hold a word."""
        wanted = word.encode()
        return [path for path in self.layout.files if wanted in self.content(path)]

    def mentions(self, path: Path) -> bool:
        """Whether a file mentions one of the words."""
        return bool(self._words.search(self.content(path)))

    def reaches(self, path: Path) -> bool:
        """Whether a file, or one that it imports, however indirectly, mentions one of the words."""
        if path in self._reaches:
            return self._reaches[path]
        seen, todo = {path}, [path]
        while todo:
            current = todo.pop()
            if self._reaches.get(current) or self.mentions(current):
                self._reaches[current] = self._reaches[path] = True
                return True
            if self._reaches.get(current) is None:
                fresh = [p for p in self.imports(current) if p not in seen]
                seen.update(fresh)
                todo += fresh
        self._reaches.update(dict.fromkeys(seen, False))
        return False

    def imports(self, path: Path) -> tuple[Path, ...]:
        """The files of the project that a file imports, read off its text."""
        if path not in self._imports:
            found = (self.layout.locate(dotted, path.parent) for dotted in self._imported(path))
            self._imports[path] = tuple(dict.fromkeys(place[0] for place in found if place is not None))
        return self._imports[path]

    def _imported(self, path: Path) -> Iterator[str]:
        name = self.layout.name(path)
        package = name if path.stem == "__init__" else name.rpartition(".")[0]
        for module, listed, plain in _IMPORT.findall(self.content(path)):
            if plain:
                yield from (word.decode() for word in _WORD.findall(plain))
                continue
            written = module.decode()
            base = absolute(package, len(written) - len(written.lstrip(".")), written.lstrip("."))
            yield base
            yield from (f"{base}.{word.decode()}" for word in _WORD.findall(listed))

    # evidence

    def evidence(self, unit: Unit) -> dict[str, bytes]:
        """All that the verdicts on a module rest on beside its own text."""
        seen, todo = {unit}, [unit]
        found: dict[str, bytes] = {}
        while todo:
            current = todo.pop()
            found.update(current.evidence)
            if current is not unit:
                found[f"file\0{current.path}"] = self.answer(f"file\0{current.path}")
            fresh = [u for u in current.uses if u not in seen]
            seen.update(fresh)
            todo += fresh
        return found

    def answer(self, question: str) -> bytes:
        """The answer to a question as things stand now."""
        kind, _, rest = question.partition("\0")
        if kind == "find":
            folder, _, dotted = rest.partition("\0")
            return _place(self.layout.locate(dotted, self.root / folder))
        if kind == "word":
            return _digest("\0".join(map(str, self.holding(rest))).encode(errors="surrogateescape"))
        path = self.root / rest
        if kind == "reach":
            return b"1" if self.reaches(path) else b"0"
        return _digest(self.content(path)) if self.content(path) else b""


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _place(found: tuple[Path, str] | None) -> bytes:
    return b"" if found is None else f"{found[0]}\0{found[1]}".encode(errors="surrogateescape")


def project_of(path: Path, words: tuple[str, ...]) -> Project:
    """The project that a file belongs to, one object for all its files."""
    root = root_of(path)
    key = (root, words)
    if key not in _projects:
        _projects[key] = Project(root, words)
    return _projects[key]


_projects: dict[tuple[Path, tuple[str, ...]], Project] = {}


def forget_projects() -> None:
    """Read everything anew from now on: a run is over."""
    _projects.clear()
