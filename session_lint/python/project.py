"""The modules of one project, read when somebody asks for them, and what was asked.

No code is imported or run: files are read as text. A module that cannot be read or parsed, or is larger than anyone
writes, is a module that nothing is known of.

What an answer rests on is kept with who asked, as *evidence*: pairs of a question and its answer, which
:meth:`Project.answer` answers anew, so that a later run can tell whether anything has changed.
"""

from __future__ import annotations

import gc
import os
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from session_lint.digests import blake2b
from session_lint.python.layout import MANIFESTS, forget_roots, root_of
from session_lint.python.mentions import LETTERS, importer
from session_lint.python.modules import absolute
from session_lint.python.remembered import forget_nodes
from session_lint.python.texts import Texts

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from session_lint.python.names import Names
    from session_lint.python.pending import Pending
    from session_lint.python.scopes import ScopeNode
    from session_lint.python.texts import Parsed
    from session_lint.source import Source


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
    :param texts: what is known of its files already.

    What an analysis makes of it stays with it, by what it goes by, so that it ends with it.
    """

    def __init__(self, root: Path, texts: Texts | None = None) -> None:
        self.root = root
        self.texts = texts or Texts(root)
        self.layout = self.texts.layout
        self.units: dict[Path, Unit | None] = {}
        self._by_name: dict[str, Unit] = {}
        self._unread: dict[str, Path] = {}
        self._functions: dict[str, frozenset[str]] = {}
        self._named: dict[tuple[Names, str], str] = {}
        self._of: dict[Names, Unit] = {}
        self._found: dict[tuple[Names, str], tuple[Names, str] | None] = {}
        self.programs: dict[Any, Any] = {}
        self._imports: dict[frozenset[str], bool] = {}
        self._manifests: dict[Unit, list[tuple[str, str]]] = {}

    @cached_property
    def pending(self) -> Pending:
        """The variables of any module that are being worked out."""
        from session_lint.python.pending import Pending  # noqa: PLC0415  (what was found already may hold still)

        return Pending()

    # modules

    def known(self, path: Path, text: str) -> Unit | None:
        """The module of a file, if it was read and had this text."""
        found = self.units.get(path)
        return found if found is not None and found.source.text == text else None

    def stand_in(self, path: Path, source: Source, tree: ast.Module | None) -> Unit:
        """The module of a text that need not be its file's; others find that text there, and evidence names it.

        :raises SourceError: where the text cannot be parsed.
        """
        return self._take(path, self.texts.stand_in(path, source, tree))

    def _take(self, path: Path, parsed: Parsed) -> Unit:
        from session_lint.python.names import Names  # noqa: PLC0415  (what was found already may hold still)

        if path in self.units:  # what was found may name what stood there before
            self._found.clear()
            self._named.clear()
        package = path.stem == "__init__"
        names = Names(parsed.tree, parsed.module, package=package, elsewhere=self, read=parsed.scopes)
        unit = Unit(path, parsed.source, names)
        self.units[path] = self._by_name[parsed.module] = self._of[names] = unit
        return unit

    def load(self, path: Path) -> Unit | None:
        """The module in a file, or ``None`` where it cannot be read."""
        if path not in self.units:
            parsed = self.texts.parsed(path)
            self.units[path] = None if parsed is None else self._take(path, parsed)
        return self.units[path]

    def content(self, path: Path) -> bytes:
        """The bytes of a file; none where it cannot be read."""
        return self.texts.content(path)

    def unit(self, names: Names) -> Unit:
        """The module that some names belong to."""
        return self._of[names]

    # what names ask

    def find(self, dotted: str, asker: Names) -> tuple[Names, str] | None:
        """The module of the project that the front of a dotted name means to an import, and the rest of the name."""
        place = asker, dotted
        if place not in self._found:
            found = self._find(dotted, asker)
            self._found[place] = found if found is None or found[1] else self._covered(found[0], dotted, asker) or found
        return self._found[place]

    def module(self, dotted: str, asker: Names) -> Names | None:
        """The module of the project that a dotted name is the name of, whatever else its package has by that name."""
        place = asker, f"{dotted}.*"
        if place not in self._found:
            self._found[place] = self._find(dotted, asker)
        found = self._found[place]
        return None if found is None or found[1] else found[0]

    def _covered(self, inner: Names, dotted: str, asker: Names) -> tuple[Names, str] | None:
        """What a package has under the name of one of its modules, where it took that out of this module.

        After ``from .store import store`` in the package's ``__init__``, the package's ``store`` is not the module.
        """
        front, _, name = dotted.rpartition(".")
        if not front or not inner.binds(name):
            return None
        place, package = self._of[inner].path, self._find(front, asker)
        if package is None or package[1] or not package[0].package or self._of[package[0]].path.parent != place.parent:
            return None
        scope, unit = package[0].scopes.module, self._of[package[0]]
        targets = [getattr(binding, "target", "") for binding in scope.bindings.get(name, ())]
        targets = targets or [f"{star}.{name}" for star in scope.stars]
        led = [self._locate(target, unit) if target else None for target in targets]
        taken = all if name in scope.bindings else any
        return (package[0], name) if led and taken(one == (place, name) for one in led) else None

    def has(self, dotted: str, asker: Names) -> bool:
        """Whether the front of a dotted name means a module of the project to an import; that is not read for it."""
        return self._locate(dotted, self._of[asker]) is not None

    def says(self, dotted: str, asker: Names) -> bool:
        """Whether an imported name is a function or class that the text of its module defines, and nothing else."""
        return self._said(dotted, self._of[asker]) is not None

    def named(self, dotted: str, asker: Names) -> str:
        """The dotted name of such a function or class; empty where it takes more than a text to tell.

        Its module is read when its definition is asked for.
        """
        place = asker, dotted
        if place not in self._named:
            self._named[place] = self._name(dotted, self._of[asker])
        return self._named[place]

    def _name(self, dotted: str, unit: Unit) -> str:
        said = self._said(dotted, unit)
        if said is None or said[0] in self.units:
            return ""
        path, name = said
        module = self.layout.name(path)
        if module in self._by_name or self._unread.setdefault(module, path) != path:
            return ""  # another file goes by the same name
        return f"{module}.{name}"

    def _said(self, dotted: str, unit: Unit) -> tuple[Path, str] | None:
        path, rest = self._locate(dotted, unit) or (None, "")
        if path is None or not rest:
            return None
        unit.evidence[f"file\0{path}"] = self.answer(f"file\0{path}")
        return (path, rest) if rest.encode() in self.texts.defined(path) else None

    def _find(self, dotted: str, asker: Names) -> tuple[Names, str] | None:
        unit = self._of[asker]
        found = self._locate(dotted, unit)
        if found is None:
            return None
        path, rest = found
        known = self._consult(unit, path)
        return None if known is None else (known.names, rest)

    def _locate(self, dotted: str, unit: Unit) -> tuple[Path, str] | None:
        folder = unit.path.parent
        if self.layout.foreign(dotted, folder):
            unit.evidence[f"find\0{folder}\0{dotted.partition('.')[0]}"] = b""
            return None
        found = self.layout.locate(dotted, folder)
        unit.evidence[f"find\0{folder}\0{dotted}"] = _place(found)
        return found

    def _consult(self, unit: Unit, path: Path) -> Unit | None:
        found = self.load(path)
        if found is None:
            unit.evidence[f"file\0{path}"] = self.answer(f"file\0{path}")
        elif found is not unit:
            unit.uses[found] = None
        return found

    def definition(self, name: str, asker: Names) -> tuple[Names, ScopeNode] | None:
        """The function or class that a dotted name stands for, in a module that names were followed to."""
        front = name.rpartition(".")[0]
        while front:
            unit = self._by_name.get(front) or (self.load(self._unread[front]) if front in self._unread else None)
            if unit is not None and name in unit.names.definitions:
                if unit.names is not asker:
                    self._of[asker].uses[unit] = None
                return unit.names, unit.names.definitions[name]
            front = front.rpartition(".")[0]
        return None

    # the whole project

    def mentioning(self, paths: list[Path], asker: Names, question: str) -> Iterator[Unit]:
        """The modules in some files, the asker's own left out, each read only when it is asked for.

        :param question: whose answer the files are.
        """
        unit = self._of[asker]
        unit.evidence[question] = self.listed(paths)
        found = (self._consult(unit, path) for path in paths if path != unit.path)
        return (one for one in found if one is not None)

    def rests_on(self, asker: Names, question: str, paths: list[Path]) -> None:
        """What is said of a module rests on which files answer a question, and not on what else is in them."""
        self._of[asker].evidence[question] = self.listed(paths)

    def functions_saying(self, words: str, asker: Names) -> frozenset[str]:
        """The names of all functions in the files that hold some words: no other can say them."""
        question = f"functions\0{words}"
        self._of[asker].evidence[question] = self.answer(question)
        return self._functions[words]

    def _functions_saying(self, words: str) -> frozenset[str]:
        if words not in self._functions:
            said = (_FUNCTION.findall(self.content(path)) for path in self.holding(words))
            self._functions[words] = frozenset(name.decode(errors="replace") for names in said for name in names)
        return self._functions[words]

    def holding(self, word: str) -> list[Path]:
        """The files whose bytes hold a word."""
        return self.texts.holding(word)

    def naming(self, name: str) -> list[Path]:
        """The files whose bytes hold a name as a whole, or the end of a path of names."""
        return self.texts.naming(name)

    def beside(self, question: str) -> list[Path]:
        """The files that hold a word, and as a whole one any of some others: what :func:`beside` asks for."""
        _, word, others = question.split("\0")
        return self.texts.having(frozenset(others.split()), self.holding(word))

    def imports(self, packages: frozenset[str]) -> bool:
        """Whether any file may import one of some packages."""
        if packages not in self._imports:
            imports = importer(packages)
            self._imports[packages] = any(imports(self.content(path)) for path in self.layout.files)
        return self._imports[packages]

    def manifests(self, asker: Names) -> list[tuple[str, str]]:
        """What says beside a module, or above it, what its project needs: each file's name, and its text."""
        unit = self._of[asker]
        if unit not in self._manifests:
            folders = [folder for folder in unit.path.parents if folder.is_relative_to(self.root)]
            paths = [folder / name for folder in folders for name in (*MANIFESTS, "requirements.txt", "Pipfile")]
            unit.evidence.update((question, self.answer(question)) for question in (f"file\0{path}" for path in paths))
            said = [(path.name, self.content(path).decode(errors="replace")) for path in paths]
            self._manifests[unit] = [(name, text) for name, text in said if text]
        return self._manifests[unit]

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

    def digest(self, paths: Iterable[Path]) -> bytes:
        """One digest of some files: their places and their contents."""
        return self.digest_of(b"".join(os.fsencode(p) + b"\0" + self.texts.mark(p) for p in paths))

    def listed(self, paths: Iterable[Path]) -> bytes:
        """A digest of which files they are."""
        return self.digest_of(b"\0".join(map(os.fsencode, paths)))

    @staticmethod
    def digest_of(data: bytes) -> bytes:
        """A digest that tells contents apart."""
        return blake2b(data, digest_size=16).digest()

    def answer(self, question: str) -> bytes:
        """The answer to a question as things stand now."""
        kind, _, rest = question.partition("\0")
        if kind == "find":
            folder, _, dotted = rest.partition("\0")
            return _place(self.layout.locate(dotted, self.root / folder))
        if kind == "word":
            return self.listed(self.holding(rest))
        if kind == "functions":
            return self.digest_of("\0".join(sorted(self._functions_saying(rest))).encode())
        if kind == "name":
            return self.listed(self.naming(rest))
        if kind == "beside":
            return self.listed(self.beside(question))
        return self.texts.mark(self.root / rest)


def beside(word: str, others: Iterable[str]) -> str:
    """The question which files hold a word, and as a whole one any of some others."""
    return f"beside\0{word}\0{' '.join(sorted(others))}"


def _place(found: tuple[Path, str] | None) -> bytes:
    return b"" if found is None else f"{found[0]}\0{found[1]}".encode(errors="surrogateescape")


def project_of(path: Path) -> Project:
    """The project that a file belongs to, one object for all its files."""
    root = root_of_project(path)
    if root not in _projects:
        _projects[root] = Project(root)
    return _projects[root]


def root_of_project(path: Path) -> Path:
    """The folder of the project that a file belongs to, looked for once."""
    folder = absolute(path).parent
    if folder not in _roots:
        _roots[folder] = root_of(folder / path.name)
    return _roots[folder]


_FUNCTION = re.compile(rb"\bdef[ \t]+(%s+)" % LETTERS)
_MANY = 40
"""Modules that were read, from which on it is worth to look for what can be freed."""
_projects: dict[Path, Project] = {}
_roots: dict[Path, Path] = {}


def forget_projects() -> None:
    """Read everything anew from now on: a run is over."""
    _projects.clear()
    _roots.clear()
    forget_roots()
    forget_nodes()


def leave(root: Path) -> None:
    """Let go of all that is known of one project: a run is done with it."""
    project = _projects.pop(root, None)
    if project is not None:
        forget_nodes()
        many = len(project.units) > _MANY
        del project
        if many:
            gc.collect()  # what is known of a project refers to itself in circles, and is looked for seldom


def renew_projects() -> None:
    """Understand everything anew from now on, of the texts that were read already."""
    for root, project in _projects.items():
        _projects[root] = Project(root, project.texts)
    forget_nodes()
