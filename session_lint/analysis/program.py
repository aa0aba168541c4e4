"""The modules of a program under analysis, and what only all of them together know: who calls a function.

Modules are read on demand. Callers are searched for by a function's name in the bytes of the project's files first;
only the files that hold it are parsed.
"""

from __future__ import annotations

import ast
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis.facts import ModuleFacts
from session_lint.analysis.growth import grow
from session_lint.analysis.module import Module
from session_lint.analysis.summaries import Rising
from session_lint.python.mentions import importer
from session_lint.python.pending import Pending, once
from session_lint.python.project import beside
from session_lint.signs import Kept, Signs, learnt_from, memory_of, opening, recalled
from session_lint.stages import stage
from session_lint.vocabulary import Role, vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from session_lint.analysis.expired import Held
    from session_lint.analysis.saving import Saved
    from session_lint.analysis.solved import Solved
    from session_lint.python.names import Names
    from session_lint.python.project import Project
    from session_lint.python.scopes import FunctionNode
    from session_lint.signs import Memory
    from session_lint.source import Source
    from session_lint.vocabulary import Vocabulary

_MOST_CANDIDATES = 150
"""How many files may hold a function's name before nobody can say who calls it."""
_MOST_CALLERS = 400
_MOST_FACTS = 6
"""Of how many modules the solutions are kept, which take the most room; few are asked for again."""

Learnt = tuple[frozenset[str] | None, frozenset[str], frozenset[str]]
"""The words by which a call may give a session, the properties that do, and what others may import from modules."""
Place = tuple[Module, ast.AST]
"""A function or module body, and the module it stands in."""


class Program:
    """The modules that are known of one program.

    :param vocabulary: what the names of libraries mean.
    :param project: the files around them; ``None`` where one module is all there is.
    """

    def __init__(self, vocabulary: Vocabulary, project: Project | None = None) -> None:
        self.vocabulary = vocabulary
        self.project = project
        self.pending = Pending()
        self.rising = Rising()
        self.hands_out: dict[FunctionNode, bool] = {}
        self.slow: dict[tuple[FunctionNode, int], object] = {}
        self.speaking: dict[tuple[FunctionNode, frozenset[str], int], bool] = {}
        self.ending: dict[ast.AST, bool] = {}
        self.closing: dict[ast.AST, bool] = {}
        self.detaching: dict[FunctionNode, Held | None] = {}
        self.saving: dict[FunctionNode, list[Saved]] = {}
        self.catching: dict[ast.AST, bool] = {}
        self._modules: dict[Names, Module] = {}
        self._facts: dict[Module, ModuleFacts] = {}
        self._callers: dict[tuple[ast.AST, bool], list[Place] | None] = {}
        self._words: set[str] | None = None
        self._growing = False
        self._told: Signs | None = None
        self.properties: set[str] = set()
        self.shared: set[str] = set()

    def add(self, names: Names, source: Source) -> Module:
        """The module of some names, made when it is first asked for."""
        if names not in self._modules:
            self._modules[names] = Module(names, source, self)
        return self._modules[names]

    def module(self, names: Names) -> Module:
        """The module that some names belong to."""
        known = self._modules.get(names)
        if known is None:
            assert self.project is not None
            known = self.add(names, self.project.unit(names).source)
        return known

    def facts(self, module: Module) -> ModuleFacts:
        """The facts of a module."""
        known = self._facts.pop(module, None)
        self._facts[module] = known or ModuleFacts(module.source, module)  # the last one asked for comes last
        if len(self._facts) > _MOST_FACTS:
            del self._facts[next(iter(self._facts))]
        return self._facts[module]

    def source_of(self, node: ast.AST, module: Module) -> Source | None:
        """The text of the other module that a node stands in; ``None`` for this one."""
        found = self.module_of(node, module)
        return None if found in (None, module) else found.source

    def module_of(self, node: ast.AST, module: Module) -> Module | None:
        """The module that a node stands in, which most often is the one at hand."""
        if len(self._modules) == 1 or module.surely_has(node):
            return module
        sure = next((m for m in self._modules.values() if m.surely_has(node)), None)
        return sure or next((m for m in (module, *self._modules.values()) if m.has(node)), None)

    @property
    def words(self) -> AbstractSet[str] | None:
        """The words by which a call may give a session; ``None`` where all may."""
        if self.project is None or not self.project.layout.files:
            return None
        if self._words is None:
            self._learn(self.project)
        return self._words

    @stage("learning words")
    def _learn(self, project: Project) -> None:
        """Learn the words, or recall them: none where no session can come from anywhere, which takes no memory."""
        self._words = self._recalled() if self._names_libraries else set()
        if self._words is not None:
            return
        self._words = set()
        self._growing = True  # nobody asks for global sessions meanwhile
        try:
            grow(self, project, self._words)
        except BaseException:  # a stack that is not deep enough: nothing half-learnt is left behind
            self._words = None
            raise
        finally:
            self._growing = False
            self.forget()
        memory = self._memory
        if memory is not None:
            memory.remember(Kept(self._learnt, learnt_from(project, self._words), self._naming_globals))

    @cached_property
    def _names_libraries(self) -> bool:
        """Whether any file of the project imports a package that sessions come from."""
        assert self.project is not None
        return self.project.imports(self.vocabulary.sources)

    @cached_property
    def _sources(self) -> Callable[[bytes], bool]:
        return importer(self.vocabulary.sources)

    def learnt(self) -> Learnt:
        """What was found out about how the project opens sessions, for :meth:`presume`."""
        return (
            (None if self.words is None else frozenset(self.words)),
            frozenset(self.properties),
            frozenset(self.shared),
        )

    def presume(self, learnt: Learnt) -> None:
        """Take what another program has found out for granted."""
        words, properties, shared = learnt
        self._words, self.properties, self.shared = (None if words is None else set(words)), {*properties}, {*shared}
        self._told = None

    def _recalled(self) -> set[str] | None:
        """The words of an earlier run, where the files that they were learnt from are the same still."""
        assert self.project is not None
        kept = recalled(self.project, self._memory)
        if kept is None:
            return None
        self.properties = {word.removeprefix(".") for word in kept.words if word.startswith(".")}
        self.shared = {word.removeprefix("=") for word in kept.words if word.startswith("=")}
        return {*opening(kept.words)}

    @property
    def _memory(self) -> Memory | None:
        assert self.project is not None
        return memory_of(self.project, lambda tables: vocabulary(tables) is self.vocabulary)

    @property
    def _learnt(self) -> list[str]:
        """The words, and the properties and shared variables with a mark in front."""
        marked = (*(f".{name}" for name in self.properties), *(f"={one}" for one in self.shared))
        return sorted([*(self.words or ()), *marked])

    def answer(self, question: str) -> bytes:
        """The answer to a question as things stand now, for those that rest on the one they had."""
        return self._signs.answer(question)

    @property
    def _signs(self) -> Signs:
        if self._told is None:
            assert self.project is not None
            self._told = Signs(self.project, self._learnt, self._telling, self._naming_globals)
        return self._told

    @once
    def evidence(self) -> dict[str, bytes]:
        """What all verdicts on the program rest on."""
        asked = ("words", "globals", "worth") if self.has_singletons else ("words", "globals")
        return {question: self.answer(question) for question in asked}

    def worth(self, data: bytes, path: Path) -> bool:
        """Whether a text may have to do with a session: it holds one of the words.

        The text need not be one of the project's: that of an editor, standard input, a folder that is left out.

        :param path: its file.
        """
        if self.words is not None and not self._words and self._sources(data):
            self._names_libraries, self._words, self._told = True, None, None
        return self._signs.worth(data, path)

    @property
    def _telling(self) -> frozenset[str]:
        """The words that tell whether a text may have to do with a session."""
        words = self.words
        return frozenset(self.vocabulary.opening_words if words is None else words) - {"begin"}

    def forget(self) -> None:
        """Judge every function anew: more words are known."""
        self._modules.clear()
        self._facts.clear()
        self._callers.clear()
        self._told = None
        self.hands_out.clear()

    # who calls what

    def callers(self, module: Module, code: ast.AST, *, concerned: bool = False) -> list[Place] | None:
        """The codes of the whole program that call a function; ``None`` where that cannot be known.

        :param module: the one that defines it.
        :param concerned: whether only modules count that have to do with sessions by their own words.
        """
        key = (code, concerned)
        if key not in self._callers:
            self._callers[key] = self._find_callers(module, code, concerned=concerned)
        return self._callers[key]

    def _find_callers(self, module: Module, code: ast.AST, *, concerned: bool) -> list[Place] | None:
        if self.project is None or not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return [(module, caller) for caller in module.callers.get(code, ()) if caller is not code]
        name = self.name_of(module, code)
        own = [place for place in _calling(module, code, name) if place[1] is not code]
        others = self.mentioning(module, name, concerned=concerned)
        if others is None:
            return None
        return [*own, *(place for other_module in others for place in _calling(other_module, code, name))]

    @staticmethod
    def name_of(module: Module, code: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """The word that a caller cannot do without: of a constructor its class's name."""
        outer = module.names.scopes.of[code].parent
        if code.name == "__init__" and outer is not None and isinstance(outer.node, ast.ClassDef):
            return outer.node.name
        return code.name

    def mentioning(self, module: Module, name: str, *, concerned: bool = False) -> list[Module] | None:
        """The other modules that hold a name, or the end of a path of names; ``None`` where there are too many."""
        found = self.each_mentioning(module, name, concerned=concerned)
        return None if found is None else list(found)

    def each_mentioning(self, module: Module, name: str, *, concerned: bool = False) -> Iterator[Module] | None:
        """The same for those who may not need all: each is read only when it is asked for."""
        if self.project is None:
            return iter(())
        paths = self._signs.concerned(name) if concerned else self.project.naming(name)
        return self._asked_for(module, paths, f"worthy\0{name}" if concerned else f"name\0{name}")

    def saying(self, module: Module, part: str) -> list[Module] | None:
        """The same for a part of a word."""
        if self.project is None:
            return []
        found = self._asked_for(module, self.project.holding(part), f"word\0{part}")
        return None if found is None else list(found)

    def functions_saying(self, module: Module, words: str) -> frozenset[str] | None:
        """The names of the functions that may say some words; ``None`` for any."""
        return None if self.project is None else self.project.functions_saying(words, module.names)

    def threading(self, module: Module, name: str) -> list[Module]:
        """Those of them that hold one of the words, too, by which threads are started."""
        return self.speaking_of(module, name, self.vocabulary.thread_words) or []

    def speaking_of(self, module: Module, name: str, words: Iterable[str]) -> list[Module] | None:
        """The other modules that hold a word, and one of some others; ``None`` where there are too many."""
        if self.project is None:
            return []
        question = beside(name, words)
        found = self._asked_for(module, self.project.beside(question), question)
        return None if found is None else list(found)

    def manifests(self, module: Module) -> list[tuple[str, str]]:
        """The files that say what the project of a module needs: each file's name, and its text."""
        return [] if self.project is None else self.project.manifests(module.names)

    def speaks_of(self, module: Module, word: str) -> bool:
        """Whether any file of the program holds a word."""
        if self.project is None:
            return word in module.source.text
        paths = self.project.holding(word)
        self.project.rests_on(module.names, f"word\0{word}", paths)
        return bool(paths)

    def _asked_for(self, module: Module, paths: list[Path], question: str) -> Iterator[Module] | None:
        if self.project is None or len(paths) > _MOST_CANDIDATES:
            return None
        return (self.module(unit.names) for unit in self.project.mentioning(paths, module.names, question))

    def reaching(self, places: Iterable[Place], *, concerned: bool = False) -> dict[ast.AST, Place]:
        """These codes, and all that call them, directly or not, each with where it stands."""
        found = {code: (module, code) for module, code in places}
        todo = deque(found.values())
        while todo and len(found) < _MOST_CALLERS:
            module, code = todo.popleft()
            for place in self.callers(module, code, concerned=concerned) or ():
                if place[1] not in found:
                    found[place[1]] = place
                    todo.append(place)
        return found

    def called_blindly(self, module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Whether some call of a method of this name, on an object that cannot be followed, may be one of this one."""
        others = self.mentioning(module, function.name, concerned=False)
        return others is None or any(function.name in m.methods_called for m in (module, *others))

    def using(self, module: Module) -> Iterator[tuple[ModuleFacts, Solved]]:
        """The solutions of the other modules' codes that may pass a session to a function of this one which ends it.

        Each comes with the facts of its module.
        """
        ending = [(module, code) for code in module.ending_by_hand] if self.project is not None else []
        for other, code in self.reaching(ending, concerned=True).values() if ending else ():
            if other is not module and code in other.opening:
                facts = self.facts(other)
                solved = facts.solution(code)  # type: ignore[arg-type]  # what opens one is a code
                if solved is not None:
                    yield facts, solved

    # the sessions that belong to the whole program

    @property
    def has_singletons(self) -> bool:
        """Whether the program has a global session at all, as far as names tell."""
        return not self._growing and self._has_singletons

    @once
    def _has_singletons(self) -> bool:
        return bool(self._signs.naming_globals) or bool(self._with_getters)

    @property
    def _naming_globals(self) -> list[str]:
        """The names of getters and closers that the vocabulary knows."""
        tables = {name for name, meaning in self.vocabulary.names.items() if meaning.role in _GLOBAL}
        return sorted(tables | {alias for alias, name in self.vocabulary.aliases.items() if name in tables})

    @once
    def _with_getters(self) -> list[Module]:
        """The modules that keep a session in a global."""
        assert self.project is not None
        units = [unit for p in self._signs.keeping if (unit := self.project.load(p)) is not None]
        return [m for unit in units if (m := self.module(unit.names)).getters or m.lenders]

    def singleton_words(self, names: Names) -> set[str]:
        """The words by which a module may call the getter or the closer of a global session."""
        return {alias for name in self._singleton_words for alias in names.aliases(name)}

    @once
    def _singleton_words(self) -> frozenset[str]:
        tables = {name for name, meaning in self.vocabulary.names.items() if meaning.role in _GLOBAL}
        own = {name for m in self._with_getters for name in (*m.singletons, *m.lenders)}
        return frozenset(name.rpartition(".")[2] for name in tables | own)

    @once
    def touching(self) -> dict[ast.AST, Place]:
        """The codes of the program that reach the getter or the closer of a global session."""
        assert self.project is not None
        return self.reaching([(m, code) for m in self.naming_singletons for code in m.calling_singletons])

    @once
    def naming_singletons(self) -> list[Module]:
        """The modules that name the getter or the closer of a global session."""
        assert self.project is not None
        names = {name for m in self._with_getters for name in (*m.singletons, *m.lenders)}
        words = {name.rpartition(".")[2] for name in names}
        paths = {path for name in words for path in self.project.holding(name)} | self._signs.naming_globals
        units = [self.project.load(path) for path in sorted(paths)]
        return [self.module(unit.names) for unit in units if unit is not None]


_GLOBAL = (Role.SINGLETON, Role.CLOSER)


def _calling(module: Module, code: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Iterator[Place]:
    """The codes of a module that call a function of some name."""
    for alias in sorted(module.names.aliases(name)):
        for call in module.calls_by_word.get(alias, ()):
            callee = module.calls.callee(call)
            made = module.initialiser(callee)
            if callee.function is code or (made is not None and made[1] is code):
                yield module, module.code_of(module.calls.scope(call))
