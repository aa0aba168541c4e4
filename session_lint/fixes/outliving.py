"""What is left of a session when its block ends: objects that still load, a connection that is somebody else's.

Closing a session that nobody closed before can be seen by whoever still holds an object of it. A fix that does so is
safe only where nothing that was loaded gets out of the block. What the block calls is followed where it is the
project's own.
"""

from __future__ import annotations

import ast
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.loading import is_column, loaded
from session_lint.analysis.state import State
from session_lint.python.names import own_nodes, path
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass, field
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from session_lint.analysis import Ending, ModuleFacts, Obligation
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.loading import Loaded
    from session_lint.analysis.module import Module
    from session_lint.fixes.shape import Shape
    from session_lint.python.scopes import FunctionNode

_PLAIN = frozenset("count len int float str bool sum isoformat print repr round abs min max isinstance".split())
"""Calls that make plain values of objects, or keep nothing of them."""
_KEEPING_NOTHING = (
    "alembic.op.",
    "builtins.",
    "copy.",
    "datetime.",
    "decimal.",
    "hashlib.",
    "itertools.",
    "json.",
    "logging.",
    "math.",
    "operator.",
    "orjson.",
    "os.path.",
    "re.",
    "simplejson.",
    "sqlalchemy.",
    "textwrap.",
    "time.",
    "uuid.",
)
"""Where functions come from that keep nothing of their arguments but in what they return."""
_COLLECTING = frozenset("append add extend insert update setdefault appendleft".split())
_DEEPEST = 5


def seen_closing(facts: ModuleFacts, obligation: Obligation, found: Shape) -> str:
    """Why closing at the end of the block may be seen; empty where it cannot, or was done before."""
    leaks = [ending.normal for ending in obligation.endings if ending.leaks]
    if not leaks:
        return ""
    if not any(leaks):
        return next(kept_on_error(facts, obligation, found), "")
    block = _block(facts, obligation, found, strict=True)
    foreign = obligation.site.origin.borrowed
    open_ = [ending for ending in obligation.endings if ending.normal and ending.leaks]
    unsaved = any(_uncommitted(ending, changed=block.changes) for ending in open_)
    if (foreign or _bound_to_unknown(found.acquire.value)) and unsaved:
        whose = "of somebody else's" if foreign else "that may be somebody else's"
        return f"changes may be uncommitted when it is closed, which rolls them back on a connection {whose}"
    return next(chain(_read_later(block, found), block.escapes()), "")


def kept_on_error(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """Where what was loaded may be read after an exception has left the block."""
    block = _block(facts, obligation, found, strict=False)
    yield from _read_by_handlers(block, found)
    yield from block.escapes(returning=False)


def _block(facts: ModuleFacts, obligation: Obligation, found: Shape, *, strict: bool) -> _Block:
    assert facts.module is not None
    block = _Block(facts.module, obligation.site.code, found.block, {found.name}, set(), strict)
    block.load()
    return block


def _uncommitted(ending: Ending, *, changed: bool) -> bool:
    """Whether the session may hold changes at an end that no commit of its own has written.

    A connection that has begun a transaction keeps them when the session is closed, one that has not loses them;
    measured with SQLAlchemy 1.4, 2.0 and 2.1.

    :param changed: whether objects of the session are changed somewhere, which the next query writes.
    """
    fact = ending.fact
    return fact.pending is not None or bool(fact.marked("exposed")) or (changed and fact.state is State.ACTIVE)


def only_works(block: Sequence[ast.stmt], name: str) -> bool:
    """Whether a block only calls the session's own methods, and hands it to nobody."""
    calls = [n for s in block for n in ast.walk(s) if isinstance(n, ast.Attribute) and path(n.value) == name]
    own = {id(n.value) for n in calls if n.attr in effects()}
    return all(id(n) in own for s in block for n in ast.walk(s) if isinstance(n, ast.Name) and n.id == name)


def _bound_to_unknown(call: ast.expr | None) -> bool:
    """Whether a factory is given something that does not say it is an engine."""
    if not isinstance(call, ast.Call):
        return False
    bound = [*call.args[:1], *(k.value for k in call.keywords if k.arg == "bind")]
    return any("engine" not in ast.unparse(value).lower() for value in bound)


def _read_later(block: _Block, found: Shape) -> Iterator[str]:
    """Where what was loaded is read outside the block: behind it, or, of a module's own variables, anywhere."""
    whole = isinstance(block.code, ast.Module)
    yield from _reads(block, list(ast.walk(block.code)) if whole else own_nodes(block.code))
    if whole and block.loaded and found.top:
        yield "objects loaded from the session may be read by other modules"


def _read_by_handlers(block: _Block, found: Shape) -> Iterator[str]:
    """The same where only an exception leaves the session open: clauses around the block may read it then."""
    node: ast.AST = found.acquire
    while node is not block.code and node in block.module.parents:
        node = block.module.parents[node]
        if isinstance(node, ast.Try):
            yield from _reads(block, [n for part in (*node.handlers, *node.finalbody) for n in ast.walk(part)])


def _reads(block: _Block, nodes: Sequence[ast.AST]) -> Iterator[str]:
    inside = set(map(id, block.nodes))
    names = (n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id in block.loaded)
    for node in sorted(names, key=lambda name: name.lineno):
        if id(node) not in inside:
            yield f"line {node.lineno} reads {node.id!r}, which may be an object of the session, outside the block"


@dataclass
class _Block:
    """Statements that use a session, and what of it they let out.

    :param code: the function or module body that they stand in.
    :param sessions: the variables that hold the session.
    :param loaded: the variables that may hold what was loaded from it.
    :param strict: whether it counts what somebody unknown may keep who only gets the session: not where that is closed
        on every normal way, by which everybody has to expect it.
    :param depth: how many calls lie between the session's own block and these.
    """

    module: Module
    code: ast.AST
    statements: Sequence[ast.stmt]
    sessions: set[str]
    loaded: set[str]
    strict: bool = True
    depth: int = 0
    met: set[ast.AST] = field(default_factory=set)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in the block."""
        return [node for statement in self.statements for node in ast.walk(statement)]

    def load(self) -> None:
        """Find the variables that may hold what was loaded."""
        before = -1
        while before != len(self.loaded):
            before = len(self.loaded)
            for target, value in self._bindings():
                if self.holds(value):
                    names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and not _is_base(target, n)}
                    self.loaded |= names - self.sessions
            self.loaded |= {name for name in self._collections() if name not in self.sessions}

    def _collections(self) -> Iterator[str]:
        """The code's own variables into which the block puts what was loaded: ``found.append(user)``."""
        scope = self.module.names.scopes.of[self.code]
        for node in self.nodes:
            if isinstance(node, ast.Call) and _name(node) in _COLLECTING and any(map(self.holds, node.args)):
                name = _start(node)
                own = scope.bindings.get(name, ()) if name not in scope.elsewhere else ()
                if own and all(b.kind is BindingKind.VALUE for b in own):
                    yield name

    def _bindings(self) -> Iterator[tuple[ast.AST, ast.AST]]:
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                yield from ((target, node.value) for target in node.targets)
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
                yield node.target, node.value
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                yield node.target, node.iter
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                yield node.optional_vars, node.context_expr

    def holds(self, value: ast.AST) -> bool:
        """Whether an expression may be, or hold, what was loaded."""
        if isinstance(value, ast.Call) and _name(value) in _PLAIN:
            return False
        if isinstance(value, (ast.Constant, ast.Compare, ast.JoinedStr)):
            return False
        if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and self._is_column(value):
            return False
        if isinstance(value, ast.Name):
            return value.id in self.sessions or value.id in self.loaded
        return any(self.holds(child) for child in ast.iter_child_nodes(value))

    def _is_column(self, value: ast.Attribute) -> bool:
        """Whether it is the plain value of a column of an object whose class is known."""
        entities = self._entities.get(path(value.value), [])
        return bool(entities) and all(found is not None and is_column(found, value.attr) for found in entities)

    @cached_property
    def _entities(self) -> dict[str, list[Loaded | None]]:
        """What each variable of the block was given: an object of a class, or something unknown."""
        scope = self.module.names.scopes.of[self.code]
        found: dict[str, list[Loaded | None]] = {}
        for target, value in self._bindings():
            one = _each(value) if isinstance(self.module.parents.get(value), (ast.For, ast.AsyncFor)) else value
            for place in _places(target):
                known = loaded(self.module, one, scope, self.sessions) if place is target else None
                found.setdefault(_start(place), []).append(known)
        return found

    @property
    def changes(self) -> bool:
        """Whether objects that were loaded may be changed: a field assigned, a collection asked, one given away."""
        stored = any(
            _start(p) in self.loaded for t, _ in self._bindings() for p in _places(t) if not isinstance(p, ast.Name)
        )
        calls = [n for n in self.nodes if isinstance(n, ast.Call) and _name(n) not in _PLAIN]
        asked = any(isinstance(n.func, ast.Attribute) and _start(n) in self.loaded for n in calls)
        given = [a for n in calls if _start(n) not in self.sessions for a in (*n.args, *(k.value for k in n.keywords))]
        return stored or asked or any(map(self.holds, given))

    def escapes(self, *, returning: bool = True) -> Iterator[str]:
        """Why what was loaded may get out, in words.

        :param returning: whether it may get out by being returned.
        """
        elsewhere = self.module.names.scopes.of[self.code].elsewhere
        for node in self.nodes:
            if isinstance(node, ast.Return) and returning and node.value is not None and self.holds(node.value):
                yield f"line {node.lineno} returns what may be objects of the session, which it would detach"
            elif isinstance(node, ast.Call) and not self._starts_here(node) and _name(node) not in _PLAIN:
                yield from self._given(node)
        for target, value in self._bindings():
            for place in _places(target):
                kept = (
                    place.id in elsewhere
                    if isinstance(place, ast.Name)
                    else _start(place) not in self.loaded | self.sessions
                )
                if kept and self.holds(value):
                    yield f"line {place.lineno} keeps what may be objects of the session"

    def _starts_here(self, call: ast.Call) -> bool:
        """Whether it is a method of the session, or of what was loaded, which stays in the block by itself."""
        return _start(call) in self.sessions | self.loaded

    def _given(self, call: ast.Call) -> Iterator[str]:
        """What a call gets of the session, where it may keep it."""
        given = [a for a in (*call.args, *(k.value for k in call.keywords)) if self.holds(a)]
        if not given:
            return
        callee = self.module.calls.callee(call) if call in self.module.calls else None
        unknown = callee is None or (callee.function is None and callee.owner is None)
        if unknown and not self.strict and all(isinstance(a, ast.Name) and a.id in self.sessions for a in given):
            return
        if callee is not None and (_keeps_nothing(callee) or self._followed(call, callee)):
            return
        yield f"line {call.lineno} gives what may be objects of the session to others"

    def _followed(self, call: ast.Call, callee: Callee) -> bool:
        """Whether it is a function of the project that lets nothing out of what it is given."""
        function, home = callee.function, self.module.at(callee)
        if callee.owner is not None:
            made = self.module.initialiser(callee)
            if made is None:
                return True  # what it makes holds it, and is followed as that
            home, function = made
        if function is None or self.depth == _DEEPEST or function in self.met:
            return function is not None and function in self.met
        self.met.add(function)
        bound = callee.bound or callee.owner is not None
        inner = self._inside(home, function, bind(call, function, bound=bound), made=callee.owner is not None)
        if inner is None:
            return False
        inner.load()
        return next(inner.escapes(returning=False), None) is None

    def _inside(
        self, home: Module, function: FunctionNode, passed: Mapping[str, ast.expr | None], *, made: bool
    ) -> _Block | None:
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
        return _Block(home, function, function.body, sessions, loaded, self.strict, self.depth + 1, self.met)


def _each(query: ast.AST) -> ast.expr:
    """What a loop over a query goes through."""
    assert isinstance(query, ast.expr)
    return ast.Call(ast.Attribute(query, "all", ast.Load()), [], [])


def _keeps_nothing(callee: Callee) -> bool:
    plain = callee.meaning is None or not callee.meaning.runs
    return plain and bool(callee.names) and all(_is_known(name) for name in callee.names)


def _is_known(name: str) -> bool:
    return name.startswith(_KEEPING_NOTHING) and name != "builtins.setattr"


def _is_base(target: ast.AST, name: ast.Name) -> bool:
    """Whether a name is what a field or an item of it is assigned to."""
    return isinstance(target, (ast.Attribute, ast.Subscript)) and path(name) == _start(target)


def _places(target: ast.AST) -> Iterable[ast.Name | ast.Attribute | ast.Subscript]:
    """What an assignment's target assigns to."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return [place for element in target.elts for place in _places(element)]
    if isinstance(target, ast.Starred):
        return _places(target.value)
    return [target] if isinstance(target, (ast.Name, ast.Attribute, ast.Subscript)) else []


def _start(node: ast.AST) -> str:
    """The variable that a chain of calls, fields and items starts at."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return path(node)


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else path(call.func)
