"""Sessions that a code commits, or rolls back, and closes by hand: which objects that leaves expired and alone.

Where a ``with`` does it, all its objects share one fate. Here each way counts by itself: a close leaves expired what
was there at the commit, if nothing was asked of the session or the object in between. A rollback most often belongs to
one outcome of a test, of which the object may be another: it counts for a read that is reached in no other way.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.calling import own_effect
from session_lint.analysis.expired import Held, expressions
from session_lint.analysis.fetching import detaches, fetched, given_to
from session_lint.analysis.holding import arguments, root
from session_lint.analysis.loading import loaded, new, received
from session_lint.analysis.makers import autocommits, makers, says
from session_lint.analysis.reach import after
from session_lint.analysis.state import NOTHING, SiteKind, State
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import assigned_at, assigned_in, is_none, own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.python.returning import added_parameters
from session_lint.python.scopes import BindingKind
from session_lint.signs import ATTACHING
from session_lint.values import dataclass, field
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site
    from session_lint.flow import Code, Point

_OPTION = "expire_on_commit"


@dataclass(eq=False)
class ByHand:
    """What a code does by hand with a session that it opened.

    :param what: the mark of a session whose objects are expired.
    :param openings: what may have opened it.
    :param calls: the calls of its methods, and of those of its queries.
    :param given: the calls of functions that get it.
    :param variables: what it is called there.
    :param expiring: where it is committed, or rolled back.
    :param closes: where it is closed with nothing done since then.
    """

    solved: Solved
    site: Site
    what: str
    openings: list[ast.AST]
    calls: set[ast.AST] = field(default_factory=set)
    given: set[ast.AST] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    expiring: list[Point] = field(default_factory=list)
    closes: list[Point] = field(default_factory=list)
    doubtful: bool = False

    @property
    def undone(self) -> bool:
        """Whether it is a rollback that expires the objects."""
        return self.what == _UNDONE

    def added(self, _module: Module) -> dict[str, ast.Call]:
        """The variables that the session gets, each with the call by which it does; a rollback lets go of them."""
        calls = [c for c in self.calls if isinstance(c, ast.Call) and _named(c, ATTACHING)]
        return {} if self.undone else {path(argument): call for call in calls for argument in given_to(call)}

    def saves(self, module: Module, name: str) -> bool:
        """Whether an object that the session gets is expired, and alone, however the code ends."""
        ends = [f for f in self.solved.exits if f.site is self.site and f.flying is None]
        done = bool(ends) and all(self.expired(f) and f.state is State.CLOSED for f in ends)
        return done and not detaches(module.calls_in(self.solved.code)) and not _looked_at(self, name)

    def ends_with(self) -> tuple[tuple[ast.AST, str], ...]:
        """What expires the objects and closes the session, for the trace."""
        last = max((p.node for p in self.expiring), key=_line)
        closing = [p.node for p in self.closes]
        close = min((n for n in closing if _line(n) > _line(last)), key=_line, default=closing[0])
        return (last, f"the {_ENDING[self.what]} expires it"), (close, "the session is closed here")

    def expired(self, fact: Fact) -> bool:
        """Whether a fact is one of the session whose objects are expired, and no exception is handled."""
        return fact.site is self.site and not fact.caught and fact.flying is None and bool(fact.marked(self.what))

    def read_there(self, module: Module) -> Callable[[Point, ast.AST], bool]:
        """What tells whether a place in a statement is reached with the session's objects expired, and it closed."""
        visits = [(p, f) for p, f in self.solved.visits(PointKind.STATEMENT, PointKind.PHI) if f.site is self.site]
        reached = {point for point, fact in visits if self.expired(fact) and fact.state is State.CLOSED}
        if self.undone:
            reached -= {point for point, fact in visits if not self.expired(fact)}
        arms = {point.value for point in reached if point.kind is PointKind.PHI}

        def reads(point: Point, node: ast.AST) -> bool:
            above = module.parents.get(node)
            while above is not None and not isinstance(above, ast.stmt):
                if isinstance(above, ast.IfExp) and node is not above.test and node not in arms:
                    return False
                node, above = above, module.parents.get(above)
            return point in reached

        return reads

    def returned(self, _module: Module, variables: list[Held]) -> Held | None:
        """The object that a code returns, where it is always expired by then, and its session closed at the end."""
        if any(f.site is self.site and f.flying is None and f.state is not State.CLOSED for f in self.solved.exits):
            return None
        for held in variables:
            arriving = [
                self.expired(fact) and fact.state in (State.IDLE, State.CLOSED)
                for point, fact in self.solved.visits(PointKind.RETURN)
                if fact.site is self.site and isinstance(point.value, ast.Name) and point.value.id == held.name
            ]
            if arriving and all(arriving):
                return held
        return None


def by_hand(facts: ModuleFacts, codes: Iterable[Code]) -> list[tuple[ByHand, list[Held]]]:
    """Every session of some codes that is ended and closed by hand, with the variables that hold its objects."""
    module = facts.module
    assert module is not None
    ended = [one for one in _ended(facts, module, codes) if one.expiring and one.closes and not one.doubtful]
    sure = (one for one in ended if all(_expires(module, one, opening) for opening in one.openings))
    return [(one, list(_variables(module, one))) for one in sure]


def _ended(facts: ModuleFacts, module: Module, codes: Iterable[Code]) -> Iterator[ByHand]:
    for solved in facts.solved_in(codes):
        methods = {c.func.attr for c in module.calls_in(solved.code) if isinstance(c.func, ast.Attribute)}
        if not methods.isdisjoint(_CALLED) and _leaves_something(solved.code):
            yield from _sessions(solved)
    for solved, openings in _with_fields(module, codes):
        one = ByHand(solved, solved.problem.start.site, "committed", openings)  # type: ignore[arg-type]  # it has one
        for point, fact in solved.visits(PointKind.CALL):
            if fact.site is one.site and isinstance(point.node, ast.Call):
                _see(one, point, point.node, fact)
        yield one


def _with_fields(module: Module, codes: Iterable[Code]) -> Iterator[tuple[Solved, list[ast.AST]]]:
    """How methods leave the session in a field that they commit and close, each with what their class opens it by."""
    for code in codes:
        scope = module.names.scopes.of[code]
        if scope.parent is None or not scope.parent.is_class or not isinstance(code, _FUNCTIONS) or not code.args.args:
            continue
        for name in _ended_fields(module, code, code.args.args[0].arg) if _leaves_something(code) else ():
            bindings = scope.parent.attributes.get(name.partition(".")[2], ())
            openings = [b.node for b in bindings if b.node in module.calls and _is_factory(module, b.node)]
            if not openings or len(openings) < len(bindings):
                continue
            site = module.site(SiteKind.PARAMETER, code.args, code, key=f"field {name}")
            start = NOTHING._replace(site=site, names=frozenset({name}), guards=guards.present(name))
            try:
                yield module.solve(code, start), openings
            except SolverLimit:
                continue  # nothing is known of it


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _ended_fields(module: Module, code: ast.AST, own: str) -> list[str]:
    """The fields of a method's object on which it calls both ``commit`` and ``close``."""
    done: dict[str, set[str]] = {}
    for call in module.calls_in(code):
        field, _, method = path(call.func).rpartition(".")
        if field.startswith(f"{own}.") and field.count(".") == 1:
            done.setdefault(field, set()).add(method)
    return [field for field, methods in done.items() if methods >= {"commit", "close"}]


def _is_factory(module: Module, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and module.calls.callee(node).role is Role.FACTORY


_UNDONE = "undone"
_ENDING = {"committed": "commit", _UNDONE: "rollback"}
"""The marks of sessions whose objects are expired, each with what is called to make them so."""
_CALLED = {*_ENDING.values(), "close"}
"""What a code calls that ends sessions by hand; it may leave the commit to a function, and then closes."""


@remembered
def _keeps_something(code: ast.AST) -> bool:
    """Whether a code binds a list, or what a call gives, and reads a field of it, goes over it or returns it."""
    nodes = own_nodes(code)
    methods = {n.func for n in nodes if isinstance(n, ast.Call)}
    used = {
        n.iter if isinstance(n, (ast.For, ast.comprehension)) else n.value
        for n in nodes
        if isinstance(n, (ast.Attribute, ast.Subscript, ast.Return, ast.For, ast.comprehension)) and n not in methods
    }
    names = {n.id for n in used if isinstance(n, ast.Name)}
    kept = (one for one in map(assigned_at, nodes) if one is not None and isinstance(one.value, _GIVING))
    return any(isinstance(target, ast.Name) and target.id in names for n in kept for target in n.targets)


@remembered
def _leaves_something(code: ast.AST) -> bool:
    """Whether a code keeps something of a session, or adds to one what its caller has."""
    return _keeps_something(code) or any(added_parameters(code, ATTACHING))


_GIVING = (ast.Call, ast.Await, ast.ListComp, ast.List)


def _sessions(solved: Solved) -> list[ByHand]:
    found: dict[tuple[Site, str], ByHand] = {}
    for point, fact in solved.visits(PointKind.CALL):
        if fact.site is None or fact.site.kind is not SiteKind.OWNED or not isinstance(point.node, ast.Call):
            continue
        for what in _ENDING:
            fresh = ByHand(solved, fact.site, what, [fact.site.origin.node])
            _see(found.setdefault((fact.site, what), fresh), point, point.node, fact)
    return list(found.values())


def _see(one: ByHand, point: Point, call: ast.Call, fact: Fact) -> None:
    """Put down what a call does to a session, on a way that leads there."""
    calling = one.solved.problem.calling
    own, given = own_effect(calling.module, call, fact), False
    if own is not None:
        one.calls.add(call)
        one.variables.add(path(root(call, fact)[0]))
        one.doubtful |= not one.undone and own[0].effect == "rollback" and one.expired(fact)
        one.doubtful |= any(isinstance(n, tuple) and n[0] == "with" for n in fact.names)
    elif given := not fact.names.isdisjoint(map(path, arguments(call))):
        one.given.add(call)
    if fact.caught:
        return
    if own is not None and own[0].effect == _ENDING[one.what]:
        one.expiring.append(point)
    elif one.expired(fact) and fact.state is State.IDLE:
        done = calling.outcomes(call, fact)[0]
        if done and all(f.state is State.CLOSED for f in done):
            one.closes.append(point)
    elif given and any(one.expired(f) and f.state is State.IDLE for f in calling.outcomes(call, fact)[0]):
        one.expiring.append(point)  # a function that gets it ends its transaction, on some way


def _variables(module: Module, one: ByHand) -> Iterator[Held]:
    code = one.solved.code
    scope = module.names.scopes.of[code]
    if detaches(module.calls_in(code)):
        return
    added = one.added(module)
    for node in own_nodes(code):
        given = assigned_at(node)
        if given is None or len(given.targets) != 1 or not isinstance(given.targets[0], ast.Name):
            continue
        name, value = given.targets[0].id, given.value
        held = _held(module, one, name, value, added)
        if held is not None and _holds_alike(module, one, held, value, added) and not _looked_at(one, name):
            yield held
    stored = {path(t) for one in assigned_in(code) for t in one.targets}
    for name, adding in added.items():
        got = received(module, scope.bindings.get(name, ())) if name not in stored else None
        if got is not None and not _looked_at(one, name):
            yield Held(name, got, adding, one.ends_with())


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _named(call: ast.Call, names: tuple[str, ...]) -> bool:
    return path(call.func).rpartition(".")[2] in names


def _held(module: Module, one: ByHand, name: str, value: ast.expr, added: dict[str, ast.Call]) -> Held | None:
    """What a variable gets by an assignment that the session gives, or is given afterwards."""
    scope = module.names.scopes.of[one.solved.code]
    call = value.value if isinstance(value, ast.Await) else value
    fresh = new(module, value, scope, added[name]) if name in added else None
    if fresh is not None:
        return Held(name, fresh, added[name], one.ends_with(), None, one.undone)
    what = loaded(module, call, scope, one.variables) if call in one.calls else None
    if what is not None:
        return Held(name, what, value, one.ends_with(), None, one.undone)
    found = fetched(module, value, one.variables) if call in one.given else None
    if found is None or (one.undone and found.new):
        return None
    return Held(name, found.what, value, one.ends_with(), found.node, one.undone)


def _holds_alike(module: Module, one: ByHand, held: Held, value: ast.expr, added: dict[str, ast.Call]) -> bool:
    """Whether a variable of the code never holds anything else but what is as expired, or ``None``."""
    bindings = module.names.scopes.of[one.solved.code].bindings.get(held.name, ())
    others = [b.node for b in bindings if b.node is not value]
    if len(others) == len(bindings) or any(b.kind is not BindingKind.VALUE for b in bindings):
        return False
    alike = (isinstance(n, ast.expr) and _held(module, one, held.name, n, added) for n in others if not is_none(n))
    return all(found and found.what.many is held.what.many for found in alike)


def _looked_at(one: ByHand, name: str) -> bool:
    """Whether an object is asked for something, or handed to somebody, after it expires and before the close."""
    ending = {*one.closes, *one.expiring}
    for point in after(one.solved.graph, one.expiring, ending.__contains__):
        statement = point.node
        if point.kind is not PointKind.STATEMENT or (isinstance(statement, ast.Return) and path_of(statement) == name):
            continue
        if any(
            isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in expressions(statement)
        ):
            return True
    return False


def path_of(statement: ast.Return) -> str:
    """The variable that is returned, and nothing of it."""
    return path(statement.value) if statement.value is not None else ""


def _expires(module: Module, one: ByHand, opening: ast.AST) -> bool:
    """Whether all that decides about expiring is in sight, and leaves it as it is.

    A rollback expires whatever the session was told, but where there is no transaction.
    """
    made = _made(module, opening)
    if made is None or one.undone:
        return made is not None and not autocommits(*made[0])
    told = any(k.arg in (_OPTION, "class_", None) for _, call in made for k in call.keywords)
    return not told and not any(says(at, _OPTION) for at in (*(at for at, _ in made), module))


def _made(module: Module, opening: ast.AST) -> list[Made] | None:
    """The call that opened a session, and those that made its factory; ``None`` where not all are in sight."""
    if not isinstance(opening, ast.Call):
        return None
    home = module.program.module_of(opening, module) or module
    made_by = makers(home, opening.func, home.calls.scope(opening))
    factories = [(at, call) for at, call in made_by if at.calls.callee(call).role is Role.FACTORY_MAKER]
    callee = home.calls.callee(opening)
    plain = not made_by and callee.owner is None and bool(callee.names) and not any("(" in n for n in callee.names)
    if not plain and (not factories or len(factories) != len(made_by)):
        return None
    return [(home, opening), *factories]
