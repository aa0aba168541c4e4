"""All that the analysis knows of one module: the context its parts share, and the facts that rules ask for."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, TypeVar

from session_lint.analysis.aliases import gives_managed
from session_lint.analysis.behind import see_through
from session_lint.analysis.calls import Callee, Calls
from session_lint.analysis.concern import Concern
from session_lint.analysis.everywhere import receivers
from session_lint.analysis.exceptions import BASE, Exceptions
from session_lint.analysis.handing import running, threads
from session_lint.analysis.inference import (
    class_scope,
    closed_by,
    commits,
    getters,
    kept,
    lenders,
    lent,
    memoised_getters,
    scope_meaning,
    unit_of_work,
)
from session_lint.analysis.kept_elsewhere import bound_once, kept_elsewhere
from session_lint.analysis.lifecycle import Lifecycle
from session_lint.analysis.liveness import Liveness
from session_lint.analysis.makers import makers
from session_lint.analysis.passed import passed
from session_lint.analysis.requests import handlers
from session_lint.analysis.results import passes_over, speaks
from session_lint.analysis.solved import Solved
from session_lint.analysis.state import NOTHING, Fact, Site, SiteKind
from session_lint.analysis.summaries import Summaries, is_generator
from session_lint.flow import SolverLimit, build, solve
from session_lint.python.nodes import own_of, parents
from session_lint.python.pending import once
from session_lint.python.scopes import BindingKind, below, key_of
from session_lint.python.stopping import go_on
from session_lint.python.words import word
from session_lint.stages import stage
from session_lint.vocabulary import Meaning, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from session_lint.analysis.classes import AtEnd
    from session_lint.analysis.inference import Unit
    from session_lint.analysis.passed import Given
    from session_lint.analysis.program import Program
    from session_lint.analysis.surrounding import Surrounding
    from session_lint.flow import Code, Graph
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope
    from session_lint.source import Source

T = TypeVar("T")
Key = TypeVar("Key", bound="Hashable")
_CONNECTING = ("connect", "connection", "get_bind", "begin")
"""SQLAlchemy's and Alembic's methods that give a connection; what they are called on is nearly always a parameter."""
_CONNECTION = re.compile(r"(?:^|_)conn(?:ection)?$|\bConnection\b|\bAsyncConnection\b")
"""What a parameter that is a connection is annotated with, or else called."""


HOPS = 2
"""How many modules away the ways of a function are followed, as far as no session of the caller is concerned."""


class Module(Concern):
    """One module under analysis.

    :param hops: how many modules away the ways of a function are followed, as far as no session is concerned.
    """

    def __init__(self, names: Names, source: Source, program: Program, hops: int = HOPS) -> None:
        super().__init__(names, source, program)
        self.hops = hops
        self._sites: dict[tuple[object, ...], Site] = {}
        self._graphs: dict[ast.AST, Graph] = {}
        self._alone: dict[tuple[Code, Fact], Solved | None] = {}
        self._by_itself: dict[tuple[Code, bool], Solved | None] = {}
        self.decorated: dict[ast.AST, list[Solved]] = {}
        self.ends: dict[ast.ClassDef, AtEnd] = {}
        self.undoing: dict[tuple[ast.Call, str], bool] = {}
        self.units: dict[ast.ClassDef, Unit | None] = {}
        self.surrounding: dict[tuple[FunctionNode, str], Surrounding | None] = {}
        self._lent: dict[ast.AST, list[Fact] | None] = {}
        self._receivers: dict[FunctionNode, list[ast.expr]] = {}
        self.queries: dict[ast.AST, dict[str, frozenset[object]]] = {}
        self._liveness: dict[tuple[ast.AST, bool, bool], Liveness] = {}
        self._finals: dict[ast.AST, frozenset[ast.AST]] = {}
        self._meanings: dict[FunctionNode | ast.ClassDef, Meaning | None] = {}
        self._generators: dict[FunctionNode, Meaning | None] = {}
        self._wrapped: set[ast.AST] = set()
        self.passed: dict[ast.arg, frozenset[str]] = {}
        self.given: dict[tuple[ast.arg, int], list[Given] | None] = {}
        self.standing_in: dict[tuple[ast.expr, Scope], frozenset[str]] = {}
        self.from_outside: dict[tuple[ast.expr, Scope], frozenset[str]] = {}
        self.pending = self.program.pending
        self.calls = Calls(
            self.names, self.program.vocabulary, self._inferred, self.yields_one, self._factory, self.pending
        )
        self.exceptions = Exceptions(self.names)
        self.summaries = Summaries(self)

    # what bodies mean

    def _inferred(self, name: str) -> Meaning | None:
        """What a name of the project means by its body."""
        found = self.names.definition(name)
        return None if found is None else self.program.module(found[0]).inferred(name)

    def _factory(self, node: ast.expr, scope: Scope) -> frozenset[str]:
        """The factories that callers pass for a parameter or a field, where the project knows its name for one.

        Or those that a field of an object from outside may hold.
        """
        words = self.program.words
        given = passed(self, node, scope) if words is None or word(node) in words else frozenset[str]()
        return given or self.kept_outside(node, scope)

    def kept_outside(self, node: ast.expr, scope: Scope) -> frozenset[str]:
        """The factories that an object from outside keeps where an expression says, by a word that may give one."""
        words, place = self.program.words, bound_once(node, scope)
        if words is not None and (key_of(place) or word(place)) not in words:
            return frozenset()
        return self.pending.ask_once(
            self.from_outside, (place, scope), lambda: kept_elsewhere(self, place, scope), frozenset[str]()
        )

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
        if gives_managed(self, node):
            return Meaning(Role.MANAGED)
        closed = closed_by(self, node, self._globals)
        return Meaning(Role.CLOSER, closes=f"{self.names.module}.{closed}") if closed else None

    @once
    def kept(self) -> dict[str, list[Scope]]:
        """The variables of this module that functions put a fresh session into, each with the functions that do."""
        return kept(self)

    @once
    def getters(self) -> dict[str, str]:
        """What identifies the global session of each getter of this module."""
        found = {self.names.qualname(scope): f"{self.names.module}.{name}" for name, scope in getters(self)}
        return found | {name: name for name in self.memoised_getters}

    @once
    def memoised_getters(self) -> list[str]:
        """The getters of this module that remember the session which they have opened: nobody's to close."""
        return [self.names.qualname(scope) for scope in memoised_getters(self)]

    @property
    def lenders(self) -> dict[str, str]:
        """What identifies the global session of each context manager of this module that lends it.

        How one ends may rest on what it calls, and so on whether that reaches a global session: none does, meanwhile.
        """
        return self.pending.ask_once(self.__dict__, "lenders", self._find_lenders, {})

    def _find_lenders(self) -> dict[str, str]:
        return {self.names.qualname(scope): f"{self.names.module}.{name}" for name, scope in lenders(self)}

    def lends(self, callee: Callee) -> str:
        """The global session that a call lends to its ``with``; empty for none."""
        home, function = self.at(callee), callee.function
        if function is None or not home.kept or not home.is_context_manager(function):
            return ""
        return home.lenders.get(home.names.qualname(home.names.scopes.of[function]), "")

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

    def has(self, node: ast.AST) -> bool:
        """Whether a node is one of the module's tree, and not of another module's."""
        return self.surely_has(node) or node in self.parents

    def surely_has(self, node: ast.AST) -> bool:
        """The same as far as its calls and what opens a scope can tell, which takes no look at the others."""
        scopes = self.names.scopes
        return node in scopes.calls or node in scopes.of

    @property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The node above each node of the module's tree."""
        return parents(self.names.scopes.module.node)

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

    @once
    def handlers(self) -> dict[ast.AST, None]:
        """The functions of this module that run once a request."""
        return dict.fromkeys(handlers(self))

    @once
    def running(self) -> dict[ast.Call, str]:
        """The calls of this module that run something elsewhere, each with where; in most modules there are none."""
        return running(self)

    @once
    def threads(self) -> dict[ast.AST, ast.Call]:
        """The functions that calls of this module start threads with, each with the first such call."""
        return threads(self)

    def receivers(self, function: FunctionNode) -> list[ast.expr]:
        """The sessions whose methods a function calls, and which it has from outside, each by one expression."""
        if function not in self._receivers:
            self._receivers[function] = receivers(self, function)
        return self._receivers[function]

    # graphs and solutions

    @stage("solving them")
    def solve(self, code: Code, start: Fact, hops: int = HOPS, *, told: bool = True) -> Solved:
        """Run the analysis over a code from a fact at its entry.

        :param hops: how many modules away calls are followed that no session goes into or comes out of.
        :param told: whether anybody is told how the tests of its parameters came out at its ends.
        :raises SolverLimit: where the code has more ways than can be followed.
        """
        go_on()
        graph = self.graph(code)
        tells = told and start.site is not None and speaks(code) and (hops > 0 or passes_over(code, start.names))
        problem = Lifecycle(self, graph, start, hops, self._live(code, told=told, tells=tells), tells=tells)
        found = solve(graph, problem)
        problem.liveness.forget()
        return Solved(code, graph, found, problem)

    def alone(self, code: Code, start: Fact) -> Solved:
        """The same where only what a code does to a session counts: how other calls end is not asked.

        It is kept: the rules ask for what a function does to a session that it is given, and so do its callers.

        :raises SolverLimit: where the code has more ways than can be followed.
        """
        found = self.asked(self._alone, (code, start), lambda: self._within_limits(code, start, 0))
        if found is None:
            raise SolverLimit(code)
        return found

    def by_itself(self, code: Code) -> Solved:
        """The same of a code that has no session from anybody, with all that it calls.

        It is kept: whoever enters a context manager asks for how that fares.

        :raises SolverLimit: where the code has more ways than can be followed.
        """
        key = code, code in self._wrapped
        found = self.asked(self._by_itself, key, lambda: self._within_limits(code, NOTHING, HOPS))
        if found is None:
            raise SolverLimit(code)
        return found

    def asked(self, kept: dict[Key, T], key: Key, work: Callable[[], T]) -> T:
        """The answer to something that is worked out from summaries, and kept where none of them is unfinished.

        :param kept: where it is kept, by ``key``.
        """
        rising = self.program.rising
        outer, rising.consulted = rising.consulted, set()
        try:
            return self.pending.ask(kept, key, work, lambda: not rising.consulted.isdisjoint(rising.known))
        finally:
            rising.consulted |= outer

    def _within_limits(self, code: Code, start: Fact, hops: int) -> Solved | None:
        try:
            return self.solve(code, start, hops)
        except SolverLimit:
            return None

    def _live(self, code: Code, *, told: bool, tells: bool) -> Liveness:
        key = code, told, tells
        if key not in self._liveness:
            self._liveness[key] = Liveness(self.graph(code), told=told, tells=tells)
        return self._liveness[key]

    @stage("making graphs")
    def graph(self, code: Code) -> Graph:
        """The control-flow graph of a code."""
        if code not in self._graphs:
            self._graphs[code] = graph = build(code, self._fields)
            see_through(graph, self.names)
        return self._graphs[code]

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
        lazy: bool = False,
    ) -> Site:
        """The one site for these values: facts compare sites by identity.

        What comes out of a call is one session, whichever of several ways it took there; the first one stands for all.
        """
        foreign = borrowed or (via is not None and via.origin.borrowed)
        place = (kind, node, code, commits, key, via is not None, foreign)
        return self._sites.setdefault(place, Site(kind, node, code, commits, key, via, borrowed, lazy))

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
            if callee.function is None:
                return callee.meaning
            if is_generator(callee.function):  # else it could not be entered
                return self.at(callee).generator_scope(callee.function)
        given = self._maker(self.names.qualify(node, scope))
        return given if given is None or not isinstance(node, ast.Call) or given.role is Role.SCOPE else None

    def unit(self, node: ast.expr) -> Unit | None:
        """What the object means that a ``with`` makes and enters, if it keeps a session meanwhile."""
        callee = self.calls.callee(node) if isinstance(node, ast.Call) else None
        if callee is None or callee.owner is None or callee.home is None or callee.meaning is not None:
            return None
        return self.unit_of(callee.home, callee.owner)

    def unit_of(self, home: Names, owner: ast.ClassDef) -> Unit | None:
        """The same of the objects of a class."""
        return self.asked(self.units, owner, lambda: unit_of_work(self, home, owner))

    def _maker(self, names: frozenset[str]) -> Meaning | None:
        """What that means whose call gives a value; ``None`` where it is not one thing."""
        found = {self.calls.meaning(frozenset({n.removesuffix("()")})) for n in names if n.endswith("()")}
        return found.pop() if len(found) == 1 else None

    def yields_one(self, callee: Callee) -> bool:
        """Whether a call makes a plain generator that yields a session which it opened itself."""
        function = callee.function
        if function is None or callee.meaning is not None or not is_generator(function):
            return False
        home = self.at(callee)
        return not home.is_context_manager(function) and home.generator_scope(function) is not None

    def lent(self, function: FunctionNode) -> list[Fact] | None:
        """How a generator leaves the session that it has yielded on its normal ways; ``None`` where it yields none."""
        return self.asked(self._lent, function, lambda: lent(self, function))

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
            return commits(self, item, found)
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

    def suppressed(self, node: ast.expr, scope: Scope) -> list[str]:
        """The exception classes that a context manager passes over; a test that waits for one knows what it does."""
        return [] if "raises" in word(node).lower() else self.swallowed(node, scope)

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
        return self.decorator(function, role) is not None

    def decorator(self, function: FunctionNode, role: Role) -> ast.expr | None:
        """The decorator of a function that plays a role."""
        scope = self.names.scopes.of[function].parent or self.names.scopes.module
        for decorator in function.decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            found = self.calls.vocabulary.of(self.names.qualify(target, scope))
            if found is not None and found.role is role:
                return decorator
        return None

    def inside_finally(self, code: ast.AST) -> frozenset[ast.AST]:
        """All nodes of a code that stand in a ``finally`` body."""
        if code not in self._finals:
            tries = (n for n in own_of(code, ast.Try))
            self._finals[code] = frozenset(n for t in tries for s in t.finalbody for n in below(s))
        return self._finals[code]

    def caught_names(self, code: ast.AST) -> frozenset[str]:
        """The names that ``except … as name`` binds in a code."""
        return frozenset(n.name for n in own_of(code, ast.ExceptHandler) if n.name)

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
        calls = (call for call in self.names.scopes.calls if isinstance(call.func, ast.Attribute))
        return frozenset(call.func.attr for call in calls if self.calls.callee(call).function is None)  # type: ignore[attr-defined]

    def keys_defined_in(self, code: ast.AST) -> frozenset[str]:
        """The singletons that a function is itself the getter or closer of."""
        if isinstance(code, ast.Module):
            return frozenset()
        found = self.inferred(self.names.qualname(self.names.scopes.of[code]))
        return frozenset({found.closes}) if found is not None and found.closes else frozenset()

    def over_connection(self, call: ast.Call) -> bool:
        """Whether a factory is given a connection, not an engine, when it is called or when it is made.

        A registry is made of a factory: ``scoped_session(sessionmaker(bind=connection))``.
        """
        scope = self.calls.scope(call)
        made = [*makers(self, call.func, scope)]
        inner = (one for a in call.args[:1] for one in (a, *self.bound_calls(a, scope)))
        made += [(self, one) for one in inner if isinstance(one, ast.Call) and one in self.calls]
        factories = [(home, one) for home, one in made if home.calls.callee(one).role is Role.FACTORY_MAKER]
        made = [(self, call), *factories, *self._configuring(factories)]
        return any(home.is_given_connection(one) for home, one in made)

    def _configuring(self, factories: list[tuple[Module, ast.Call]]) -> Iterator[tuple[Module, ast.Call]]:
        """The calls, here and where it is made, that tell a factory more: ``factory.configure(bind=connection)``."""
        for home in dict.fromkeys([self, *(home for home, _ in factories)]) if factories else ():
            for call in home.calls_by_word.get("configure", ()):
                told = call.func.value if isinstance(call.func, ast.Attribute) else None
                if told is not None and not {*makers(home, told, home.calls.scope(call))}.isdisjoint(factories):
                    yield home, call

    def is_given_connection(self, call: ast.Call) -> bool:
        """Whether what a call binds sessions to is a connection: ``Session(bind=op.get_bind())``."""
        bound = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("bind", "connection"))]
        scope = self.calls.scope(call)
        return any(
            isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in _CONNECTING
            for b in bound
            for n in (b, *self.bound_calls(b, scope))
        ) or any(_is_connection(b, scope) for b in bound)


def _is_connection(node: ast.expr, scope: Scope) -> bool:
    """Whether a parameter is a connection by its annotation, or by its name where it has none."""
    bound = scope.bindings.get(node.id, ()) if isinstance(node, ast.Name) else ()
    given = [b.node for b in bound if b.kind is BindingKind.PARAMETER and isinstance(b.node, ast.arg)]
    if not given or len(given) < len(bound):
        return False
    said = given[0].annotation
    return bool(_CONNECTION.search(given[0].arg if said is None else ast.unparse(said)))
