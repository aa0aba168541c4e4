"""What a session is given by a block, and which of the block's variables may hold what is loaded by that."""

from __future__ import annotations

import ast
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.fetching import is_bare
from session_lint.fixes.cascading import is_value, made_of
from session_lint.fixes.expressions import (
    parts_of,
    places_of,
    start_of,
    word_of,
)
from session_lint.fixes.loaded_in import DEEPEST, Learnt, LoadedIn
from session_lint.python.nodes import own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.program import Program
    from session_lint.python.scopes import Binding, FunctionNode

COLLECTING = frozenset("append add extend insert update setdefault appendleft".split())
_CONTAINERS = ("builtins.dict", "builtins.list", "builtins.set", "builtins.sorted", "builtins.tuple", "collections.")
_LITERALS = (
    ast.BinOp,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.List,
    ast.ListComp,
    ast.Set,
    ast.SetComp,
    ast.Tuple,
    ast.UnaryOp,
)
"""Expressions whose values are made where they stand."""
ATTACHING = frozenset("add add_all delete refresh".split())
"""Methods of a session after which it has what they were given."""


@remembered
def _attaching(program: Program) -> Learnt[frozenset[str]]:  # noqa: ARG001  (it is what this is remembered by)
    """The parameters of a program's functions whose objects a session gets there that they are given, too."""
    return Learnt()


class GivenTo(LoadedIn):
    """The same, with what the session is given to have from then on."""

    def load(self) -> None:
        """Find the variables that may hold what was loaded."""
        before = -1
        while before != len(self.loaded):
            before = len(self.loaded)
            self._bind_loaded()
            found = chain(self._collections(), self._given_to_session(), self._capturing())
            self.loaded |= {name for name in found if name not in self.sessions}

    def _bind_loaded(self) -> None:
        """Find the variables that get it by what is assigned."""
        before = -1
        while before != len(self.loaded):
            before = len(self.loaded)
            for target, value in self.syntax.bindings:
                if self.holds(value):
                    names = {place.id for place in places_of(target) if isinstance(place, ast.Name)}
                    self.loaded |= names - self.sessions

    def _collections(self) -> Iterator[str]:
        """The code's own variables into which the block puts what was loaded: ``found.append(user)``."""
        for node in self.syntax.calls:
            if word_of(node) in COLLECTING and any(map(self.holds, node.args)):
                name = start_of(node)
                if self.is_own(name):
                    yield name

    def _given_to_session(self) -> Iterator[str]:
        """The code's own variables whose objects the session is given: ``session.add(user)``."""
        names = {part.id for part in self._attached() if isinstance(part, ast.Name)} if self.counts_new else ()
        return (name for name in names if self.is_own(name))

    def _capturing(self) -> Iterator[str]:
        """The functions and classes of the block that know something loaded by its name, or by a default."""
        known = self.loaded | self.sessions
        return (node.name for node, names in self.syntax.functions.items() if names & known)

    @cached_property
    def attached(self) -> list[ast.expr]:
        """What the session is given to have from then on, here or in a function of the project that gets both.

        Objects bring along what their relationships have, or are given later.
        """
        return self._attached()

    def _attached(self) -> list[ast.expr]:
        """The same as far as the variables of what was loaded are known by now."""
        scope = self.module.names.scopes.of[self.code]
        attaching = (value for call in self.syntax.calls for value in self._attaching(call))
        waiting = [part for value in chain(attaching, self._related()) for part in parts_of(value)]
        found: list[ast.expr] = []
        met: set[str] = set()
        while waiting:
            part = waiting.pop(0)
            if is_value(self.module, part, scope):
                continue
            found.append(part)
            name, made = path(part), [part]
            if name and name not in met:
                met.add(name)
                made = [b.node for b in scope.bindings.get(name, ()) if isinstance(b.node, ast.expr)]
            for value in (value for one in made for value in made_of(self.module, one, scope)):
                waiting += parts_of(value)
        return found

    def _related(self) -> Iterator[ast.expr]:
        """What relationships of the session's objects are given: ``user.addresses.append(address)``."""
        for target, value in self.syntax.bindings:
            for place in places_of(target):
                if not isinstance(place, ast.Name) and self._is_related(place) and isinstance(value, ast.expr):
                    yield value
        for call in self.syntax.calls:
            collects = isinstance(call.func, ast.Attribute) and call.func.attr in COLLECTING | ATTACHING
            if collects and self._is_related(call.func.value):  # type: ignore[attr-defined]
                yield from call.args

    def _is_related(self, place: ast.AST) -> bool:
        """Whether what a place is given may get into the session: a field of one of its objects, no column of it."""
        start = start_of(place)
        if start in self.sessions:  # ``session.get(User, 1).addresses``
            if not any(isinstance(n, ast.Call) for n in ast.walk(place)):
                return False
        elif start not in self.loaded or start in self._gathered:
            return False
        if not isinstance(place, ast.Attribute):
            return isinstance(place, ast.Name) or any(isinstance(n, ast.Attribute) for n in ast.walk(place))
        return not self.is_column_of(place)

    @cached_property
    def _gathered(self) -> set[str]:
        """The variables of collections that the code itself makes: putting something there gives it to nobody."""
        scope = self.module.names.scopes.of[self.code]
        return {
            name
            for name, bindings in scope.bindings.items()
            if all(b.kind is BindingKind.VALUE and self._is_collection(b.node) for b in bindings)
        }

    def _is_collection(self, value: ast.AST) -> bool:
        if isinstance(value, ast.Call) and value in self.module.calls:
            names = self.module.calls.callee(value).names
            return bool(names) and all(name.startswith(_CONTAINERS) for name in names)
        return isinstance(value, _LITERALS)

    def _attaching(self, call: ast.Call) -> Iterator[ast.expr]:
        if isinstance(call.func, ast.Attribute) and path(call.func.value) in self.sessions:
            if call.func.attr in ATTACHING:
                yield from (*call.args[:1], *(k.value for k in call.keywords if k.arg in ("instance", "instances")))
            return
        if call not in self.module.calls:
            return
        own = isinstance(call.func, ast.Attribute) and self.holds(call.func.value)
        if not own and not any(map(self.holds, (*call.args, *(k.value for k in call.keywords)))) or self.is_last:
            return
        callee = self.module.calls.callee(call)
        home, function, bound = self.module.at(callee), callee.function, callee.bound
        made = self.module.initialiser(callee) if callee.owner is not None else None
        if made is not None:
            (home, function), bound = made, True
        if function is not None:
            passed = bind(call, function, bound=bound)
            for name in self._attached_in(home, function, passed, own=bound and (own or made is not None)):
                value = passed.get(name)
                if value is not None:
                    yield value

    def _attached_in(
        self, home: Module, function: FunctionNode, passed: Mapping[str, ast.expr | None], *, own: bool
    ) -> frozenset[str]:
        """The parameters of a function whose objects it gives to the session that it gets, or to an object of that.

        :param own: whether it is a method of such an object, or makes one.
        """
        inner = self.inside(home, function, passed, made=own)
        if inner is None:
            return frozenset()
        learnt = _attaching(self.module.program)
        return learnt.ask(inner, self.attaching, inner.attaches, underway=frozenset())

    def attaches(self) -> frozenset[str]:
        """The variables of a called function whose objects the session gets."""
        self.load()
        return frozenset(start_of(part) for part in self.attached)

    def is_own(self, name: str, depth: int = 0) -> bool:
        """Whether a variable is the code's own, and every value of it was made there, or loaded in the block."""
        scope = self.module.names.scopes.of[self.code]
        bindings = scope.bindings.get(name, ()) if name not in scope.elsewhere else ()
        return bool(bindings) and all(self._is_made(binding, depth) for binding in bindings)

    def _is_made(self, binding: Binding, depth: int) -> bool:
        if binding.kind is BindingKind.VALUE:
            return self.makes(binding.node, depth)
        place = binding.node
        if isinstance(self.module.parents.get(place), ast.AugAssign):
            return True  # what it adds to counts
        return binding.kind is BindingKind.OPAQUE and any(
            self.makes(value, depth) for target, value in self.syntax.bindings if place in (target, *places_of(target))
        )

    def makes(self, value: ast.AST, depth: int) -> bool:
        """Whether the value of an expression is new, or loaded in the block: nobody outside has it."""
        if isinstance(value, (ast.Await, ast.NamedExpr, ast.Starred)):
            return self.makes(value.value, depth)
        if isinstance(value, ast.IfExp):
            return self.makes(value.body, depth) and self.makes(value.orelse, depth)
        if isinstance(value, ast.BoolOp):
            return all(self.makes(part, depth) for part in value.values)
        if isinstance(value, ast.Name):
            return value.id in self.loaded or (depth < DEEPEST and self.is_own(value.id, depth + 1))
        if isinstance(value, (ast.Attribute, ast.Subscript)) or (
            isinstance(value, ast.Call) and self.starts_here(value)
        ):
            start = start_of(value)
            return start in self.sessions | self.loaded or (depth < DEEPEST and self.is_own(start, depth + 1))
        if isinstance(value, ast.Call):
            return value in self.module.calls and self._gives_new(self.module.calls.callee(value), depth)
        return isinstance(value, _LITERALS)

    def _gives_new(self, callee: Callee, depth: int) -> bool:
        """Whether what a call gives was made by it."""
        if callee.function is not None and is_bare(callee.function) and depth < DEEPEST:
            home, function = self.module.at(callee), callee.function
            inner = type(self)(home, function, function.body, set(), set(), depth=DEEPEST)
            given = [n.value for n in own_of(function, ast.Return) if n.value is not None]
            return bool(given) and all(inner.makes(value, depth + 1) for value in given)
        made = bool(callee.names) and all(name.startswith(_CONTAINERS) for name in callee.names)
        return made or (callee.function is None and callee.constructor)
