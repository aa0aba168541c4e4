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
from session_lint.analysis.fetching import is_plain
from session_lint.analysis.loading import Loaded, is_column, loaded, made, plain_rows
from session_lint.analysis.state import State
from session_lint.fixes.cascading import is_value, made_of
from session_lint.fixes.expressions import (
    binds_anew,
    captures,
    collection_of,
    each_of,
    generator_of,
    is_made_plain,
    makes_plain,
    parts_of,
    places_of,
    start_of,
    word_of,
)
from session_lint.python.nodes import names_under, own_nodes, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind, parameters
from session_lint.values import dataclass, field, replace
from session_lint.vocabulary import effects

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from session_lint.analysis import Ending, ModuleFacts, Obligation
    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.fixes.shape import Shape
    from session_lint.python.scopes import Binding, FunctionNode, Scope

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
_KEEPING = frozenset(
    "builtins.setattr operator.iadd operator.iand operator.iconcat operator.ior operator.setitem".split()
)
"""Those among them that keep it in another argument."""
_COLLECTING = frozenset("append add extend insert update setdefault appendleft".split())
_ATTACHING = frozenset("add add_all delete refresh".split())
"""Methods of a session after which it has what they were given."""
_ROLLING_BACK = _ATTACHING - {"refresh"} | {"flush", "commit", "rollback", "close"}
"""Methods of a session that roll back by themselves when they fail, or fail before they have done anything."""
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
_CALLING = frozenset("map filter reduce starmap takewhile dropwhile filterfalse groupby accumulate".split())
"""Functions that call one of their arguments with the elements of another."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
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
    turning = [ending for ending in open_ if ending.dropped is not None]
    if any(_uncommitted(ending, changed=block.changes) for ending in turning):
        return "changes may be uncommitted when the next turn of the loop opens another session"
    carried = _carried(block, found) if turning else iter(())
    return next(chain(_read_later(block, found), carried, block.escapes()), "")


def _carried(block: _Block, found: Shape) -> Iterator[str]:
    """Where a block that is run in turns may read what the turn before has loaded."""
    for name in sorted(block.loaded):
        names = [n for n in block.nodes if isinstance(n, ast.Name) and n.id == name]
        inside = {id(n) for node in block.nodes if binds_anew(node, name) for n in ast.walk(node)}
        anew = next((s for s in found.block if isinstance(s, ast.Assign) and name in map(path, s.targets)), None)
        for read in names:
            before = anew is None or (read.lineno, read.col_offset) < (anew.end_lineno, anew.end_col_offset)
            if isinstance(read.ctx, ast.Load) and id(read) not in inside and before:
                yield f"line {read.lineno} may read {name!r} as the turn of the loop before has left it"


def kept_on_error(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """Where what was loaded may be read after an exception has left the block."""
    yield from _left_on_error(_block(facts, obligation, found, strict=False), found)


def expired_on_error(facts: ModuleFacts, obligation: Obligation, found: Shape) -> Iterator[str]:
    """The same where the session is rolled back then: what is new in it is let go of as it is, all else expires."""
    yield from _left_on_error(_block(facts, obligation, found, strict=False, counts_new=False), found)


def _left_on_error(block: _Block, found: Shape) -> Iterator[str]:
    """What others may have of the session once an exception has left the block.

    Objects that it was given count where something else may fail than what rolls back by itself: after a flush or a
    commit that failed they cannot be read in an open session either, but for new ones, which it has let go of then.
    Measured with SQLAlchemy 2.1.
    """
    yield from _read_by_handlers(block, found)
    yield from block.escapes(returning=False, of_others=_may_fail(block))


def _may_fail(block: _Block) -> bool:
    """Whether something may raise once the session was given an object, and does not roll back by itself then."""
    if not block.attached:
        return False
    loops = any(isinstance(n, (ast.For, ast.AsyncFor, ast.While)) for n in block.nodes)
    first = min((part.lineno, part.col_offset) for part in block.attached)
    raising = (node for node in block.nodes if isinstance(node, (ast.Call, ast.Raise, ast.Assert, ast.Subscript)))
    return any((loops or (node.lineno, node.col_offset) > first) and _may_raise(block, node) for node in raising)


def _may_raise(block: _Block, node: ast.AST) -> bool:
    if isinstance(node, ast.Raise):
        return node.exc is not None  # else what it raises again was raised by something else
    if not isinstance(node, ast.Call):
        return True
    own = isinstance(node.func, ast.Attribute) and path(node.func.value) in block.sessions
    return not (own and word_of(node) in _ROLLING_BACK) and not (
        node in block.module.calls and _is_quiet(block.module, node)
    )


def _is_quiet(module: Module, call: ast.Call) -> bool:
    return not module.calls.callee(call).raises


def loaded_by(facts: ModuleFacts, obligation: Obligation, found: Shape) -> set[str]:
    """The variables of a block that may hold what was loaded from its session."""
    return _block(facts, obligation, found, strict=True).loaded


def held(facts: ModuleFacts, obligation: Obligation, found: Shape) -> tuple[set[str], bool]:
    """The variables of a session and of what may be loaded from it, and whether some of that may be changed."""
    block = _block(facts, obligation, found, strict=True)
    return block.sessions | block.loaded, block.changes


def _block(
    facts: ModuleFacts, obligation: Obligation, found: Shape, *, strict: bool, counts_new: bool = True
) -> _Block:
    assert facts.module is not None
    block = _loaded(facts.module, obligation.site.code, (*found.block,), found.name, strict, counts_new)
    return replace(block, met=set())  # what is followed is followed anew by each question


@remembered
def _loaded(
    module: Module,
    code: ast.AST,
    statements: tuple[ast.stmt, ...],
    session: str,
    strict: bool,  # noqa: FBT001
    counts_new: bool,  # noqa: FBT001
) -> _Block:
    """A block in which is found what was loaded: several conditions ask for that."""
    block = _Block(module, code, statements, {session}, set(), strict, counts_new=counts_new)
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
    yield from _reads(block, list(ast.walk(block.code)) if whole else [*own_nodes(block.code), *_inner_reads(block)])
    if whole and block.loaded and found.top:
        yield "objects loaded from the session may be read by other modules"


def _inner_reads(block: _Block) -> Iterator[ast.AST]:
    """The names of the code's own variables that functions inside it read."""
    names = block.module.names
    code = names.scopes.of[block.code]
    functions = (n for n in own_nodes(block.code) if isinstance(n, (*_FUNCTIONS, ast.Lambda)))
    for function in functions if block.loaded else ():
        inner = names.scopes.of[function]
        reads = (n for n in ast.walk(function) if isinstance(n, ast.Name))
        yield from (n for n in reads if names.owner(n.id, inner) is code)


def _read_by_handlers(block: _Block, found: Shape) -> Iterator[str]:
    """The same where only an exception leaves the session open: clauses around the block may read it then.

    So may what stands behind a ``with`` around it, which nobody has seen swallow anything.
    """
    node: ast.AST = found.acquire
    while node is not block.code and node in block.module.parents:
        node = block.module.parents[node]
        if isinstance(node, ast.Try):
            yield from _reads(block, [n for part in (*node.handlers, *node.finalbody) for n in ast.walk(part)])
        elif isinstance(node, (ast.With, ast.AsyncWith)):  # which may swallow what is raised
            behind = (n for n in own_nodes(block.code) if isinstance(n, ast.Name))
            yield from _reads(block, [n for n in behind if n.lineno > (node.end_lineno or 0)])


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
    :param counts_new: whether it counts objects that the block makes and gives to the session.
    :param given: of which class the objects are, or are those of the collections, that a called function gets.
    :param met: the functions that are followed already; ``attaching`` and ``returning``: what was learnt of them.
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
    attaching: dict[tuple[ast.AST, frozenset[str], frozenset[str]], frozenset[str]] = field(default_factory=dict)
    returning: dict[tuple[ast.AST, frozenset[str], frozenset[str]], bool] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Everything in the block."""
        return [node for statement in self.statements for node in ast.walk(statement)]

    @cached_property
    def calls(self) -> list[ast.Call]:
        """The calls in it."""
        return [node for node in self.nodes if isinstance(node, ast.Call)]

    @cached_property
    def functions(self) -> dict[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, frozenset[str]]:
        """The functions and classes that it defines, with the names that stand in each."""
        found = (node for node in self.nodes if isinstance(node, _FUNCTIONS))
        return {node: frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name)) for node in found}

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
            for target, value in self.bindings:
                if self.holds(value):
                    names = {place.id for place in places_of(target) if isinstance(place, ast.Name)}
                    self.loaded |= names - self.sessions

    def _collections(self) -> Iterator[str]:
        """The code's own variables into which the block puts what was loaded: ``found.append(user)``."""
        for node in self.calls:
            if word_of(node) in _COLLECTING and any(map(self.holds, node.args)):
                name = start_of(node)
                if self._is_own(name):
                    yield name

    def _given_to_session(self) -> Iterator[str]:
        """The code's own variables whose objects the session is given: ``session.add(user)``."""
        names = {part.id for part in self._attached() if isinstance(part, ast.Name)} if self.counts_new else ()
        return (name for name in names if self._is_own(name))

    def _capturing(self) -> Iterator[str]:
        """The functions and classes of the block that know something loaded by its name, or by a default."""
        known = self.loaded | self.sessions
        return (node.name for node, names in self.functions.items() if names & known)

    @cached_property
    def attached(self) -> list[ast.expr]:
        """What the session is given to have from then on, here or in a function of the project that gets both.

        Objects bring along what their relationships have, or are given later.
        """
        return self._attached()

    def _attached(self) -> list[ast.expr]:
        """The same as far as the variables of what was loaded are known by now."""
        scope = self.module.names.scopes.of[self.code]
        attaching = (value for call in self.calls for value in self._attaching(call))
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
        for target, value in self.bindings:
            for place in places_of(target):
                if not isinstance(place, ast.Name) and self._is_related(place) and isinstance(value, ast.expr):
                    yield value
        for call in self.calls:
            collects = isinstance(call.func, ast.Attribute) and call.func.attr in _COLLECTING | _ATTACHING
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
        return not self._is_column(place)

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
            if call.func.attr in _ATTACHING:
                yield from (*call.args[:1], *(k.value for k in call.keywords if k.arg in ("instance", "instances")))
            return
        if call not in self.module.calls or self.depth == _DEEPEST:
            return
        own = isinstance(call.func, ast.Attribute) and self.holds(call.func.value)
        if not own and not any(map(self.holds, (*call.args, *(k.value for k in call.keywords)))):
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
        inner = self._inside(home, function, passed, made=own)
        if inner is None:
            return frozenset()
        key = function, frozenset(inner.sessions), frozenset(inner.loaded)
        if key not in self.attaching:
            self.attaching[key] = frozenset()  # where it calls itself
            inner.load()
            self.attaching[key] = frozenset(start_of(part) for part in inner.attached)
        return self.attaching[key]

    def _is_own(self, name: str, depth: int = 0) -> bool:
        """Whether a variable is the code's own, and every value of it was made there, or loaded in the block."""
        scope = self.module.names.scopes.of[self.code]
        bindings = scope.bindings.get(name, ()) if name not in scope.elsewhere else ()
        return bool(bindings) and all(self._is_made(binding, depth) for binding in bindings)

    def _is_made(self, binding: Binding, depth: int) -> bool:
        if binding.kind is BindingKind.VALUE:
            return self._makes(binding.node, depth)
        place = binding.node
        if isinstance(self.module.parents.get(place), ast.AugAssign):
            return True  # what it adds to counts
        return binding.kind is BindingKind.OPAQUE and any(
            self._makes(value, depth) for target, value in self.bindings if place in (target, *places_of(target))
        )

    def _makes(self, value: ast.AST, depth: int) -> bool:
        """Whether the value of an expression is new, or loaded in the block: nobody outside has it."""
        if isinstance(value, (ast.Await, ast.NamedExpr, ast.Starred)):
            return self._makes(value.value, depth)
        if isinstance(value, ast.IfExp):
            return self._makes(value.body, depth) and self._makes(value.orelse, depth)
        if isinstance(value, ast.BoolOp):
            return all(self._makes(part, depth) for part in value.values)
        if isinstance(value, ast.Name):
            return value.id in self.loaded or (depth < _DEEPEST and self._is_own(value.id, depth + 1))
        if isinstance(value, (ast.Attribute, ast.Subscript)) or (
            isinstance(value, ast.Call) and self._starts_here(value)
        ):
            start = start_of(value)
            return start in self.sessions | self.loaded or (depth < _DEEPEST and self._is_own(start, depth + 1))
        if isinstance(value, ast.Call):
            return value in self.module.calls and self._gives_new(self.module.calls.callee(value), depth)
        return isinstance(value, _LITERALS)

    def _gives_new(self, callee: Callee, depth: int) -> bool:
        """Whether what a call gives was made by it."""
        if callee.function is not None and is_plain(callee.function) and depth < _DEEPEST:
            home, function = self.module.at(callee), callee.function
            inner = _Block(home, function, function.body, set(), set(), depth=_DEEPEST)
            given = [n.value for n in own_of(function, ast.Return) if n.value is not None]
            return bool(given) and all(inner._makes(value, depth + 1) for value in given)
        made = bool(callee.names) and all(name.startswith(_CONTAINERS) for name in callee.names)
        return made or (callee.function is None and callee.constructor)

    @cached_property
    def bindings(self) -> list[tuple[ast.AST, ast.AST]]:
        """What is assigned in the block, each target with its value."""
        return list(self._bound())

    def _bound(self) -> Iterator[tuple[ast.AST, ast.AST]]:
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                yield from ((target, node.value) for target in node.targets)
            elif isinstance(node, (ast.AnnAssign, ast.AugAssign, ast.NamedExpr)) and node.value is not None:
                yield node.target, node.value
            elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
                yield node.target, each_of(node.iter)
            elif isinstance(node, ast.withitem) and node.optional_vars is not None:
                yield node.optional_vars, node.context_expr
            elif isinstance(node, ast.Match):
                yield from ((captured, node.subject) for case in node.cases for captured in captures(case))
            elif isinstance(node, ast.Call):
                yield from self._applied(node)

    def _applied(self, call: ast.Call) -> Iterator[tuple[ast.AST, ast.AST]]:
        """The parameters of a lambda beside what it may be called with: ``map(lambda user: user.id, users)``."""
        values = [*call.args, *(k.value for k in call.keywords)]
        for applied in values:
            if isinstance(applied, ast.Lambda):
                names = [ast.Name(arg.arg, ast.Store()) for arg in applied.args.args]
                given = [value for value in values if value is not applied]
                yield from ((ast.Tuple([name], ast.Store()), value) for value in given for name in names)

    def holds(self, value: ast.AST) -> bool:
        """Whether an expression may be, or hold, what was loaded."""
        names = names_under(value)
        if names.isdisjoint(self.loaded) and names.isdisjoint(self.sessions):
            return False
        if is_made_plain(value) or self._is_free(value) or self._gives_back_nothing(value):
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
        if isinstance(value, ast.Attribute) and self._is_column(value):
            return False
        if isinstance(value, ast.Name):
            return value.id in self.sessions or value.id in self.loaded
        return any(self.holds(child) for child in ast.iter_child_nodes(value))

    def _is_free(self, value: ast.AST) -> bool:
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
        if not isinstance(call, ast.Call) or self.depth == _DEEPEST:
            return False
        if not any(map(self._mentions, (call.func, *call.args, *(k.value for k in call.keywords)))):
            return False
        found = self._method(call) or self._function(call)
        if found is None or isinstance(found[1], ast.AsyncFunctionDef) is not isinstance(value, ast.Await):
            return False
        home, function, passed, own = found
        inner = self._inside(home, function, passed, made=own is not None) if is_plain(function) else None
        if inner is None:
            return False
        if own is not None:
            inner = replace(inner, given={**inner.given, function.args.args[0].arg: own})
        key = function, frozenset(inner.sessions), frozenset(inner.loaded)
        if key not in self.returning:
            self.returning[key] = False  # where it calls itself
            inner.load()
            returned = (n.value for n in own_of(function, ast.Return) if n.value is not None)
            self.returning[key] = not any(map(inner.holds, returned))
        return self.returning[key]

    def _mentions(self, value: ast.AST, but: Collection[str] = ()) -> bool:
        """Whether an expression names the session, or what was loaded.

        :param but: names that are others' there.
        """
        return not (names_under(value) & (self.sessions | self.loaded)).issubset(but)

    def _function(self, call: ast.Call) -> tuple[Module, FunctionNode, Mapping[str, ast.expr | None], None] | None:
        """The function of the project that a call calls, with what it gets; no method of something that is loaded."""
        callee = self.module.calls.callee(call) if call in self.module.calls else None
        if callee is None or callee.function is None or self._starts_here(call):
            return None
        return self.module.at(callee), callee.function, bind(call, callee.function, bound=callee.bound), None

    def _method(self, call: ast.Call) -> tuple[Module, FunctionNode, Mapping[str, ast.expr | None], Loaded] | None:
        """The same of a method of a loaded object, ``user.to_dict()``, which no class below has another one of."""
        if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Name):
            return None
        entities = self._entities.get(call.func.value.id, [])
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
        given = [value for target, value in self.bindings if path(target) == column]
        return (
            attribute in ("name", "key")
            and bool(given)
            and all(any(isinstance(n, ast.Attribute) and n.attr == "__table__" for n in ast.walk(v)) for v in given)
        )

    def _is_column(self, value: ast.Attribute) -> bool:
        """Whether it is the plain value of a column of an object whose class is known."""
        if isinstance(value.value, ast.Name):
            entities = self._entities.get(value.value.id, [])
        elif isinstance(value.value, ast.Call):  # ``session.get(User, 1).name``
            entities = [self._entity(value.value, self.module.names.scopes.of[self.code])]
        else:
            return False
        return bool(entities) and all(found is not None and is_column(found, value.attr) for found in entities)

    @cached_property
    def _entities(self) -> dict[str, list[Loaded | None]]:
        """What each variable of the block was given: an object of a class, or something unknown."""
        scope = self.module.names.scopes.of[self.code]
        found: dict[str, list[Loaded | None]] = {name: [known] for name, known in self.given.items()}
        for target, value in self.bindings:
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

    @property
    def changes(self) -> bool:
        """Whether objects that were loaded may be changed: a field assigned, a collection asked, one given away."""
        stored = any(
            start_of(p) in self.loaded for t, _ in self.bindings for p in places_of(t) if not isinstance(p, ast.Name)
        )
        calls = [n for n in self.calls if not makes_plain(n)]
        asked = any(isinstance(n.func, ast.Attribute) and start_of(n) in self.loaded for n in calls)
        given = [
            a for n in calls if start_of(n) not in self.sessions for a in (*n.args, *(k.value for k in n.keywords))
        ]
        return stored or asked or any(map(self.holds, given))

    def escapes(self, *, returning: bool = True, of_others: bool = True) -> Iterator[str]:
        """Why what was loaded may get out, in words.

        :param returning: whether it may get out by being returned.
        :param of_others: whether objects count that somebody else has given to the session.
        """
        for node in self.nodes:
            if isinstance(node, ast.Return) and returning and node.value is not None and self.holds(node.value):
                yield f"line {node.lineno} returns what may be objects of the session, which it would detach"
            elif isinstance(node, ast.Raise) and node.exc is not None and self.holds(node.exc):
                yield f"line {node.lineno} raises what may hold objects of the session"
            elif (
                isinstance(node, ast.Call)
                and not self._starts_here(node)
                and not (makes_plain(node) or self._is_free(node))
            ):
                yield from self._given(node)
        for function, names in self.functions.items():
            if function.decorator_list and names & (self.loaded | self.sessions):
                yield f"line {function.lineno} gives what may be objects of the session to others"
        yield from self._stored()
        yield from self._of_others() if of_others else ()

    def _stored(self) -> Iterator[str]:
        """Where a variable, a field or an item that outlives the block gets what was loaded."""
        added = {id(node.target) for node in self.nodes if isinstance(node, ast.AugAssign)}
        elsewhere = self.module.names.scopes.of[self.code].elsewhere
        for target, value in self.bindings:
            for place in places_of(target):
                kept = (
                    place.id in elsewhere or (id(place) in added and not self._is_own(place.id))
                    if isinstance(place, ast.Name)
                    else start_of(place) not in self.loaded | self.sessions
                )
                if kept and self.holds(value):
                    yield f"line {place.lineno} keeps what may be objects of the session"

    def _of_others(self) -> Iterator[str]:
        """Where the session is given objects that were there before it."""
        function = isinstance(self.code, (ast.FunctionDef, ast.AsyncFunctionDef)) and self.depth
        passed = {arg.arg for arg in parameters(self.code)} if function else set()  # type: ignore[arg-type]
        for part in self.attached:
            if start_of(part) not in passed and not self._makes(part, 0):
                yield f"line {part.lineno} gives the session {ast.unparse(part)!r}, which others may have"

    def _starts_here(self, call: ast.Call) -> bool:
        """Whether it is a method of the session, or of what was loaded, which stays in the block by itself."""
        return start_of(call) in self.sessions | self.loaded

    def _given(self, call: ast.Call) -> Iterator[str]:
        """What a call gets of the session, where it may keep it."""
        given = [a for a in (*call.args, *(k.value for k in call.keywords)) if self.holds(a)]
        if not given:
            return
        callee = self.module.calls.callee(call) if call in self.module.calls else None
        unknown = callee is None or (callee.function is None and callee.owner is None)
        if unknown and not self.strict and all(isinstance(a, ast.Name) and a.id in self.sessions for a in given):
            return
        if callee is not None and _keeps_nothing(callee):
            yield from self._called_back(call, given[0])
            return
        if callee is not None and self._followed(call, callee):
            return
        yield f"line {call.lineno} gives what may be objects of the session to others"

    def _called_back(self, call: ast.Call, given: ast.expr) -> Iterator[str]:
        """What a function gets that is called with objects of the session: ``map(found.append, users)``."""
        called = call.args if word_of(call) in _CALLING else []
        for function in (*called, *(k.value for k in call.keywords if k.arg in ("key", "default"))):
            if not isinstance(function, (ast.Name, ast.Attribute, ast.Call)) or self.holds(function):
                continue
            made = ast.copy_location(ast.Call(function, [given], []), call)
            self.module.calls.stands_in(made, call)
            if not self._starts_here(made) and not makes_plain(made):
                yield from self._given(made)

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

    def _known(self, value: ast.expr) -> Loaded | None:
        """Of which class the objects are that an argument gives."""
        found = self._entities.get(value.id, []) if isinstance(value, ast.Name) else []
        if found:
            same = {path(one.entity) for one in found if one is not None}
            return found[0] if all(found) and len(same) == 1 else None
        return self._entity(value, self.module.names.scopes.of[self.code])


def _keeps_nothing(callee: Callee) -> bool:
    plain = callee.meaning is None or not callee.meaning.runs
    return plain and bool(callee.names) and all(_is_known(name) for name in callee.names)


def _is_known(name: str) -> bool:
    return name.startswith(_KEEPING_NOTHING) and name not in _KEEPING
