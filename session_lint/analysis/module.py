"""All that the analysis knows of one module: the context its parts share, and the facts that rules ask for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis.calls import Callee, Calls
from session_lint.analysis.exceptions import BASE, Exceptions
from session_lint.analysis.inference import scope_meaning, singletons
from session_lint.analysis.lifecycle import Lifecycle
from session_lint.analysis.solved import Solved
from session_lint.analysis.state import Fact, Site, SiteKind
from session_lint.analysis.summaries import Summaries
from session_lint.flow import build, solve
from session_lint.python.names import Names, own_nodes
from session_lint.vocabulary import Meaning, Role, builtin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.flow import Code, Graph
    from session_lint.python.scopes import FunctionNode, Scope, ScopeNode

_CONNECTING = ("connect", "connection", "get_bind")
"""SQLAlchemy's and Alembic's methods that give a connection; what they are called on is nearly always a parameter."""

_OPENING = {Role.FACTORY, Role.SCOPE, Role.SINGLETON}


@dataclass(eq=False)
class Module:
    """One module under analysis."""

    names: Names
    calls: Calls = field(init=False)
    exceptions: Exceptions = field(init=False)
    summaries: Summaries = field(init=False)
    _sites: dict[tuple[object, ...], Site] = field(default_factory=dict)
    _graphs: dict[ast.AST, Graph] = field(default_factory=dict)
    _finals: dict[ast.AST, frozenset[ast.AST]] = field(default_factory=dict)
    _inferring: set[ast.AST] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Connect the parts."""
        self.calls = Calls(self.names, builtin())
        self.exceptions = Exceptions(self.names)
        self.summaries = Summaries(self)
        self.calls.inferred.update(singletons(self))
        for scope in list(self.names.scopes.of.values()):
            self._infer(scope)

    def _infer(self, scope: Scope) -> None:
        node = scope.node
        name = self.names.qualname(scope)
        if (
            not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            or name in self.calls.inferred
            or node in self._inferring
        ):
            return
        if self._decorated(node, Role.CONTEXT_MANAGER):
            self._inferring.add(node)
            found = scope_meaning(self, node)
            if found is not None:
                self.calls.inferred[name] = found
                self.calls.forget()

    # graphs and solutions

    def solve(self, code: Code, start: Fact) -> Solved:
        """Run the analysis over a code from a fact at its entry.

        :raises SolverLimit: where the code has more ways than can be followed.
        """
        if code not in self._graphs:
            self._graphs[code] = build(code)
        graph = self._graphs[code]
        problem = Lifecycle(self, code, start)
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

    @cached_property
    def codes(self) -> list[tuple[Code, Scope]]:
        """All functions of the module, and its body first, in the order of the text."""
        return [(s.node, s) for s in self.names.scopes.of.values() if not isinstance(s.node, ast.ClassDef)]

    def code_of(self, scope: Scope) -> ScopeNode:
        """The function or module body that a scope runs in."""
        while scope.is_class and scope.parent is not None:
            scope = scope.parent
        return scope.node

    @cached_property
    def callers(self) -> dict[ast.AST, set[ast.AST]]:
        """The codes that call each function of the module."""
        found: dict[ast.AST, set[ast.AST]] = {}
        for call, scope in self.names.scopes.calls:
            callee = self.calls.callee(call)
            target: ast.AST | None = callee.function
            if callee.owner is not None:
                target = next(
                    (n for n in callee.owner.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None
                )
            if target is not None:
                found.setdefault(target, set()).add(self.code_of(scope))
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

    @cached_property
    def opening(self) -> set[ast.AST]:
        """The codes that open a session, by themselves or in a function they call."""
        calls = self.names.scopes.calls
        direct: set[ast.AST] = {self.code_of(s) for call, s in calls if self.calls.callee(call).role in _OPENING}
        direct |= {self.code_of(s) for item, s in self._contexts if self._opens_context(item, s)}
        return self._reaching(direct)

    @property
    def _contexts(self) -> Iterator[tuple[ast.expr, Scope]]:
        for code, scope in self.codes:
            for node in own_nodes(code):
                if isinstance(node, (ast.With, ast.AsyncWith)):
                    yield from ((item.context_expr, scope) for item in node.items)

    def _opens_context(self, node: ast.expr, scope: Scope) -> bool:
        found = self.context(node, scope)
        return found is not None and found.role is Role.SCOPE

    def may_open(self, function: ast.AST) -> bool:
        """Whether a function may open a session, or leave the singleton open."""
        return function in self.opening

    @cached_property
    def _singletons(self) -> set[ast.AST]:
        direct: set[ast.AST] = {
            self.code_of(s)
            for call, s in self.names.scopes.calls
            if self.calls.callee(call).role in (Role.SINGLETON, Role.CLOSER)
        }
        return self._reaching(direct)

    def touches_singleton(self, function: ast.AST) -> bool:
        """Whether a function reaches the getter or the closer of a singleton."""
        return function in self._singletons

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
            return self.calls.callee(node).meaning
        names = self.names.qualify(node, scope)
        found = {self.calls.meaning(frozenset({n.removesuffix("()")})) for n in names if n.endswith("()")}
        return found.pop() if len(found) == 1 else None

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

    @cached_property
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

    @cached_property
    def methods_called(self) -> frozenset[str]:
        """The names of methods that are called on objects that cannot be followed."""
        calls = (call for call, _ in self.names.scopes.calls if isinstance(call.func, ast.Attribute))
        return frozenset(call.func.attr for call in calls if self.calls.callee(call).function is None)  # type: ignore[attr-defined]

    def keys_defined_in(self, code: ast.AST) -> frozenset[str]:
        """The singletons that a function is itself the getter or closer of."""
        if isinstance(code, ast.Module):
            return frozenset()
        found = self.calls.inferred.get(self.names.qualname(self.names.scopes.of[code]))
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
