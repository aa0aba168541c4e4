"""The words by which a project opens sessions: those of the libraries, and those of all that gives what they give.

A file is looked at when it holds a word that is known; what one of its names may give is then asked of the analysis
itself, so that only names join that really give a session, or something that opens one. The end of it decides which
calls of the project are worth following at all.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeAlias

from session_lint.analysis.detached import ends_by_hand
from session_lint.analysis.passed import OPENING, factories, of_field, passed, passed_as, standing_in
from session_lint.analysis.summaries import is_generator
from session_lint.python.annotated import named_annotations
from session_lint.python.names import is_property
from session_lint.python.passing import passings, receiving
from session_lint.python.returning import returning, saving
from session_lint.python.words import leads
from session_lint.signs import ATTACHING, LOADING, stem
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.program import Program
    from session_lint.python.passing import Passing
    from session_lint.python.project import Project, Unit
    from session_lint.python.scopes import FunctionNode, Scope
    from session_lint.python.words import Lead

_Asked: TypeAlias = "tuple[Unit, str, Scope]"
"""A name that may give a session: its module, and the scope that binds it."""
_Handed: TypeAlias = "tuple[Unit, Passing]"
_GIVING = {Role.FACTORY, Role.FACTORY_MAKER, Role.REGISTRY_MAKER, Role.MANAGED, Role.SCOPE, Role.SINGLETON}


def grow(program: Program, project: Project, known: set[str]) -> None:
    """Fill a set with the words of a project.

    A word leads to names that nobody has asked about, most often, and what was judged so far stays true of them. Where
    it leads to one that gave nothing with less known, all is judged anew; what gave nothing meanwhile is, in the end.

    :param known: the program's own, by which it judges meanwhile.
    """
    growth = _Growth(program, project, known)
    fresh = set(program.vocabulary.opening_words) | {"begin"}
    asked, doubtful, handed = set[_Asked](), dict[_Asked, bool](), list[_Handed]()
    while fresh or doubtful or handed:
        leading, passing = growth.reach(fresh) if fresh else ({}, [])
        afresh = not (asked and fresh and asked.isdisjoint(leading))
        if afresh:
            program.forget()
            leading, passing = {**doubtful, **leading}, [*handed, *passing]
            asked, doubtful, handed = set(), {}, []
        given, fresh = growth.judge(leading, passing)
        asked |= leading.keys()
        if not afresh:
            doubtful |= {lead: read for lead, read in leading.items() if lead not in given}
            handed += passing
    read = growth.read
    program.shared |= {f"{name} {stem(project, unit.path)}" for unit in read for name in _giving_objects(program, unit)}
    program.shared |= {f"{name} {stem(project, unit.path)}" for unit in read for name in _told_to_hold(program, unit)}


class _Growth:
    """The files of a project that hold known words, and what their names may give.

    :param known: the words so far.
    """

    def __init__(self, program: Program, project: Project, known: set[str]) -> None:
        self.program = program
        self.project = project
        self.known = known
        self._own = set[str]()  # what the project's own names are known to give, which may be called as a library's
        self._left = list(project.layout.files)
        self._waiting: dict[str, list[tuple[Unit, Lead]]] = {}
        self._handing: dict[str, list[tuple[Unit, list[Passing]]]] = {}

    @property
    def read(self) -> list[Unit]:
        """The files that hold one of the words."""
        left = {*self._left}
        paths = [path for path in self.project.layout.files if path not in left]
        return [unit for path in paths if (unit := self.project.load(path)) is not None]

    def reach(self, fresh: set[str]) -> tuple[dict[_Asked, bool], list[_Handed]]:
        """What new words lead to: names, each with whether it is a property's, and what is passed to functions."""
        self.known |= fresh
        holding = dict.fromkeys(self.project.texts.having(frozenset(fresh - {"begin"} or fresh), self._left))
        self._left = [path for path in self._left if path not in holding]
        reached = [entry for word in fresh for entry in self._waiting.get(word, ())]
        for unit in filter(None, map(self.project.load, holding)):
            for lead in leads(unit.names):
                self._waiting.setdefault(lead.word, []).append((unit, lead))
                if lead.word in self.known:
                    reached.append((unit, lead))
            for word, handed in passings(unit.names).items():
                self._handing.setdefault(word, []).append((unit, handed))
        words = sorted(self.known & self._handing.keys())
        passing = [(unit, one) for word in words for unit, handed in self._handing.pop(word) for one in handed]
        return {(unit, lead.name, lead.scope): _read(lead) for unit, lead in reached}, passing

    def judge(self, leading: dict[_Asked, bool], passing: list[_Handed]) -> tuple[set[_Asked], set[str]]:
        """Which of these names give a session, or what does, and the words that are new by that."""
        program, own = self.program, self._own
        wanted = [lead for lead, read in leading.items() if lead[1] not in (program.properties if read else own)]
        given = {lead for lead in wanted if _gives(program, *lead)}
        program.properties |= {lead[1] for lead in given if leading[lead]}
        shared = [(unit, name) for unit, name, scope in leading if _shares(program, unit, name, scope)]
        program.shared |= {f"{name} {stem(self.project, unit.path)}" for unit, name in shared}
        named = {name for _, name, _ in given}
        fresh = (named - own) | (_receiving(program, passing) - self.known)
        own |= named
        return given, fresh


def _receiving(program: Program, handed: list[tuple[Unit, Passing]]) -> set[str]:
    """The parameters of the project's functions that get a factory."""
    found: set[str] = set()
    for unit, passing in handed:
        module, (argument, _, scope) = program.module(unit.names), passing
        names = passed_as(module, argument, scope) or passed(module, argument, scope)
        meaning = module.calls.meaning(names or module.kept_outside(argument, scope))
        if meaning is not None and meaning.role in OPENING:
            found |= receiving(unit.names, passing)
    return found


def _shares(program: Program, unit: Unit, name: str, scope: Scope) -> bool:
    """Whether a variable of a module holds a session that others may import."""
    if not isinstance(scope.node, ast.Module):
        return False
    made = (one.removesuffix("()") for one in unit.names.exported(name) if one.endswith("()"))
    meanings = (program.module(unit.names).calls.meaning(frozenset({one})) for one in made)
    return any(meaning is not None and meaning.role is Role.FACTORY for meaning in meanings)


def _giving_objects(program: Program, unit: Unit) -> Iterator[str]:
    """The functions of a module that may leave objects to their callers of sessions which they open, or close by hand.

    They return them, or save what they were given: it is detached by then.
    """
    if _NOT_EXPIRED in unit.source.text:
        return
    module = program.module(unit.names)
    codes = [*returning(unit.names, LOADING), *saving(unit.names, ATTACHING)]
    yield from (code.name for code in codes if module.opens_one(code) or ends_by_hand(module, code))


_NOT_EXPIRED = "expire_on_commit"


def _told_to_hold(program: Program, unit: Unit) -> Iterator[str]:
    """The names of a module by which annotations elsewhere tell of a session: ``SessionDep``."""
    for name in named_annotations(unit.names):
        meant, calls = unit.names.exported(name), program.module(unit.names).calls
        if calls.are_sessions(frozenset(f"{one}()" for one in meant)):
            yield name


def _read(lead: Lead) -> bool:
    """Whether a lead is about a property."""
    nodes = [binding.node for binding in lead.scope.bindings.get(lead.name, ())]
    return any(isinstance(node, ast.FunctionDef) and is_property(node) for node in nodes)


def _gives(program: Program, unit: Unit, name: str, scope: object) -> bool:
    """Whether a name of a module gives a session when it is called, or gives what does."""
    names, module = unit.names, program.module(unit.names)
    if isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):  # type: ignore[attr-defined]
        return bool(passed(module, ast.Name(name, ast.Load()), scope))  # type: ignore[arg-type]
    bound = scope.attributes.get(name) or scope.bindings.get(name, ())  # type: ignore[attr-defined]
    for binding in bound:
        node = binding.node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if (
                module.hands_out(node)
                or _scope(program, unit, node)
                or _means(program, unit, names.qualname(names.scopes.of[node]))
                or names.qualname(names.scopes.of[node]) in module.lenders
            ):
                return True
        elif isinstance(node, ast.ClassDef) and module.opens_when_made(node):
            return True
    found = names.member(scope, name) if scope.is_class else names.exported(name) | names.put_as(name)  # type: ignore[attr-defined, arg-type]
    found = frozenset[str]() if module.calls.says_nothing(found) else found
    if not found and scope.is_class and (kept := of_field(module, scope, name)) is not None:  # type: ignore[attr-defined, arg-type]
        found = factories(*kept)
    if not found and scope.is_class:  # type: ignore[attr-defined]
        found = standing_in(module, bound)
    return any(_means(program, unit, one) for one in found | names.put_under(scope, name))  # type: ignore[arg-type]


def _scope(program: Program, unit: Unit, function: FunctionNode) -> bool:
    """Whether a generator would be a scope, once somebody makes it a context manager."""
    return is_generator(function) and program.module(unit.names).generator_scope(function) is not None


def _means(program: Program, unit: Unit, name: str) -> bool:
    module = program.module(unit.names)
    found = module.calls.meaning(frozenset({name}))
    if found is not None:
        return found.role in _GIVING
    definition = unit.names.definition(name) or unit.names.definition(name.removesuffix("()"))
    if definition is None:
        return False
    node, home = definition[1], program.module(definition[0])
    if name.endswith("()") and not isinstance(node, ast.ClassDef):
        return False
    if isinstance(node, ast.ClassDef):
        return home.opens_when_made(node)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        if home.hands_out(node) or (is_generator(node) and home.generator_scope(node) is not None):
            return True
        given = definition[0].given(name)
        if name not in given and any(_means(program, unit, one) for one in given):
            return True
        return any(_means(program, unit, one) for one in definition[0].given_in_tuples(node))
    return False
