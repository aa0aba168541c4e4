"""Sessions that a code commits and closes by hand: which objects that leaves expired, and without a session.

Where a ``with`` does it, all its objects share one fate. Here each way counts by itself: a close leaves expired what
was there at the commit, if nothing was asked of the session or the object in between.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.calling import own_effect
from session_lint.analysis.expired import Held, expressions
from session_lint.analysis.fetching import DETACHING
from session_lint.analysis.holding import root
from session_lint.analysis.loading import Loaded, loaded, made
from session_lint.analysis.makers import makers
from session_lint.analysis.reach import after
from session_lint.analysis.state import SiteKind, State
from session_lint.flow import PointKind
from session_lint.python.names import own_nodes, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass, field
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact, Site
    from session_lint.flow import Point

_OPTION = "expire_on_commit"


@dataclass(eq=False)
class ByHand:
    """What a code does by hand with a session that it opened.

    :param calls: the calls of its methods, and of those of its queries.
    :param variables: what it is called there.
    :param commits: where it is committed.
    :param closes: where it is closed with nothing done since the commit.
    """

    solved: Solved
    site: Site
    calls: set[ast.AST] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    commits: list[Point] = field(default_factory=list)
    closes: list[Point] = field(default_factory=list)
    doubtful: bool = False

    def expired(self, fact: Fact) -> bool:
        """Whether a fact is one of the session where it has been committed, and no exception is handled."""
        return fact.site is self.site and not fact.caught and fact.flying is None and bool(fact.marked("committed"))

    def read_there(self, module: Module) -> Callable[[Point, ast.AST], bool]:
        """What tells whether some way reaches a place in a statement on which the session was committed and closed."""
        visits = self.solved.visits(PointKind.STATEMENT, PointKind.PHI)
        reached = {point for point, fact in visits if self.expired(fact) and fact.state is State.CLOSED}
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
        """The object that a code returns, where its session is always committed by then, and closed at the end."""
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


def by_hand(facts: ModuleFacts) -> Iterator[tuple[ByHand, list[Held]]]:
    """Every session of a module that is committed and closed by hand, with the variables that hold its objects."""
    module = facts.module
    if module is None:
        return
    for solved in facts.solved:
        methods = {c.func.attr for c in module.calls_in(solved.code) if isinstance(c.func, ast.Attribute)}
        if "commit" in methods and _keeps_something(solved.code):
            for one in _sessions(solved):
                held = list(_variables(module, one)) if one.closes and not one.doubtful else []
                if held and _surely_expires(module, one.site):
                    yield one, held


@remembered
def _keeps_something(code: ast.AST) -> bool:
    """Whether a code binds what a call gives to a variable, and reads a field of it, goes over it or returns it."""
    nodes = own_nodes(code)
    methods = {n.func for n in nodes if isinstance(n, ast.Call)}
    used = {
        n.iter if isinstance(n, (ast.For, ast.comprehension)) else n.value
        for n in nodes
        if isinstance(n, (ast.Attribute, ast.Subscript, ast.Return, ast.For, ast.comprehension)) and n not in methods
    }
    names = {n.id for n in used if isinstance(n, ast.Name)}
    kept = (n for n in nodes if isinstance(n, ast.Assign) and isinstance(n.value, (ast.Call, ast.Await)))
    return any(isinstance(target, ast.Name) and target.id in names for n in kept for target in n.targets)


def _sessions(solved: Solved) -> list[ByHand]:
    found: dict[Site, ByHand] = {}
    calling = solved.problem.calling
    for point, fact in solved.visits(PointKind.CALL):
        call = point.node
        if fact.site is None or fact.site.kind is not SiteKind.OWNED or not isinstance(call, ast.Call):
            continue
        one = found.setdefault(fact.site, ByHand(solved, fact.site))
        own = own_effect(calling.module, call, fact)
        if own is not None:
            one.calls.add(call)
            one.variables.add(path(root(call, fact)[0]))
            one.doubtful |= own[0].effect == "rollback" and one.expired(fact)
            one.doubtful |= any(isinstance(n, tuple) and n[0] == "with" for n in fact.names)
        if fact.caught:
            continue
        if own is not None and own[0].effect == "commit":
            one.commits.append(point)
        elif one.expired(fact) and fact.state is State.IDLE:
            done = calling.outcomes(call, fact)[0]
            if done and all(f.state is State.CLOSED for f in done):
                one.closes.append(point)
    return list(found.values())


def _variables(module: Module, one: ByHand) -> Iterator[Held]:
    code = one.solved.code
    scope = module.names.scopes.of[code]
    if any(_named(call, DETACHING) for call in module.calls_in(code)):
        return
    adding = [c for c in one.calls if isinstance(c, ast.Call) and _named(c, ("add", "add_all"))]
    added = {path(argument): call for call in adding for argument in _arguments(call)}
    for node in own_nodes(code):
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        what = loaded(module, call, scope, one.variables) if call in one.calls else None
        where: ast.AST = node.value
        entity = made(module, node.value, scope) if name in added else None
        if entity is not None:
            what, where = Loaded(module, entity, scope, many=False), added[name]
        if what is not None and _bound_once(module, one, name, node.value) and not _looked_at(one, name):
            yield Held(name, what, where, _ends(one))


def _ends(one: ByHand) -> tuple[tuple[ast.AST, str], ...]:
    commit = max((p.node for p in one.commits), key=_line)
    closing = [p.node for p in one.closes]
    close = min((n for n in closing if _line(n) > _line(commit)), key=_line, default=closing[0])
    return (commit, "the commit expires it"), (close, "the session is closed here")


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _named(call: ast.Call, names: tuple[str, ...]) -> bool:
    return path(call.func).rpartition(".")[2] in names


def _arguments(call: ast.Call) -> list[ast.expr]:
    first = call.args[0] if call.args else None
    return first.elts if isinstance(first, (ast.List, ast.Tuple)) else call.args


def _bound_once(module: Module, one: ByHand, name: str, value: ast.expr) -> bool:
    """Whether a variable of the code never holds anything else but, perhaps, ``None``."""
    scope = module.names.scopes.of[one.solved.code]
    bindings = scope.bindings.get(name, ())
    others = [b.node for b in bindings if b.node is not value]
    plain = all(isinstance(n, ast.Constant) and n.value is None for n in others)
    return plain and len(others) < len(bindings) and all(b.kind is BindingKind.VALUE for b in bindings)


def _looked_at(one: ByHand, name: str) -> bool:
    """Whether an object is asked for something, or handed to somebody, between a commit and the close after it."""
    ending = {*one.closes, *one.commits}
    for point in after(one.solved.graph, one.commits, ending.__contains__):
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


def _surely_expires(module: Module, site: Site) -> bool:
    """Whether all that decides about expiring is in sight, and leaves it as it is."""
    opening = site.origin.node
    if not isinstance(opening, ast.Call):
        return False
    home = module.program.module_of(opening, module) or module
    made_by = makers(home, opening.func, home.calls.scope(opening))
    factories = [(at, call) for at, call in made_by if at.calls.callee(call).role is Role.FACTORY_MAKER]
    callee = home.calls.callee(opening)
    plain = not made_by and callee.owner is None and bool(callee.names) and not any("(" in n for n in callee.names)
    if not plain and (not factories or len(factories) != len(made_by)):
        return False
    calls = [(home, opening), *factories]
    told = any(k.arg in (_OPTION, "class_", None) for _, call in calls for k in call.keywords)
    return not told and not any(_OPTION in at.source.text for at, _ in (*calls, (module, opening)))
