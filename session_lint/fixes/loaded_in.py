"""What expressions of a block may hold what was loaded from its session, in the functions that it calls, too."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from session_lint.analysis.arguments import bind
from session_lint.analysis.fetching import is_bare
from session_lint.analysis.loading import Loaded, is_column, loaded, made, plain_rows
from session_lint.fixes.expressions import (
    collection_of,
    generator_of,
    is_made_plain,
    places_of,
    start_of,
)
from session_lint.fixes.syntax import syntax_of
from session_lint.python.nodes import names_under, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import parameters
from session_lint.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from session_lint.analysis.module import Module
    from session_lint.analysis.program import Program
    from session_lint.fixes.syntax import Syntax
    from session_lint.python.scopes import FunctionNode, Scope

    _Same = TypeVar("_Same", bound="LoadedIn")

_T = TypeVar("_T")
DEEPEST = 5
"""How many functions are followed that call each other."""


class Learnt(Generic[_T]):
    """What was learnt of functions that blocks call, by what they get (:attr:`LoadedIn.key`).

    An answer serves all blocks unless it rests on doubt: on a function that calls itself, or on one too deep to follow.
    """

    def __init__(self) -> None:
        self._sure: dict[tuple[object, int], _T] = {}

    def ask(self, asked: LoadedIn, own: dict[object, _T], answer: Callable[[], _T], underway: _T) -> _T:
        """The answer for a called function.

        :param own: the answers of this block that rest on doubt.
        :param underway: what is said where the function calls itself.
        """
        key, doubts = asked.key, asked.doubts
        if (key, asked.depth) in self._sure:
            return self._sure[key, asked.depth]
        if key in own:
            doubts.append(key)
            return own[key]
        own[key] = underway
        before = len(doubts)
        found = own[key] = answer()
        if len(doubts) == before:
            self._sure[key, asked.depth] = own.pop(key)
        return found


@remembered
def _returning(program: Program) -> Learnt[bool]:  # noqa: ARG001  (it is what this is remembered by)
    """The functions of a program whose results know nothing of what they are given."""
    return Learnt()


@dataclass
class LoadedIn(ABC):
    """Statements that use a session: which of their expressions may hold what was loaded from it.

    :param code: the function or module body that they stand in.
    :param sessions: the variables that hold the session.
    :param loaded: the variables that may hold what was loaded from it.
    :param strict: whether it counts what somebody unknown may keep who only gets the session: not where that is closed
        on every normal way, by which everybody has to expect it.
    :param depth: how many calls lie between the session's own block and these.
    :param counts_new: whether it counts objects that the block makes and gives to the session.
    :param given: of which class the objects are, or are those of the collections, that a called function gets.
    :param met: the functions that are followed already; ``doubts``: what was answered though it was not known;
        ``attaching`` and ``returning``: what rests on that.
    """

    module: Module
    code: ast.AST
    statements: Sequence[ast.stmt]
    sessions: set[str]
    loaded: set[str]
    strict: bool = True
    depth: int = 0
    counts_new: bool = True
    given: Mapping[str, Loaded] = field(default_factory=dict)
    met: set[ast.AST] = field(default_factory=set)
    doubts: list[object] = field(default_factory=list)
    attaching: dict[object, frozenset[str]] = field(default_factory=dict)
    returning: dict[object, bool] = field(default_factory=dict)

    @cached_property
    def syntax(self) -> Syntax:
        """What stands in the block."""
        return syntax_of((*self.statements,))

    @abstractmethod
    def load(self) -> None:
        """Find the variables that may hold what was loaded."""

    def holds(self, value: ast.AST) -> bool:
        """Whether an expression may be, or hold, what was loaded."""
        names = names_under(value)
        if names.isdisjoint(self.loaded) and names.isdisjoint(self.sessions):
            return False
        if is_made_plain(value) or self.is_free(value) or self._gives_back_nothing(value):
            return False
        if isinstance(value, ast.Lambda):  # it runs who knows when: what it gives does not count, but what it knows
            return self._mentions(value.body, but={arg.arg for arg in parameters(value)})
        gone_through = generator_of(value)
        if gone_through is not None:
            return self.holds(gone_through.elt) or any(map(self.holds, value.args[1:]))  # type: ignore[attr-defined]
        if isinstance(value, (ast.ListComp, ast.SetComp)):
            return self.holds(value.elt)
        if isinstance(value, ast.DictComp):
            return self.holds(value.key) or self.holds(value.value)
        if isinstance(value, ast.Attribute) and self.is_column_of(value):
            return False
        if isinstance(value, ast.Name):
            return value.id in self.sessions or value.id in self.loaded
        return any(self.holds(child) for child in ast.iter_child_nodes(value))

    def is_free(self, value: ast.AST) -> bool:
        """Whether it is a call whose result knows nothing of the session: a text, a truth, values of columns."""
        if not isinstance(value, (ast.Call, ast.Await)):
            return False
        if isinstance(value, ast.Call) and isinstance(value.func, (ast.Attribute, ast.Name)):
            written = isinstance(value.func, ast.Attribute) and isinstance(
                value.func.value, (ast.Constant, ast.JoinedStr)
            )
            if written or path(value.func) in ("any", "all") or self._reads_column(value):
                return True
        scope = self.module.names.scopes.of[self.code]
        return plain_rows(self.module, value, scope, self.sessions)

    def _gives_back_nothing(self, value: ast.AST) -> bool:
        """Whether it is a call of a function of the project whose result knows nothing of what it is given."""
        call = value.value if isinstance(value, ast.Await) else value
        if not isinstance(call, ast.Call):
            return False
        if not any(map(self._mentions, (call.func, *call.args, *(k.value for k in call.keywords)))) or self.is_last:
            return False
        found = self._method(call) or self._function(call)
        if found is None or isinstance(found[1], ast.AsyncFunctionDef) is not isinstance(value, ast.Await):
            return False
        home, function, passed, own = found
        inner = self.inside(home, function, passed, made=own is not None) if is_bare(function) else None
        if inner is None:
            return False
        if own is not None:
            inner = replace(inner, given={**inner.given, function.args.args[0].arg: own})
        learnt = _returning(self.module.program)
        return learnt.ask(inner, self.returning, inner.returns_nothing, underway=False)

    def returns_nothing(self) -> bool:
        """Whether what the function returns knows nothing of the session."""
        self.load()
        returned = (n.value for n in own_of(self.code, ast.Return) if n.value is not None)
        return not any(map(self.holds, returned))

    @property
    def is_last(self) -> bool:
        """Whether no more calls are followed: what is said then is in doubt."""
        if self.depth == DEEPEST:
            self.doubts.append(self.code)
        return self.depth == DEEPEST

    @property
    def key(self) -> tuple[object, ...]:
        """What the answer to a question about a called function rests on: many blocks give it the same."""
        given = frozenset(
            (name, one.module.names.qualify(one.entity, one.scope) or one.scope, path(one.entity), one.many)
            for name, one in self.given.items()
        )
        return self.code, frozenset(self.sessions), frozenset(self.loaded), given, self.counts_new

    def _mentions(self, value: ast.AST, but: Collection[str] = ()) -> bool:
        """Whether an expression names the session, or what was loaded.

        :param but: names that are others' there.
        """
        return not (names_under(value) & (self.sessions | self.loaded)).issubset(but)

    def _function(self, call: ast.Call) -> tuple[Module, FunctionNode, Mapping[str, ast.expr | None], None] | None:
        """The function of the project that a call calls, with what it gets; no method of something that is loaded."""
        callee = self.module.calls.callee(call) if call in self.module.calls else None
        if callee is None or callee.function is None or self.starts_here(call):
            return None
        return self.module.at(callee), callee.function, bind(call, callee.function, bound=callee.bound), None

    def _method(self, call: ast.Call) -> tuple[Module, FunctionNode, Mapping[str, ast.expr | None], Loaded] | None:
        """The same of a method of a loaded object, ``user.to_dict()``, which no class below has another one of."""
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            return None
        entities = self.entities.get(call.func.value.id, [])
        first = entities[0] if entities and all(entities) else None
        names = first.module.names.qualify(first.entity, first.scope) if first is not None else frozenset()
        owner = first.module.names.class_of(next(iter(names))) if first is not None and len(names) == 1 else None
        if first is None or owner is None or len({path(e.entity) for e in entities if e is not None}) > 1:
            return None
        found = self.module.method(owner[0], owner[1].node, call.func.attr)  # type: ignore[arg-type]
        if found is None or not found[1].args.args or "polymorphic" in found[0].source.text or found[1].decorator_list:
            return None
        return found[0], found[1], bind(call, found[1], bound=True), first

    def _reads_column(self, call: ast.Call) -> bool:
        """Whether it is ``getattr(user, column.name)`` in a loop over ``user.__table__.columns``."""
        if path(call.func) != "getattr" or len(call.args) < 2 or not isinstance(call.args[1], ast.Attribute):  # noqa: PLR2004
            return False
        column, attribute = path(call.args[1].value), call.args[1].attr
        given = [value for target, value in self.syntax.bindings if path(target) == column]
        return (
            attribute in ("name", "key")
            and bool(given)
            and all(any(isinstance(n, ast.Attribute) and n.attr == "__table__" for n in ast.walk(v)) for v in given)
        )

    def is_column_of(self, value: ast.Attribute) -> bool:
        """Whether it is the plain value of a column of an object whose class is known."""
        if isinstance(value.value, ast.Name):
            entities = self.entities.get(value.value.id, [])
        elif isinstance(value.value, ast.Call):  # ``session.get(User, 1).name``
            entities = [self._entity(value.value, self.module.names.scopes.of[self.code])]
        else:
            return False
        return bool(entities) and all(found is not None and is_column(found, value.attr) for found in entities)

    @cached_property
    def entities(self) -> dict[str, list[Loaded | None]]:
        """What each variable of the block was given: an object of a class, or something unknown."""
        scope = self.module.names.scopes.of[self.code]
        found: dict[str, list[Loaded | None]] = {name: [known] for name, known in self.given.items()}
        for target, value in self.syntax.bindings:
            for place in places_of(target):
                if isinstance(place, ast.Attribute) and isinstance(place.value, ast.Name):
                    continue  # a field of the variable, which is what it was
                known = self._entity(value, scope) if place is target else None
                found.setdefault(start_of(place), []).append(known)
        return found

    def _entity(self, value: ast.AST, scope: Scope) -> Loaded | None:
        """What an expression loads, or makes."""
        new = made(self.module, value, scope)
        if new is not None:
            return Loaded(self.module, new, scope, many=False)
        through = collection_of(value)
        if through in self.given:
            return self.given[through]
        return loaded(self.module, value, scope, self.sessions)

    def _known(self, value: ast.expr) -> Loaded | None:
        """Of which class the objects are that an argument gives."""
        found = self.entities.get(value.id, []) if isinstance(value, ast.Name) else []
        if found:
            same = {path(one.entity) for one in found if one is not None}
            return found[0] if all(found) and len(same) == 1 else None
        return self._entity(value, self.module.names.scopes.of[self.code])

    def inside(  # noqa: PYI019  (Python 3.10 has no `Self`)
        self: _Same, home: Module, function: FunctionNode, passed: Mapping[str, ast.expr | None], *, made: bool
    ) -> _Same | None:
        """The body of a function that is called in the block; ``None`` where it is not known what goes into it.

        :param made: whether it makes an object, which the block then has.
        """
        if function.args.vararg or function.args.kwarg or None in passed.values():
            return None
        values = {name: value for name, value in passed.items() if value is not None}
        sessions = {n for n, value in values.items() if isinstance(value, ast.Name) and value.id in self.sessions}
        loaded = {n for n, value in values.items() if n not in sessions and self.holds(value)}
        if made:
            loaded |= {arg.arg for arg in function.args.args[:1]}
        known = ((name, self._known(values[name])) for name in loaded if name in values)
        return replace(
            self,
            module=home,
            code=function,
            statements=function.body,
            sessions=sessions,
            loaded=loaded,
            depth=self.depth + 1,
            given={name: entity for name, entity in known if entity is not None},
        )

    def starts_here(self, call: ast.Call) -> bool:
        """Whether it is a method of the session, or of what was loaded, which stays in the block by itself."""
        return start_of(call) in self.sessions | self.loaded
