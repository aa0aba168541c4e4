"""What the module's own definitions mean, read off their bodies: scopes, singleton getters and their closers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from session_lint.analysis import guards
from session_lint.analysis.aliases import is_managed, managed, managed_by
from session_lint.analysis.arguments import conditions_met
from session_lint.analysis.calls import is_method
from session_lint.analysis.family import family
from session_lint.analysis.holding import Hold, closes, held
from session_lint.analysis.makers import makers
from session_lint.analysis.state import NOTHING, Fact, SiteKind, State
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import assigned_in, is_none, own_nodes, own_of, path
from session_lint.python.scopes import BindingKind, parameters
from session_lint.signs import keeps
from session_lint.values import replace
from session_lint.vocabulary import Meaning, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.python.names import Names
    from session_lint.python.scopes import FunctionNode, Scope

    Method = tuple[Module, FunctionNode]


def scope_meaning(module: Module, function: FunctionNode) -> Meaning | None:
    """What a generator under ``@contextmanager`` yields: a session that it closes, and perhaps commits.

    It commits if every normal way from the ``yield`` to the end commits what the consumer wrote.
    """
    found = module.lent(function)
    return None if found is None else Meaning(Role.SCOPE, commits=bool(found) and all(map(committed, found)))


def commits(module: Module, item: ast.withitem, meaning: Meaning) -> bool:
    """Whether the scope of a ``with`` commits at its end: as all of its kind do, or as it is told to by this call."""
    call = item.context_expr
    if meaning.commits or not isinstance(call, ast.Call):
        return meaning.commits
    told = _definition(module, call)
    found = told[0].lent(told[1]) if told is not None else None
    if told is None or found is None or not any(map(committed, found)):
        return False
    home, function = told
    bound = isinstance(call.func, ast.Attribute) and is_method(home.names, function)
    callee = replace(module.calls.callee(call), function=function, bound=bound)
    possible = [
        f for f in found if any(conditions_met(call, callee, guards.of_parameters(function, f.guards), NOTHING))
    ]
    return bool(possible) and all(map(committed, possible))


def lent(module: Module, function: FunctionNode) -> list[Fact] | None:
    """How a generator leaves the session that it has yielded on its normal ways; ``None`` where it yields none."""
    if not module.concerned(function):
        return _shared_lent(module, function)
    try:
        solved = module.by_itself(function)
    except SolverLimit:
        return None
    given = yielded(solved)
    if not given:
        return _shared_lent(module, function)
    return [f for f in solved.exits if f.site in given and f.flying is None and f.marked("lent")]


def undoes(module: Module, item: ast.withitem) -> bool:
    """Whether the scope of a ``with`` rolls back on every normal way, with what was loaded in it, and closes."""
    found = _definition(module, item.context_expr) if isinstance(item.context_expr, ast.Call) else None
    ends = found[0].lent(found[1]) if found is not None else None
    return bool(ends) and all(f.state is State.CLOSED and f.marked("undone") for f in ends or ())


def left_to_users(module: Module, item: ast.withitem) -> bool:
    """Whether the scope of a ``with`` leaves its session open on normal ways: closing it is up to the block."""
    found = _definition(module, item.context_expr) if isinstance(item.context_expr, ast.Call) else None
    ends = found[0].lent(found[1]) if found is not None else None
    return bool(ends) and all(fact.state is not State.CLOSED for fact in ends or ())


def _shared_lent(module: Module, function: FunctionNode) -> list[Fact] | None:
    """The same of a generator that yields the session which a registry has of the thread, and closes that."""
    for node in _shared(module, function):
        names = frozenset({path(node)})
        site = module.site(SiteKind.PARAMETER, function.args, function)
        start = NOTHING._replace(site=site, names=names, guards=guards.present(path(node)))
        try:
            exits = module.solve(function, start).exits
        except SolverLimit:
            return None
        normal = [f for f in exits if f.site is site and f.flying is None and f.marked("lent")]
        if normal and all(f.state is State.CLOSED for f in normal):
            return normal
    return None


def shared_by(module: Module, function: FunctionNode) -> list[Module]:
    """The modules that make the registries whose sessions a generator yields; empty where they are not known."""
    scope = module.names.scopes.of[function]
    return [home for node in _shared(module, function) for home, _ in makers(module, node, scope)]


def _shared(module: Module, function: FunctionNode) -> Iterator[ast.expr]:
    """The registries, or managed sessions, that a generator yields the session of."""
    scope = module.names.scopes.of[function]
    for value in (n.value for n in own_of(function, ast.Yield) if n.value is not None):
        node = managed_by(module, value, scope)
        if path(node) and managed(module, module.names.qualify(node, scope)):
            yield node


def scope_closing(module: Module, function: FunctionNode) -> tuple[bool, bool]:
    """Whether a scope closes what it yields when its body ends, and when its body raises."""
    solved = module.by_itself(function)
    given = yielded(solved)
    exits = [f for f in solved.exits if f.site in given and f.marked("lent")]
    normal = [f.state is State.CLOSED for f in exits if f.flying is None]
    raised = [f.state is State.CLOSED for f in exits if f.flying is not None]
    return bool(normal) and all(normal), all(raised)


def entered(module: Module, item: ast.AST) -> tuple[Module, Solved] | None:
    """The generator behind the scope of a ``with``, in its module; ``None`` where there is none, or too many ways."""
    if not isinstance(item, ast.withitem):
        return None
    expr = item.context_expr
    found = _definition(module, expr) if isinstance(expr, ast.Call) else _made_before(module, expr)
    if found is None:
        return None
    home, function = found
    try:
        return home, home.by_itself(function)
    except SolverLimit:
        return None


def _definition(module: Module, call: ast.Call) -> tuple[Module, FunctionNode] | None:
    """The function of the project that a call is of, whatever it means, in its module."""
    return _defined(module, module.calls.callee(call).names)


def _made_before(module: Module, node: ast.expr) -> tuple[Module, FunctionNode] | None:
    """The same of the call that made what a property, or a variable, gives."""
    inside: ast.AST = node
    while inside not in module.names.scopes.of:
        inside = module.parents[inside]
    names = module.names.qualify(node, module.names.scopes.of[inside])
    return _defined(module, [name.removesuffix("()") for name in names]) if len(names) == 1 else None


def _defined(module: Module, names: Iterable[str]) -> tuple[Module, FunctionNode] | None:
    found = next((d for n in sorted(names) if (d := module.names.definition(n))), None)
    if found is None or not isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
        return None
    return module.program.module(found[0]), found[1]


def may_commit(module: Module, item: ast.AST) -> bool:
    """Whether the scope of a ``with`` commits on some way, under whatever condition, or is not known."""
    found = entered(module, item)
    if found is None:
        return _class_may_commit(module, item)
    home, solved = found
    given = yielded(solved)
    exits = [f for f in solved.exits if f.site in given]
    inner = [site.node for site in given if site.kind is SiteKind.SCOPE]
    return (
        not given
        or any(f.marked("committed") or f.marked("exposed") for f in exits)
        or any(may_commit(home, node) for node in inner)
    )


def _class_may_commit(module: Module, item: ast.AST) -> bool:
    """The same of a scope that is an object: what its ``__exit__`` does."""
    call = item.context_expr if isinstance(item, ast.withitem) else None
    callee = module.calls.callee(call) if isinstance(call, ast.Call) else None
    if call is None or callee is None or callee.owner is None or callee.home is None:
        return True
    unit = module.unit(call)
    if unit is not None:
        return unit.commits is not False
    ends = _leaving(module, callee.home, callee.owner)
    return not ends or any(fact.marked("committed") or fact.marked("exposed") for fact in ends)


def yielded(solved: Solved) -> set[Site]:
    """The sessions that a generator opens and yields."""
    return {
        fact.site
        for point, fact in solved.visits(PointKind.YIELD)
        if fact.site is not None and fact.site.kind is not SiteKind.PARAMETER
        if held(point.node.value, fact) is Hold.WHOLE  # type: ignore[attr-defined]
    }


def class_scope(module: Module, owner: ast.ClassDef) -> Meaning | None:
    """What a class means whose objects give a session when they are entered, and close it when they are left."""
    normal = _leaving(module, module.names, owner)
    if not normal or any(fact.state is not State.CLOSED for fact in normal):
        return None
    return Meaning(Role.SCOPE, commits=all(map(committed, normal)))


def _leaving(module: Module, names: Names, owner: ast.ClassDef) -> list[Fact]:
    """How the ``__exit__`` of a class leaves the session that entering an object of it has opened and given."""
    enter, leave = _ends_of(module, names, owner)
    field = _field_given(enter[1]) if enter is not None else ""
    if enter is None or leave is None or not field or not _opened_by(*enter, field):
        return []
    own = next((a.arg for a in (*leave[1].args.posonlyargs, *leave[1].args.args)), "")
    return left(*leave, frozenset({f"{own}.{field}"}))


def _ends_of(module: Module, names: Names, owner: ast.ClassDef) -> tuple[Method | None, Method | None]:
    """What runs as an object of a class is entered, and as it is left."""
    enter = module.method(names, owner, "__enter__") or module.method(names, owner, "__aenter__")
    return enter, module.method(names, owner, "__exit__") or module.method(names, owner, "__aexit__")


class Unit(NamedTuple):
    """What a class means whose objects keep a session from when they are entered to when they are left.

    :param field: where they have it.
    :param commits: whether they commit it as they are left; ``None`` for on some ways, or who knows.
    :param opened: what the field is filled with, and its module.
    """

    field: str
    commits: bool | None
    opened: tuple[Module, ast.AST]


def unit_of_work(module: Module, names: Names, owner: ast.ClassDef) -> Unit | None:
    """What a class means whose ``__enter__`` gives the object itself, which has opened a session then."""
    enter, leave = _ends_of(module, names, owner)
    if enter is None or leave is None or not enter[1].args.args or not leave[1].args.args:
        return None
    given = {path(n.value) if n.value is not None else "" for n in own_of(enter[1], ast.Return)}
    if given != {enter[1].args.args[0].arg}:
        return None
    for field, opened in _fields_opened(module.program.module(names), names.scopes.of[owner]):
        normal = left(*leave, frozenset({f"{leave[1].args.args[0].arg}.{field}"}))
        if normal and all(fact.state is State.CLOSED for fact in normal):
            surely = all(map(committed, normal))
            perhaps = any(fact.marked("committed") or fact.marked("exposed") for fact in normal)
            return Unit(field, surely or (None if perhaps else False), opened)
    return None


def _fields_opened(module: Module, owner: Scope) -> Iterator[tuple[str, tuple[Module, ast.AST]]]:
    """The fields that a class, or one above it, fills with fresh sessions alone, each with what opens the first.

    Or with a registry, whose session the thread has until it is removed.
    """
    for home, scope in family(module, owner):
        for field, bound in scope.attributes.items():
            bindings = [b for b in bound if not is_none(b.node)]
            fresh = (isinstance(b.node, ast.expr) and _begins(home, b.node, b.scope) for b in bindings)
            if bindings and all(fresh):
                yield field, _opening(home, bindings[0].node, bindings[0].scope)


def _begins(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression gives a fresh session, or a registry, whose session is fresh as long as all remove it."""
    return _opens(module, node, scope) or is_managed(module, node, scope)


def _opening(module: Module, node: ast.AST, scope: Scope) -> tuple[Module, ast.AST]:
    """What opens the session that an expression gives: the call of a factory in the function that it calls."""
    made = makers(module, node, scope) if isinstance(node, ast.Call) and module.calls.callee(node).function else []
    return made[0] if len(made) == 1 else (module, node)


def opened_on_entry(module: Module, names: Names, owner: ast.ClassDef) -> tuple[Module, ast.AST] | None:
    """What opens the session that an object of a class gives, or keeps, once it is entered; with its module."""
    home = module.program.module(names)
    unit = unit_of_work(module, names, owner)
    if unit is not None:
        return unit.opened
    enter, _ = _ends_of(module, names, owner)
    field = _field_given(enter[1]) if enter is not None else ""
    bindings = names.scopes.of[owner].attributes.get(field, ())
    opening = [b for b in bindings if isinstance(b.node, ast.expr) and _opens(home, b.node, b.scope)]
    return _opening(home, opening[0].node, opening[0].scope) if opening else None


def closes_on_leaving(module: Module, names: Names, owner: ast.ClassDef) -> bool:
    """Whether the ``__exit__`` of a class closes, on its normal ways, the session that ``__enter__`` gives."""
    enter, leave = _ends_of(module, names, owner)
    field = _field_given(enter[1]) if enter is not None else ""
    own = parameters(leave[1])[0].arg if leave is not None and field and parameters(leave[1]) else ""
    normal = left(*leave, frozenset({f"{own}.{field}"})) if leave is not None and own else []
    return bool(normal) and all(fact.state is State.CLOSED for fact in normal)


def left(home: Module, function: FunctionNode, names: frozenset[object]) -> list[Fact]:
    """What may hold after an ``__exit__`` that no exception has called, of a session with something to commit.

    :param names: how the method refers to the session.
    """
    _, *told = [a.arg for a in (*function.args.posonlyargs, *function.args.args)] or [""]
    site = home.site(SiteKind.PARAMETER, function.args, function)
    calm = frozenset(atom for name in told for atom in ((f"{name} is None", True), (name, False)))
    start = NOTHING._replace(site=site, names=names, guards=calm, pending=function)
    try:
        exits = home.solve(function, start).exits
    except SolverLimit:
        return []
    return [fact for fact in exits if fact.site is site and fact.flying is None]


def _field_given(enter: FunctionNode) -> str:
    """The field of ``self`` whose value ``__enter__`` returns; empty where it is not one."""
    own = (enter.args.posonlyargs + enter.args.args)[0].arg if enter.args.posonlyargs or enter.args.args else ""
    stored: dict[str, str] = {}
    for node in assigned_in(enter):
        names = [path(t) for t in (*node.targets, node.value)]
        fields = [n for n in names if n.startswith(f"{own}.")]
        stored.update((n, fields[0]) for n in names if n and fields)
    given = {stored.get(path(n.value), path(n.value)) for n in own_of(enter, ast.Return) if n.value}
    one = given.pop() if len(given) == 1 else ""
    return one.removeprefix(f"{own}.") if one.startswith(f"{own}.") else ""


def _opened_by(module: Module, enter: FunctionNode, field: str) -> bool:
    """Whether the class itself puts a fresh session into a field."""
    owner = module.names.scopes.of[enter].parent
    bindings = owner.attributes.get(field, ()) if owner is not None else ()
    return any(isinstance(b.node, ast.expr) and _opens(module, b.node, b.scope) for b in bindings)


def committed(fact: Fact) -> bool:
    """Whether all that was written is saved, and nothing of it was thrown away."""
    return fact.pending is None and bool(fact.marked("committed")) and not fact.marked("lost")


def getters(module: Module) -> Iterator[tuple[str, Scope]]:
    """The getters of sessions that a module keeps in a global, or in a field of one, each with that variable.

    A getter stores a fresh session there and returns it.
    """
    for name, scopes in module.kept.items():
        yield from ((name, scope) for scope in scopes if _returns(scope, name))


def memoised_getters(module: Module) -> Iterator[Scope]:
    """The functions without parameters that open a session on their first call, and give the same one ever after.

    ``@lru_cache def get_session(): return SessionLocal()``
    """
    top = module.names.scopes.module
    for scope in module.names.scopes.of.values() if _REMEMBERING in module.source.text else ():
        function = scope.node
        if isinstance(function, ast.FunctionDef) and scope.parent is top and not parameters(function):
            kept = module.decorator(function, Role.MEMOISED)
            if kept is not None and _is_for_good(module, kept) and _gives_fresh(module, scope):
                yield scope


_REMEMBERING = "functools"


def _is_for_good(module: Module, decorator: ast.expr) -> bool:
    """Whether a decorator keeps what a function gives for as long as the program runs."""
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    names = module.names.qualify(target, module.names.scopes.module)
    return bool(names) and all(name.startswith(f"{_REMEMBERING}.") for name in names)


def _gives_fresh(module: Module, scope: Scope) -> bool:
    """Whether all that a function returns is the session that it opens."""
    values = [n.value for n in own_of(scope.node, ast.Return)]
    return bool(values) and all(v is not None and _opens(module, _bound(v, scope), scope) for v in values)


def _bound(value: ast.expr, scope: Scope) -> ast.expr:
    """What a variable of a function holds, where it is given one value only; else the expression itself."""
    bindings = scope.bindings.get(value.id, ()) if isinstance(value, ast.Name) else ()
    held_ = bindings[0].node if len(bindings) == 1 else None
    return held_ if isinstance(held_, ast.expr) else value


def lenders(module: Module) -> Iterator[tuple[str, Scope]]:
    """The context managers that lend the session which a module keeps in a global, and leave it open, each with that.

    One opens it where there is none yet, and yields it.
    """
    for name, scopes in module.kept.items():
        for scope in scopes:
            function: FunctionNode = scope.node  # type: ignore[assignment]  # what puts something there is one
            yields = any(n.value is not None and path(n.value) == name for n in own_of(function, ast.Yield))
            if yields and module.is_context_manager(function) and not module.lent(function):
                ends = (n for n in own_of(function, ast.Attribute) if path(n.value) == name and closes(n.attr))
                if not any(ends):
                    yield name, scope


def closed_by(module: Module, function: FunctionNode, names: Collection[str]) -> str:
    """The variable of a global session that a function leaves closed on every normal way; empty for none."""
    if not names:
        return ""
    scope = module.names.scopes.of[function]
    mentioned = {path(n) for n in own_nodes(function) if isinstance(n, (ast.Name, ast.Attribute))}
    wanted = [name for name in names if name in mentioned and _is_global(module, name, scope)]
    return next((name for name in wanted if _leaves_closed(module, function, name)), "")


def kept(module: Module) -> dict[str, list[Scope]]:
    """The variables of the module that functions put a fresh session into, each with the functions that do."""
    found: dict[str, list[Scope]] = {}
    for scope in module.names.scopes.of.values() if keeps(module.source.text) else ():
        if not isinstance(scope.node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in own_of(scope.node, ast.Assign, ast.AnnAssign):
            if node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [p for t in targets if (p := path(t)) and _is_global(module, p, scope)]
                if names and _opens(module, node.value, scope):
                    for name in names:
                        found.setdefault(name, []).append(scope)
    return found


def _is_global(module: Module, name: str, scope: Scope) -> bool:
    """Whether a variable belongs to the module, or is a field of something that does and is the same for everybody."""
    first, _, field = name.partition(".")
    top = module.names.scopes.module
    if module.names.owner(first, scope) is not top:
        return False
    found = module.calls.vocabulary.of(module.names.qualify(ast.Name(first, ast.Load()), scope)) if field else None
    imported = any(b.kind is BindingKind.IMPORT for b in top.bindings[first])
    return not (field and (imported or (found is not None and found.role is Role.CONTEXT_LOCAL)))


def _opens(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is the call of a factory."""
    if isinstance(node, ast.BoolOp):
        return any(_opens(module, value, scope) for value in node.values)
    if isinstance(node, ast.IfExp):
        return _opens(module, node.body, scope) or _opens(module, node.orelse, scope)
    if isinstance(node, ast.Call) and node in module.calls and module.calls.callee(node).role is Role.FACTORY:
        return True
    return any(
        name.endswith("()")
        and (found := module.calls.vocabulary.meaning(name.removesuffix("()"))) is not None
        and found.role is Role.FACTORY
        for name in module.names.qualify(node, scope)
    )


def _returns(scope: Scope, name: str) -> bool:
    returns = (n for n in own_of(scope.node, ast.Return))
    return any(n.value is not None and path(n.value) == name for n in returns)


def _leaves_closed(module: Module, function: FunctionNode, name: str) -> bool:
    """Whether each normal way closes it, or one does and the others let it alone, as for another thread's session."""
    site = module.site(SiteKind.PARAMETER, function.args, function, key=f"kept in {name}")
    start = NOTHING._replace(site=site, names=frozenset({name}))
    try:
        exits = module.solve(function, start).exits
    except SolverLimit:
        return False
    normal = [fact for fact in exits if fact.site is site and fact.flying is None]
    alone = [f for f in normal if f.state is start.state and not f.marks and name in f.names]
    return len(alone) < len(normal) and all(f.state is State.CLOSED or f in alone for f in normal)
