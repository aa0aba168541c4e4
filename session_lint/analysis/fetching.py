"""What functions of the project load through a session that they are given, and return to who gave it.

``user = get_user(session, 1)`` is as good as ``user = session.get(User, 1)`` where every ``return`` of the function
gives objects of one mapped class, out of a query on that very session. So is ``Users(session).get(1)``, where the
object has put the session into a field.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import closes
from session_lint.analysis.loading import Loaded, for_call, loaded, made
from session_lint.analysis.objects import part_of
from session_lint.python.nodes import assigned_in, is_none, own_nodes, own_of, path
from session_lint.python.passing_on import is_undecorated, runs_as_written
from session_lint.python.scopes import BindingKind
from session_lint.python.words import word
from session_lint.signs import ATTACHING
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

DETACHING = ("expunge", "expunge_all", "make_transient", "make_transient_to_detached")


def detaches(calls: Iterable[ast.Call]) -> bool:
    """Whether some of these calls takes objects out of a session."""
    return any(word(call.func) in DETACHING for call in calls)


def given_to(call: ast.Call) -> list[ast.expr]:
    """What a session gets by an ``add()`` or ``add_all()``: the elements of a list that is written there."""
    first = call.args[0] if call.args else None
    return first.elts if isinstance(first, (ast.List, ast.Tuple)) else call.args


_DEEPEST = 4
"""How many calls are followed, each of which returns what the next one loads."""


@dataclass(frozen=True, eq=False)
class Fetched:
    """What a call gives out of the session that it gets.

    :param node: where that is loaded, or made, in the function that is called.
    :param new: whether it is an object that was made there, and added.
    :param refreshed: whether the last thing done to it was to load its columns anew.
    """

    what: Loaded
    node: ast.AST
    new: bool = False
    refreshed: bool = False


def is_plain(home: Module, function: FunctionNode) -> bool:
    """Whether calling a function runs its body, and gives what that returns."""
    return not own_of(function, ast.Yield, ast.YieldFrom) and runs_as_written(home.names, function)


def is_bare(function: FunctionNode) -> bool:
    """Whether nothing but its body sees what a function is called with, and what it returns."""
    return not own_of(function, ast.Yield, ast.YieldFrom) and is_undecorated(function)


def fetched(module: Module, value: ast.AST, sessions: Collection[str], depth: int = 0) -> Fetched | None:
    """What a call of a function loads through one of some session variables; ``None`` where that is not sure."""
    call = value.value if isinstance(value, ast.Await) else value
    if not isinstance(call, ast.Call) or call not in module.calls or depth > _DEEPEST:
        return None
    callee = module.calls.callee(call)
    function = callee.function
    if function is None or not is_plain(module.at(callee), function):
        return None
    if isinstance(function, ast.AsyncFunctionDef) is not isinstance(value, ast.Await):
        return None
    given = {*_passed(call, function, sessions, bound=callee.bound), *_kept(module, call, callee, sessions)}
    found = _Body(module.at(callee), function, given, depth).gives() if given else None
    return (
        None if found is None else replace(found, what=for_call(module, call, function, found.what, bound=callee.bound))
    )


def fetched_by(module: Module, function: FunctionNode, sessions: Collection[str]) -> Fetched | None:
    """What a function returns of what it loads through some of its parameters, or adds there."""
    return _Body(module, function, sessions, 0).gives()


def _passed(call: ast.Call, function: FunctionNode, sessions: Collection[str], *, bound: bool) -> Iterator[str]:
    """The parameters of a function that get one of the sessions."""
    for name, argument in bind(call, function, bound=bound).items():
        if argument is not None and path(argument) in sessions:
            yield name


def _kept(module: Module, call: ast.Call, callee: Callee, sessions: Collection[str]) -> Iterator[str]:
    """The fields in which the object whose method is called has one of the sessions, as the method calls them."""
    receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
    method = callee.function
    if method is None or receiver is None or not callee.bound or not method.args.args:
        return
    making, there = _made_by(module, receiver, module.calls.scope(call)), module
    part = part_of(module, receiver, module.calls.scope(call)) if making is None else None
    if part is not None:
        holder = f"{path(receiver).rpartition('.')[0]}."
        sessions = {f"{part.own}.{name.removeprefix(holder)}" for name in sessions if name.startswith(holder)}
        making, there = part.made, part.home
    init = there.initialiser(there.calls.callee(making)) if making is not None else None
    if making is None or init is None:
        return
    home, function = init
    owner = home.names.scopes.of[function].parent
    given = {*_passed(making, function, sessions, bound=True)}
    for one in assigned_in(function):
        if path(one.value) not in given:
            continue
        for own, _, field in (path(target).partition(".") for target in one.targets):
            once = owner is not None and len(owner.attributes.get(field, ())) == 1
            if once and own == function.args.args[0].arg:
                yield f"{method.args.args[0].arg}.{field}"


def _made_by(module: Module, node: ast.expr, scope: Scope) -> ast.Call | None:
    """The one call that makes an object."""
    if isinstance(node, ast.Name):
        bindings = scope.bindings.get(node.id, ())
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.VALUE:
            return None
        node = bindings[0].node  # type: ignore[assignment]  # a value is an expression
    return node if isinstance(node, ast.Call) and node in module.calls else None


class _Body:
    """The body of a function, as far as it loads through sessions that it is given.

    :param sessions: the variables and fields by which it knows them.
    :param depth: how many calls lie before it.
    """

    def __init__(self, module: Module, function: FunctionNode, sessions: Collection[str], depth: int) -> None:
        self.module = module
        self.scope = module.names.scopes.of[function]
        self.sessions = sessions
        self.depth = depth
        self.nodes = own_nodes(function)

    def gives(self) -> Fetched | None:
        """What every ``return`` gives: the objects of one class, or nothing at all."""
        if self._may_differ() or any(word in DETACHING or closes(word) for word, _ in self._methods()):
            return None  # what a session has let go of does not expire
        values = [n.value for n in self.nodes if isinstance(n, ast.Return) and n.value is not None]
        return _same([self._value(value) for value in values if not is_none(value)])

    def _may_differ(self) -> bool:
        """Whether a variable of a session may stand for another one: it is given a value here."""
        first = {name.partition(".")[0] for name in self.sessions}
        bindings = (b for name in first for b in self.scope.bindings.get(name, ()))
        return any(b.kind is not BindingKind.PARAMETER for b in bindings)

    def _methods(self) -> Iterator[tuple[str, ast.Call]]:
        """The methods that are called on the sessions."""
        for node in self.nodes:
            func = node.func if isinstance(node, ast.Call) else None
            if isinstance(func, ast.Attribute) and path(func.value) in self.sessions:
                yield func.attr, node  # type: ignore[misc]  # a call

    def _value(self, value: ast.expr) -> Fetched | None:
        if not isinstance(value, ast.Name):
            return self._loads(value)
        bindings = self.scope.bindings.get(value.id, ())
        if any(b.kind is not BindingKind.VALUE for b in bindings):
            return None
        values = [b.node for b in bindings if not is_none(b.node)]
        return _same([self._loads(one) or self._adds(value.id, one) for one in values])

    def _loads(self, value: ast.AST) -> Fetched | None:
        what = loaded(self.module, value, self.scope, self.sessions)
        return Fetched(what, value) if what is not None else fetched(self.module, value, self.sessions, self.depth + 1)

    def _adds(self, name: str, value: ast.AST) -> Fetched | None:
        """A new object that the session gets."""
        entity = made(self.module, value, self.scope)
        added = any(word in ATTACHING and name in map(path, call.args) for word, call in self._methods())
        what = Loaded(self.module, entity, self.scope, many=False) if entity and added else None
        if what is None:
            return None
        since = refreshed(self.nodes, name, self.sessions)
        later = [n for n in self.nodes if isinstance(n, ast.Name) and n.id == name and n.lineno > since]
        returned = {n.value for n in self.nodes if isinstance(n, ast.Return)}
        return Fetched(what, value, new=True, refreshed=bool(since) and returned.issuperset(later))


def refreshed(nodes: Iterable[ast.AST], name: str, sessions: Collection[str]) -> int:
    """The last line on which a session loads the columns of an object anew, which forgets what relationships had.

    It is 0 where none does, or names what else it loads.
    Source: https://docs.sqlalchemy.org/en/20/orm/session_api.html#sqlalchemy.orm.Session.refresh
    """
    calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    mine = [c for c in calls if c.func.attr == "refresh" and path(c.func.value) in sessions]  # type: ignore[attr-defined]
    return max((c.lineno for c in mine if [*map(path, c.args)] == [name] and not c.keywords), default=0)


def _same(found: list[Fetched | None]) -> Fetched | None:
    """The first of several, where all are of one class, and as many."""
    first = found[0] if found else None
    if first is None or any(one is None or _kind(one) != _kind(first) for one in found):
        return None
    return first


def _kind(one: Fetched) -> tuple[object, ...]:
    what = one.what
    return what.many, what.module.names.qualify(what.entity, what.scope) or path(what.entity)
