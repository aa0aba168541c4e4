"""Which codes of a module have to do with sessions, and how one learns it without running the analysis over them."""

from __future__ import annotations

import ast
from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis.calls import BY_HAND, called_on
from session_lint.analysis.family import family
from session_lint.python.names import is_property
from session_lint.python.nodes import own_nodes, own_of, path
from session_lint.python.pending import once
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind, key_of
from session_lint.python.words import MAKERS, word, words_given
from session_lint.vocabulary import Meaning, Role, effects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from session_lint.analysis.calls import Callee, Calls
    from session_lint.analysis.inference import Unit
    from session_lint.analysis.module import Module
    from session_lint.analysis.program import Program
    from session_lint.flow import Code
    from session_lint.python.names import Names
    from session_lint.python.pending import Pending
    from session_lint.python.scopes import FunctionNode, Scope, ScopeNode
    from session_lint.source import Source

_ENDING = ("commit", "rollback", "close")
_OPENING = {Role.FACTORY, Role.SCOPE, Role.SINGLETON}
_MOST_CALLED = 200
"""How many functions are looked at for one that opens a session."""


class Concern:
    """The part of a module under analysis that knows its codes and who calls them.

    :param source: its text.
    :param program: the other modules around it.
    """

    calls: Calls
    pending: Pending

    def __init__(self, names: Names, source: Source, program: Program) -> None:
        self.names = names
        self.source = source
        self.program = program
        self._opens: dict[ast.AST, bool] = {}
        self._read: dict[ast.AST, tuple[Names, FunctionNode] | None] = {}

    @abstractmethod
    def at(self, callee: Callee) -> Module:
        """The module that defines what a call calls."""

    @abstractmethod
    def initialiser(self, callee: Callee) -> tuple[Module, FunctionNode] | None:
        """The ``__init__`` that runs when a call makes an object of a class of the project, and its module."""

    @abstractmethod
    def context(self, node: ast.expr, scope: Scope) -> Meaning | None:
        """What the context manager of a ``with`` means."""

    @abstractmethod
    def unit(self, node: ast.expr) -> Unit | None:
        """What the object means that a ``with`` makes and enters, if it keeps a session meanwhile."""

    @abstractmethod
    def unit_of(self, home: Names, owner: ast.ClassDef) -> Unit | None:
        """The same of the objects of a class."""

    @abstractmethod
    def lends(self, callee: Callee) -> str:
        """The global session that a call lends to its ``with``; empty for none."""

    @abstractmethod
    def generator_scope(self, function: FunctionNode) -> Meaning | None:
        """What a plain generator means once it is made a context manager."""

    @once
    def codes(self) -> list[tuple[Code, Scope]]:
        """All functions of the module, and its body first, in the order of the text."""
        return [(s.node, s) for s in self.names.scopes.of.values() if not isinstance(s.node, ast.ClassDef)]

    def code_of(self, scope: Scope) -> ScopeNode:
        """The function or module body that a scope runs in."""
        while scope.is_class and scope.parent is not None:
            scope = scope.parent
        return scope.node

    @once
    def callers(self) -> dict[ast.AST, set[ast.AST]]:
        """The codes that call each function of the module."""
        found: dict[ast.AST, set[ast.AST]] = {}
        for call, scope in self.names.scopes.calls.items():
            callee = self.calls.callee(call)
            made = self.initialiser(callee)
            target = made[1] if made is not None else callee.function
            if target is not None:
                found.setdefault(target, set()).add(self.code_of(scope))
        return found

    def _worth(self, code: ast.AST) -> list[ast.Call]:
        """The calls of a code that may have to do with a session, as far as their words tell."""
        words, calls = self.program.words, self.calls_in(code)
        return calls if words is None else [call for call in calls if self._is_worth(call, words)]

    def _is_worth(self, call: ast.Call, words: AbstractSet[str]) -> bool:
        name = key_of(call.func) or word(call.func)
        if name in words or not name or any(word(argument) in words for argument in call.args[:2]):
            return True
        if isinstance(call.func, ast.Call) and self._is_worth(call.func, words):  # cast(Any, SessionLocal)()
            return True
        if name in BY_HAND:
            made = called_on(call, BY_HAND)
            return made is not None and self._is_worth(made, words)
        scope = self.calls.scope(call)
        if not isinstance(call.func, ast.Name) or self.names.owner(name, scope) in (None, self.names.scopes.module):
            return False
        return any(w in words for w in words_given(self.names, call.func, scope))

    @cached_property
    def calls_by_word(self) -> dict[str, list[ast.Call]]:
        """The calls of the module by the word that each calls."""
        found: dict[str, list[ast.Call]] = {}
        for call in self.names.scopes.calls:
            found.setdefault(word(call.func), []).append(call)
        return found

    def calls_in(self, code: ast.AST) -> list[ast.Call]:
        """The calls of a code, in the order of the text."""
        return self._calls_in.get(code, [])

    @once
    def _calls_in(self) -> dict[ast.AST, list[ast.Call]]:
        found: dict[ast.AST, list[ast.Call]] = {}
        for call, scope in self.names.scopes.calls.items():
            found.setdefault(self.code_of(scope), []).append(call)
        return found

    def _reaching(self, codes: set[ast.AST]) -> set[ast.AST]:
        """These codes, and all that call them, directly or not."""
        todo = list(codes)
        while todo:
            for caller in self.callers.get(todo.pop(), ()):
                if caller not in codes:
                    codes.add(caller)
                    todo.append(caller)
        return codes

    @once
    def opening(self) -> set[ast.AST]:
        """The codes that have to do with a session."""
        return {code for code, _ in self.codes if self.concerned(code)}

    def concerned(self, code: ast.AST) -> bool:
        """Whether a code has to do with a session: it opens one, gets one out of a call, or reaches the global one."""
        return self.opens_one(code) or self._gets_one(code) or self.touches_singleton(code)

    def opens_one(self, code: ast.AST) -> bool:
        """Whether a code opens a session by itself."""
        return self.pending.ask(self._opens, code, lambda: self._opens_one(code))

    def _opens_one(self, code: ast.AST) -> bool:
        worth = self._worth(code)
        return any(self.calls.callee(call).role in _OPENING for call in worth) or any(
            self._opens_context(item, self.names.scopes.of[code])
            for item in _contexts(code)
            if not isinstance(item, ast.Call) or item in worth
        )

    def _gets_one(self, code: ast.AST) -> bool:
        return any(module.hands_out(function) for module, function in self.called(code))

    def opens_when_made(self, owner: ast.ClassDef) -> bool:
        """Whether objects of a class are sessions, or open one when they are made, called or entered."""
        scope = self.names.scopes.of[owner]
        if self.calls.meaning_of_class(self.names, owner) is not None:
            return True
        if scope.is_class and any(home.has_maker_that_opens(one) for home, one in family(self, scope)):  # type: ignore[arg-type]
            return True
        return self.unit_of(self.names, owner) is not None

    def has_maker_that_opens(self, owner: Scope) -> bool:
        """Whether what the body of a class says of making, calling or entering its objects opens a session."""
        methods = (n for n in own_of(owner.node, ast.FunctionDef, ast.AsyncFunctionDef) if n.name in MAKERS)
        return any(self.opens_one(method) or self._lends_one(method) for method in methods)

    def _lends_one(self, function: FunctionNode) -> bool:
        """Whether a generator is a scope, of a session that it need not have opened itself."""
        return bool(own_of(function, ast.Yield)) and self.generator_scope(function) is not None

    @property
    def _fields(self) -> AbstractSet[str]:
        """The names that a property has which may give a session."""
        return self._properties if self.program.words is None else self.program.properties

    @cached_property
    def _properties(self) -> frozenset[str]:
        """The properties of this module's own classes."""
        functions = (n for n in self.names.definitions.values() if isinstance(n, ast.FunctionDef))
        return frozenset(f.name for f in functions if is_property(f))

    def reads(self, code: ast.AST) -> Iterator[tuple[Module, FunctionNode]]:
        """The properties that a code reads and may get a session from."""
        fields = self._fields
        for node in own_nodes(code) if fields else ():
            if isinstance(node, ast.Attribute) and node.attr in fields:
                found = self.property_read(node, code)
                if found is not None:
                    yield found

    def property_read(self, node: ast.Attribute, code: ast.AST) -> tuple[Module, FunctionNode] | None:
        """The function that reading a field runs, and its module."""
        if node not in self._read:
            self._read[node] = self.names.property_read(node, self.names.scopes.of[code])
        found = self._read[node]
        return None if found is None else (self.program.module(found[0]), found[1])

    def called(self, code: ast.AST) -> Iterator[tuple[Module, FunctionNode]]:
        """The functions that a code calls and may get a session from, each with its module."""
        yield from self.reads(code)
        for call in self._worth(code):
            callee = self.calls.callee(call)
            if callee.function is not None:
                yield self.at(callee), callee.function

    def hands_out(self, function: FunctionNode) -> bool:
        """Whether a call of a function may give its caller a session: it returns something, and has one to return."""
        known = self.program.hands_out
        if function in known:
            return known[function]
        came: dict[FunctionNode, FunctionNode | None] = {function: None}
        found, settled = self.pending.settled(lambda: self._finds_one(came))
        if settled and not found:
            known.update(dict.fromkeys(came, False))
        return found

    def _finds_one(self, came: dict[FunctionNode, FunctionNode | None]) -> bool:
        """Whether a function, or one that it calls, has a session to return; ``came`` takes down how it was reached."""
        known, (function,) = self.program.hands_out, came
        todo: list[tuple[Concern, FunctionNode]] = [(self, function)]
        while todo:
            module, current = todo.pop()
            if current in known and not known[current]:
                continue
            gives = returns_something(current)
            if gives and (known.get(current) or module.opens_one(current)):
                way: FunctionNode | None = current
                while way is not None:
                    known[way], way = True, came[way]
                return True
            fresh = [(m, f) for m, f in module.called(current) if f not in came] if gives else []
            came.update((f, current) for _, f in fresh)
            todo += fresh
        return False

    def _opens_context(self, node: ast.expr, scope: Scope) -> bool:
        found = self.context(node, scope)
        return (found is not None and found.role is Role.SCOPE) or self.unit(node) is not None

    @once
    def calling_singletons(self) -> set[ast.AST]:
        """The codes that call the getter or the closer of a global session by themselves."""
        if self.program.project is not None and not self.program.has_singletons:
            return set()
        calls = self.names.scopes.calls
        if self.program.project is not None:
            words = self.program.singleton_words(self.names)
            calls = {call: scope for call, scope in calls.items() if word(call.func) in words}
        asked = ((self.calls.callee(call), scope) for call, scope in calls.items())
        return {self.code_of(s) for c, s in asked if c.role in (Role.SINGLETON, Role.CLOSER) or self.lends(c)}

    @property
    def ending_by_hand(self) -> list[Code]:
        """The functions that commit, roll back or close something they are given."""
        return [code for code, scope in self.codes if any(_ends(call, scope) for call in self.calls_in(code))]

    def may_open(self, function: ast.AST) -> bool:
        """Whether a function may open a session, by itself or in a function that it calls; perhaps, where it is far."""
        todo: list[tuple[Concern, ast.AST]] = [(self, function)]
        seen = {function}
        while todo:
            module, code = todo.pop()
            if len(seen) > _MOST_CALLED or module.opens_one(code) or module._gets_one(code):  # noqa: SLF001
                return True
            callees = (module.calls.callee(call) for call in module.calls_in(code))
            fresh = [(module.at(c), f) for c in callees if (f := c.function) is not None and f not in seen]
            seen.update(f for _, f in fresh)
            todo += fresh
        return False

    @once
    def _touching(self) -> set[ast.AST]:
        return self._reaching(set(self.calling_singletons))

    def touches_singleton(self, function: ast.AST) -> bool:
        """Whether a function reaches the getter or the closer of a singleton."""
        if self.program.project is None:
            return function in self._touching
        if not self.program.has_singletons:
            return False
        if self.pending.active:  # the whole program is not asked in the middle of a question about one function
            self.pending.rest_on_innermost()
            return function in self._touching
        return function in self.program.touching


@remembered
def returns_something(function: FunctionNode) -> bool:
    """Whether a function returns what may hold a session."""
    returns = (node for node in own_of(function, ast.Return))
    return any(node.value is not None and not isinstance(node.value, ast.Constant) for node in returns)


def _contexts(code: ast.AST) -> Iterator[ast.expr]:
    """The context managers of a code's ``with`` statements."""
    for node in own_of(code, ast.With, ast.AsyncWith):
        yield from (item.context_expr for item in node.items)


def _ends(call: ast.Call, scope: Scope) -> bool:
    """Whether a call ends the transaction of a parameter."""
    found = effects().get(call.func.attr) if isinstance(call.func, ast.Attribute) else None
    if found is None or found.effect not in _ENDING:
        return False
    name = path(call.func.value).partition(".")[0]  # type: ignore[attr-defined]  # a method
    return any(binding.kind is BindingKind.PARAMETER for binding in scope.bindings.get(name, ()))
