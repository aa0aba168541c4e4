"""All that the analysis knows of one module: the context its parts share, and the facts that rules ask for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

from session_lint.analysis.calls import Callee, Calls
from session_lint.analysis.exceptions import BASE, Exceptions
from session_lint.analysis.inference import class_scope, closed_by, getters, scope_meaning
from session_lint.analysis.lifecycle import Lifecycle
from session_lint.analysis.requests import handlers
from session_lint.analysis.solved import Solved
from session_lint.analysis.state import Fact, Site, SiteKind
from session_lint.analysis.summaries import Summaries, is_generator
from session_lint.flow import build, solve
from session_lint.python.names import Names, is_property, own_nodes, path
from session_lint.python.pending import Pending, once
from session_lint.python.scopes import parameters
from session_lint.python.words import MAKERS, word, words_given
from session_lint.vocabulary import Meaning, Role, effects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from session_lint.analysis.program import Program
    from session_lint.flow import Code, Graph
    from session_lint.python.scopes import FunctionNode, Scope, ScopeNode
    from session_lint.source import Source

T = TypeVar("T")
_CONNECTING = ("connect", "connection", "get_bind")
"""SQLAlchemy's and Alembic's methods that give a connection; what they are called on is nearly always a parameter."""

_ENDING = ("commit", "rollback", "close")
_OPENING = {Role.FACTORY, Role.SCOPE, Role.SINGLETON}


HOPS = 2
"""How many modules away the ways of a function are followed, as far as no session of the caller is concerned."""


@dataclass(eq=False)
class Module:
    """One module under analysis.

    :param source: its text.
    :param program: the other modules around it.
    """

    names: Names
    source: Source
    program: Program
    hops: int = HOPS
    calls: Calls = field(init=False)
    exceptions: Exceptions = field(init=False)
    summaries: Summaries = field(init=False)
    _sites: dict[tuple[object, ...], Site] = field(default_factory=dict)
    _graphs: dict[ast.AST, Graph] = field(default_factory=dict)
    _finals: dict[ast.AST, frozenset[ast.AST]] = field(default_factory=dict)
    _meanings: dict[FunctionNode | ast.ClassDef, Meaning | None] = field(default_factory=dict)
    _generators: dict[FunctionNode, Meaning | None] = field(default_factory=dict)
    _wrapped: set[ast.AST] = field(default_factory=set)
    _opens: dict[ast.AST, bool] = field(default_factory=dict)
    _read: dict[ast.AST, tuple[Names, FunctionNode] | None] = field(default_factory=dict)
    pending: Pending = field(init=False)

    def __post_init__(self) -> None:
        """Connect the parts."""
        self.pending = self.program.pending
        self.calls = Calls(self.names, self.program.vocabulary, self._inferred, self._yields_one, self.pending)
        self.exceptions = Exceptions(self.names)
        self.summaries = Summaries(self)

    # what bodies mean

    def _inferred(self, name: str) -> Meaning | None:
        """What a name of the project means by its body."""
        found = self.names.definition(name)
        return None if found is None else self.program.module(found[0]).inferred(name)

    def inferred(self, name: str) -> Meaning | None:
        """What a function of this module means by its body: a scope, or a global session's getter or closer."""
        node = self.names.definitions.get(name)
        if node is None or isinstance(node, (ast.Module, ast.Lambda)):
            return None
        return self.pending.ask_once(self._meanings, node, lambda: self._infer(node, name), None)

    def _infer(self, node: FunctionNode | ast.ClassDef, name: str) -> Meaning | None:
        if isinstance(node, ast.ClassDef):
            return class_scope(self, node)
        if name in self.getters:
            key = self.getters[name]
            return Meaning(Role.SINGLETON, closer=key, closes=key)
        if self.is_context_manager(node):
            return scope_meaning(self, node)
        kept = closed_by(self, node, self._globals)
        return Meaning(Role.CLOSER, closes=f"{self.names.module}.{kept}") if kept else None

    @once
    def getters(self) -> dict[str, str]:
        """What identifies the global session of each getter of this module."""
        return {self.names.qualname(scope): f"{self.names.module}.{name}" for name, scope in getters(self)}

    @once
    def _globals(self) -> list[str]:
        """The variables that hold the global sessions of this module."""
        return sorted({name for name, _ in getters(self)})

    @once
    def singletons(self) -> dict[str, Meaning]:
        """The getters and closers of the sessions that this module keeps in a global."""
        if not self.getters:
            return {}
        found = {name: self.inferred(name) for name in self.names.definitions}
        return {name: m for name, m in found.items() if m is not None and m.role is not Role.SCOPE}

    @once
    def nodes(self) -> frozenset[ast.AST]:
        """All nodes of the module's tree, to tell them from those of another module."""
        return frozenset(ast.walk(self.names.scopes.module.node))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node above each node of the module's tree."""
        found: dict[ast.AST, ast.AST] = {}
        for node in self.nodes:
            found.update(dict.fromkeys(ast.iter_child_nodes(node), node))
        return found

    def at(self, callee: Callee) -> Module:
        """The module that defines what a call calls."""
        return self if callee.home is None or callee.home is self.names else self.program.module(callee.home)

    def initialiser(self, callee: Callee) -> tuple[Module, FunctionNode] | None:
        """The ``__init__`` that runs when a call makes an object of a class of the project, and its module."""
        return self.method(callee.home, callee.owner, "__init__") if callee.owner and callee.home else None

    def method(self, home: Names, owner: ast.ClassDef, name: str) -> tuple[Module, FunctionNode] | None:
        """The function behind a method of a class, in a base class perhaps, and its module."""
        for found in sorted(home.member(home.scopes.of[owner], name, instance=False)):
            definition = home.definition(found)
            if definition is not None and isinstance(definition[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
                return self.program.module(definition[0]), definition[1]
        return None

    # graphs and solutions

    def solve(self, code: Code, start: Fact, hops: int = HOPS) -> Solved:
        """Run the analysis over a code from a fact at its entry.

        :param hops: how many modules away calls are followed that no session goes into or comes out of.
        :raises SolverLimit: where the code has more ways than can be followed.
        """
        if code not in self._graphs:
            self._graphs[code] = build(code, self._fields)
        graph = self._graphs[code]
        problem = Lifecycle(self, code, start, hops)
        return Solved(code, graph, solve(graph, problem), problem)

    def site(
        self,
        kind: SiteKind,
        node: ast.AST,
        code: ast.AST,
        *,
        commits: bool = False,
        key: str = "",
        via: Site | None = None,
        borrowed: bool = False,
    ) -> Site:
        """The one site for these values: facts compare sites by identity."""
        return self._sites.setdefault(
            (kind, node, code, commits, key, via), Site(kind, node, code, commits, key, via, borrowed)
        )

    # codes and who calls them

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
        for call, scope in self.names.scopes.calls:
            callee = self.calls.callee(call)
            made = self.initialiser(callee)
            target = made[1] if made is not None else callee.function
            if target is not None:
                found.setdefault(target, set()).add(self.code_of(scope))
        return found

    def _worth(self, code: ast.AST) -> list[ast.Call]:
        """The calls of a code that may have to do with a session, as far as their words tell."""
        words, calls = self.program.words, self._calls_in.get(code, [])
        return calls if words is None else [call for call in calls if self._is_worth(call, words)]

    def _is_worth(self, call: ast.Call, words: AbstractSet[str]) -> bool:
        name = word(call.func)
        if name in words or not name or any(word(argument) in words for argument in call.args[:2]):
            return True
        scope = self.calls.scope(call)
        if not isinstance(call.func, ast.Name) or self.names.owner(name, scope) in (None, self.names.scopes.module):
            return False
        return any(w in words for w in words_given(self.names, call.func, scope))

    @cached_property
    def calls_by_word(self) -> dict[str, list[ast.Call]]:
        """The calls of the module by the word that each calls."""
        found: dict[str, list[ast.Call]] = {}
        for call, _ in self.names.scopes.calls:
            found.setdefault(word(call.func), []).append(call)
        return found

    @once
    def _calls_in(self) -> dict[ast.AST, list[ast.Call]]:
        found: dict[ast.AST, list[ast.Call]] = {}
        for call, scope in self.names.scopes.calls:
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
        methods = (n for n in owner.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
        return scope.is_class and any(m.name in MAKERS and self.opens_one(m) for m in methods)

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
        todo: list[tuple[Module, FunctionNode]] = [(self, function)]
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
        return found is not None and found.role is Role.SCOPE

    @once
    def handlers(self) -> dict[ast.AST, None]:
        """The functions of this module that run once a request."""
        return dict.fromkeys(handlers(self))

    @once
    def calling_singletons(self) -> set[ast.AST]:
        """The codes that call the getter or the closer of a global session by themselves."""
        if self.program.project is not None and not self.program.has_singletons:
            return set()
        calls = self.names.scopes.calls
        if self.program.project is not None:
            words = self.program.singleton_words(self.names)
            calls = [(call, scope) for call, scope in calls if word(call.func) in words]
        return {self.code_of(s) for call, s in calls if self.calls.callee(call).role in (Role.SINGLETON, Role.CLOSER)}

    @property
    def ending_by_hand(self) -> list[Code]:
        """The functions that commit, roll back or close something they are given."""
        return [code for code, _ in self.codes if any(_ends(call, code) for call in self._calls_in.get(code, ()))]

    def may_open(self, function: ast.AST) -> bool:
        """Whether a function may open a session, by itself or in a function that it calls; perhaps, where it is far."""
        todo: list[tuple[Module, ast.AST]] = [(self, function)]
        seen = {function}
        while todo:
            module, code = todo.pop()
            if len(seen) > _MOST_CALLED or module.opens_one(code) or module._gets_one(code):  # noqa: SLF001
                return True
            callees = (module.calls.callee(call) for call in module._calls_in.get(code, ()))  # noqa: SLF001
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

    # what single expressions mean

    def opens(self, call: ast.Call) -> bool:
        """Whether a call makes a new object: a session, or an instance of a class."""
        callee = self.calls.callee(call)
        return callee.role in (Role.FACTORY, Role.SINGLETON) or callee.owner is not None

    def key(self, callee: Callee) -> str:
        """What identifies the singleton that a getter returns."""
        assert callee.meaning is not None
        closer = self.calls.vocabulary.meaning(callee.meaning.closer)
        return closer.closes if closer is not None else callee.meaning.closes

    def closer_of(self, node: ast.expr, code: ast.AST) -> str:
        """The singleton that a function, given as a value, closes; empty for anything else."""
        found = self.calls.meaning(self.names.qualify(node, self.names.scopes.of[code]))
        return found.closes if found is not None and found.role is Role.CLOSER else ""

    def context(self, node: ast.expr, scope: Scope) -> Meaning | None:
        """What the context manager of a ``with`` means: that of the function whose call made it."""
        if isinstance(node, ast.Call):
            callee = self.calls.callee(node)
            wrapped = callee.function is not None and is_generator(callee.function)  # else it could not be entered
            return self.at(callee).generator_scope(callee.function) if wrapped else callee.meaning  # type: ignore[arg-type]
        names = self.names.qualify(node, scope)
        found = {self.calls.meaning(frozenset({n.removesuffix("()")})) for n in names if n.endswith("()")}
        return found.pop() if len(found) == 1 else None

    def _yields_one(self, callee: Callee) -> bool:
        """Whether a call makes a plain generator that yields a session which it opened itself."""
        function = callee.function
        if function is None or callee.meaning is not None or not is_generator(function):
            return False
        home = self.at(callee)
        return not home.is_context_manager(function) and home.generator_scope(function) is not None

    def generator_scope(self, function: FunctionNode) -> Meaning | None:
        """What a plain generator means once it is made a context manager."""
        return self.pending.ask_once(self._generators, function, lambda: self._wrapped_meaning(function), None)

    def _wrapped_meaning(self, function: FunctionNode) -> Meaning | None:
        return self.as_scope(function, scope_meaning)

    def as_scope(self, function: FunctionNode, asked: Callable[[Module, FunctionNode], T]) -> T:
        """The answer to a question about a plain generator, as if it were a context manager."""
        self._wrapped.add(function)
        try:
            return asked(self, function)
        finally:
            self._wrapped.discard(function)

    def bound_calls(self, node: ast.expr, scope: Scope) -> list[ast.AST]:
        """The calls that a variable was assigned, for ``t = session.begin()`` and ``with t:``."""
        owner = self.names.owner(node.id, scope) if isinstance(node, ast.Name) else None
        return [b.node for b in owner.bindings[node.id]] if owner is not None else []  # type: ignore[attr-defined]

    def commits_at_exit(self, item: ast.withitem, scope: Scope) -> bool:
        """Whether leaving a ``with`` normally commits, and so may raise."""
        found = self.context(item.context_expr, scope)
        if found is not None and found.role is Role.SCOPE:
            return found.commits
        return (
            isinstance(item.context_expr, ast.Call)
            and isinstance(item.context_expr.func, ast.Attribute)
            and item.context_expr.func.attr == "begin"
        )

    def swallowed(self, node: ast.expr, scope: Scope) -> list[str]:
        """The exception classes that a context manager ends."""
        if not isinstance(node, ast.Call):
            return []
        callee = self.calls.callee(node)
        if callee.role is Role.SWALLOWS or (not callee.known and callee.name in ("assertRaises", "assertRaisesRegex")):
            return [kind for argument in node.args for kind in self.exceptions.listed(argument, scope)] or [BASE]
        return []

    def hands_over(self, code: ast.AST) -> bool:
        """Whether what a generator yields goes to somebody who may raise into it: a ``with`` body, a test."""
        return self.is_context_manager(code) or (
            isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and self._decorated(code, Role.FIXTURE)
        )

    def is_memoised(self, function: FunctionNode) -> bool:
        """Whether a function gives every caller the same object, which then belongs to none of them."""
        return self._decorated(function, Role.MEMOISED)

    def is_context_manager(self, code: ast.AST) -> bool:
        """Whether a generator is made a context manager: it gets back what it yields, and owes the end itself."""
        if code in self._wrapped:
            return True
        return isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and self._decorated(code, Role.CONTEXT_MANAGER)

    def _decorated(self, function: FunctionNode, role: Role) -> bool:
        scope = self.names.scopes.of[function].parent or self.names.scopes.module
        for decorator in function.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            found = self.calls.vocabulary.of(self.names.qualify(target, scope))
            if found is not None and found.role is role:
                return True
        return False

    def inside_finally(self, code: ast.AST) -> frozenset[ast.AST]:
        """All nodes of a code that stand in a ``finally`` body."""
        if code not in self._finals:
            tries = (n for n in own_nodes(code) if isinstance(n, ast.Try))
            self._finals[code] = frozenset(n for t in tries for s in t.finalbody for n in ast.walk(s))
        return self._finals[code]

    def caught_names(self, code: ast.AST) -> frozenset[str]:
        """The names that ``except … as name`` binds in a code."""
        return frozenset(n.name for n in own_nodes(code) if isinstance(n, ast.ExceptHandler) and n.name)

    @once
    def exported(self) -> frozenset[str]:
        """The names of the module body that live on: read by its functions, or never read by the body itself."""
        loads = self.names.scopes.loads
        top = self.names.scopes.module
        inner = {
            name
            for scope, read in loads.items()
            if scope is not top and not scope.is_class
            for name in read
            if self.names.owner(name, scope) is top
        }
        unread = {name for name in top.bindings if name not in loads[top]}
        return frozenset(inner | unread)

    @once
    def methods_called(self) -> frozenset[str]:
        """The names of methods that are called on objects that cannot be followed."""
        calls = (call for call, _ in self.names.scopes.calls if isinstance(call.func, ast.Attribute))
        return frozenset(call.func.attr for call in calls if self.calls.callee(call).function is None)  # type: ignore[attr-defined]

    def keys_defined_in(self, code: ast.AST) -> frozenset[str]:
        """The singletons that a function is itself the getter or closer of."""
        if isinstance(code, ast.Module):
            return frozenset()
        found = self.inferred(self.names.qualname(self.names.scopes.of[code]))
        return frozenset({found.closes}) if found is not None and found.closes else frozenset()

    def over_connection(self, call: ast.Call) -> bool:
        """Whether a factory is given a connection (``Session(bind=op.get_bind())``), not an engine."""
        bound = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("bind", "connection"))]
        scope = self.calls.scope(call)
        return any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in _CONNECTING
            for b in bound
            for n in (b, *self.bound_calls(b, scope))
        )


_MOST_CALLED = 200
"""How many functions are looked at for one that opens a session."""


@cache
def returns_something(function: FunctionNode) -> bool:
    """Whether a function returns what may hold a session."""
    returns = (node for node in own_nodes(function) if isinstance(node, ast.Return))
    return any(node.value is not None and not isinstance(node.value, ast.Constant) for node in returns)


def _contexts(code: ast.AST) -> Iterator[ast.expr]:
    """The context managers of a code's ``with`` statements."""
    for node in own_nodes(code):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            yield from (item.context_expr for item in node.items)


def _ends(call: ast.Call, code: Code) -> bool:
    """Whether a call ends the transaction of a parameter."""
    if isinstance(code, ast.Module) or not isinstance(call.func, ast.Attribute):
        return False
    found = effects().get(call.func.attr)
    given = {parameter.arg for parameter in parameters(code)}
    return found is not None and found.effect in _ENDING and path(call.func.value).partition(".")[0] in given
