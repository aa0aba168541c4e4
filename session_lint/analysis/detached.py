"""Objects that are read after their session has committed and closed: expired, and without a session."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.by_hand import by_hand, expressions, read_there, returned
from session_lint.analysis.expired import Held
from session_lint.analysis.fetching import ATTACHING, DETACHING, fetched, is_plain
from session_lint.analysis.holding import arguments
from session_lint.analysis.inference import yielded
from session_lint.analysis.loading import Loaded, loaded, made, needs_session
from session_lint.analysis.makers import makers, switched_off
from session_lint.analysis.reach import after
from session_lint.analysis.state import NOTHING, SiteKind, State
from session_lint.flow import PointKind, SolverLimit, build
from session_lint.python.names import own_nodes, path
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.flow import Code, Graph, Point
    from session_lint.python.scopes import Scope


@dataclass(frozen=True, eq=False)
class Read:
    """A read of an expired object without a session.

    :param node: the attribute.
    :param held: where the object is from.
    :param call: the call that it came out of, where it was loaded in another function.
    """

    node: ast.Attribute
    held: Held
    code: ast.AST
    call: ast.Call | None = None


@dataclass(frozen=True, eq=False)
class _Block:
    """A ``with`` that commits and closes: its ends where nothing is raised, and what its session is called."""

    solved: Solved
    item: ast.withitem
    ends: list[Point]
    sessions: frozenset[str]
    committed: int


def reads(facts: ModuleFacts) -> Iterator[Read]:
    """The first read of each object after its session's end, in the code that loads it or in one that calls that."""
    if facts.module is None:
        return
    for block, variables in held_in_blocks(facts):
        for held in variables:
            found = _first_read(facts.module, block.solved.graph, block.ends, held)
            if found is not None:
                yield Read(found, held, block.solved.code)
    for one, variables in by_hand(facts):
        there = read_there(facts.module, one)
        for held in variables:
            found = _first_read(facts.module, one.solved.graph, one.closes, held, there)
            if found is not None:
                yield Read(found, held, one.solved.code)
    for code, scope in facts.module.codes:
        yield from _reads_of_results(facts.module, code, scope)


# what a block holds


def held_in_blocks(facts: ModuleFacts) -> list[tuple[_Block, list[Held]]]:
    """The committing blocks of a module, each with its variables that hold objects."""
    assert facts.module is not None
    return [(block, list(_variables(facts.module, block))) for block in _blocks(facts)]


def _blocks(facts: ModuleFacts) -> Iterator[_Block]:
    assert facts.module is not None
    for solved in facts.solved:
        found: dict[ast.withitem, _Block] = {}
        for point, fact in solved.visits(PointKind.EXIT):
            item = point.node
            if isinstance(item, ast.withitem) and _expires_there(facts.module, solved, fact, item):
                names = frozenset(n for n in fact.names if isinstance(n, str))
                block = found.setdefault(item, _Block(solved, item, [], names, _committed(solved, fact)))
                block.ends.append(point)
        yield from found.values()


def _expires_there(module: Module, solved: Solved, fact: Fact, item: ast.withitem) -> bool:
    """Whether the end of a ``with`` leaves the objects of its session expired and alone."""
    site = fact.site
    if site is None or fact.flying is not None or ("with", item) not in fact.names:
        return False
    commits = site.kind is SiteKind.SCOPE and site.commits
    idle = site.kind is SiteKind.OWNED and fact.state is State.IDLE and bool(fact.marked("committed"))
    return (commits or idle) and _expires(module, solved, site.origin.node)


def _committed(solved: Solved, fact: Fact) -> int:
    """The last line on which the block commits, or has somebody do that who gets its session; 0 where its end does."""
    assert fact.site is not None
    if fact.site.kind is SiteKind.SCOPE:
        return 0
    calls = [n for n in own_nodes(solved.code) if isinstance(n, ast.Call)]
    own = [c.lineno for c in calls if isinstance(c.func, ast.Attribute) and c.func.attr == "commit"]
    given = (c.lineno for c in calls if any(path(a) in fact.names for a in arguments(c)))
    return max(own or given, default=0)


def _expires(module: Module, solved: Solved, node: ast.AST) -> bool:
    """Whether a commit expires what a session holds: nobody has switched that off, as far as can be known."""
    if isinstance(node, ast.Call):
        home = module.program.module_of(node, module) or module
        return switched_off(home, node, "expire_on_commit") is False
    if not isinstance(node, ast.withitem) or not isinstance(node.context_expr, ast.Call):
        return False
    call = node.context_expr
    callee = module.calls.callee(call)
    definition = next((d for n in sorted(callee.names) if (d := module.names.definition(n))), None)
    if definition is not None:
        return _expires_inside(module.program.module(definition[0]), definition[1])
    if isinstance(call.func, ast.Attribute) and call.func.attr == "begin":
        made_by = makers(module, call.func.value, module.names.scopes.of[solved.code])
        return all(not _given(maker, "expire_on_commit") for _, maker in made_by)
    return True


def _expires_inside(home: Module, function: ast.AST) -> bool:
    """The same of the session that a scope of the project opens."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    try:
        solved = home.solve(function, NOTHING)
    except SolverLimit:
        return False
    sites = yielded(solved)
    return bool(sites) and all(_expires(home, solved, site.origin.node) for site in sites)


def _given(call: ast.Call, option: str) -> bool:
    return any(k.arg in (option, None) for k in call.keywords)


def _variables(module: Module, block: _Block) -> Iterator[Held]:
    scope = module.names.scopes.of[block.solved.code]
    inside = _inside(module, block.item)
    calls = [n for n in inside if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    if any(c.func.attr in DETACHING for c in calls):  # type: ignore[attr-defined]
        return
    adding = [c for c in calls if c.func.attr in ATTACHING and path(c.func.value) in block.sessions]  # type: ignore[attr-defined]
    added = {path(argument): call for call in adding for argument in _arguments(call)}
    for node in inside:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        found = _loads(module, block, node.value)
        entity = made(module, node.value, scope) if found is None and name in added else None
        if entity is not None:
            found = Held("", Loaded(module, entity, scope, many=False), added[name], _ends(block))
        if found is not None and not _looked_at(inside, name, block.committed):
            yield replace(found, name=name)


def _ends(block: _Block) -> tuple[tuple[ast.AST, str], ...]:
    return ((block.item, "this block commits, which expires it, and closes"),)


def _loads(module: Module, block: _Block, value: ast.AST) -> Held | None:
    """What an expression loads through the session of a block, by itself or in a function that it calls."""
    what = loaded(module, value, module.names.scopes.of[block.solved.code], block.sessions)
    if what is not None:
        return Held("", what, value, _ends(block))
    found = fetched(module, value, block.sessions)
    return Held("", found.what, value, _ends(block), found.node) if found is not None else None


def _inside(module: Module, item: ast.withitem) -> list[ast.AST]:
    """The nodes of the body of a ``with``, without those of functions in it."""
    block = module.parents[item]
    assert isinstance(block, (ast.With, ast.AsyncWith))
    return [node for statement in block.body for node in (statement, *own_nodes(statement))]


def _arguments(call: ast.Call) -> list[ast.expr]:
    first = call.args[0] if call.args else None
    return first.elts if isinstance(first, (ast.List, ast.Tuple)) else call.args


def _looked_at(inside: list[ast.AST], name: str, committed: int) -> bool:
    """Whether an object is read between the commit and the end of the block, which loads it again."""
    loads = (n for n in inside if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))
    return bool(committed) and any(n.lineno > committed for n in loads)


# what is read


def _first_read(
    module: Module,
    graph: Graph,
    starts: list[Point],
    held: Held,
    there: Callable[[Point, ast.AST], bool] = lambda _point, _node: True,
) -> ast.Attribute | None:
    """The first read, in the order of the text, of an attribute that needs the session.

    :param there: whether a read in a statement counts.
    """
    found: list[ast.Attribute] = []
    for point in after(graph, starts, _ending(held.name)):
        if point.kind is PointKind.STATEMENT:
            found += (node for node in _attributes(module, point.node, held) if there(point, node))
    return min(found, key=lambda n: (n.lineno, n.col_offset), default=None)


def _ending(name: str) -> Callable[[Point], bool]:
    """Whether a point gives a variable something else, or hands its object to somebody who may attach it again."""

    def ends(point: Point) -> bool:
        if point.kind in (PointKind.STORE, PointKind.DELETE):
            return path(point.node) == name or path(point.node).startswith(f"{name}.")
        if point.kind is not PointKind.CALL or not isinstance(point.node, ast.Call):
            return False
        values = [*point.node.args, *(k.value for k in point.node.keywords)]
        return any(isinstance(v, ast.Name) and v.id == name for v in values)

    return ends


def _attributes(module: Module, statement: ast.AST, held: Held) -> Iterator[ast.Attribute]:
    """The reads of attributes in a statement's own expressions."""
    for node in expressions(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and needs_session(held.what, node.attr):
            above = module.parents.get(node)
            if isinstance(above, ast.Call) and above.func is node:
                continue  # a method: nobody knows what it asks for
            if _is_one(node.value, held) or (held.what.many and _is_element(module, node.value, held.name)):
                yield node


def _is_one(node: ast.expr, held: Held) -> bool:
    if held.what.many:
        return isinstance(node, ast.Subscript) and path(node.value) == held.name
    return isinstance(node, ast.Name) and node.id == held.name


def _is_element(module: Module, node: ast.expr, name: str) -> bool:
    """Whether a variable runs over the collection, in a loop or comprehension around the place."""
    if not isinstance(node, ast.Name):
        return False
    above = module.parents.get(node)
    while above is not None and not isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)):
        loops = [above] if isinstance(above, ast.For) else getattr(above, "generators", [])
        if any(path(loop.iter) == name and path(loop.target) == node.id for loop in loops):
            return True
        above = module.parents.get(above)
    return False


# what a function gives to its callers


def given(facts: ModuleFacts) -> dict[ast.AST, Held]:
    """The functions of a module that return an object of a scope which has ended by then."""
    found: dict[ast.AST, Held] = {}
    for block, variables in held_in_blocks(facts):
        code = block.solved.code
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_plain(code):
            held = _returned(facts.module, block, variables)  # type: ignore[arg-type]
            if held is not None:
                found[code] = held
    for one, variables in by_hand(facts):
        code = one.solved.code
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_plain(code):
            held = returned(one, variables)
            if held is not None:
                found[code] = held
    return found


def _returned(module: Module, block: _Block, variables: list[Held]) -> Held | None:
    inside = set(_inside(module, block.item))
    returns = [n for n in own_nodes(block.solved.code) if isinstance(n, ast.Return) and n.value is not None]
    for node in returns:
        assert node.value is not None
        for held in variables:
            if isinstance(node.value, ast.Name) and node.value.id == held.name:
                return held
        if node in inside and not block.committed:
            found = _loads(module, block, node.value)
            if found is not None:
                return found
    return None


def _reads_of_results(module: Module, code: Code, scope: Scope) -> Iterator[Read]:
    """The reads in a code of objects that come out of its calls."""
    nodes = own_nodes(code)
    read = {n.value.id for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
    read |= {n.iter.id for n in nodes if isinstance(n, (ast.For, ast.comprehension)) and isinstance(n.iter, ast.Name)}
    for node in nodes:
        if not (isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)):
            continue
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if node.targets[0].id not in read or not isinstance(call, ast.Call):
            continue
        held = _held_of(module, call)
        if held is not None:
            mine = replace(held, name=node.targets[0].id)
            graph = build(code, frozenset())
            starts = [p for b in graph.blocks for p in b.points if p.node is node.targets[0]]
            found = _first_read(module, graph, starts, mine)
            if found is not None:
                yield Read(found, mine, code, call)
    del scope


def _held_of(module: Module, call: ast.Call) -> Held | None:
    callee = module.calls.callee(call)
    if callee.function is None:
        return None
    home = module.at(callee)
    if not home.opens_one(callee.function):
        return None
    return home.program.facts(home).detaching.get(callee.function)
