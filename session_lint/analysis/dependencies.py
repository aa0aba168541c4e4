"""Generators that lend a session to a framework: dependencies, fixtures, and those who leave one in the middle."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.called import may_close
from session_lint.analysis.facts import Ending
from session_lint.analysis.fixtures import left_to_tests, makes_engine
from session_lint.analysis.holding import Hold, closes, held
from session_lint.analysis.inference import yielded
from session_lint.analysis.injection import depended_on, depends_on
from session_lint.analysis.leaks import undone
from session_lint.analysis.publishing import SETTING
from session_lint.analysis.request_methods import kept_by_requests
from session_lint.analysis.state import Fact, SiteKind, State
from session_lint.analysis.summaries import is_generator, returned_closed
from session_lint.flow import PointKind, SolverLimit
from session_lint.python.nodes import assigned_at, nodes_in, own_nodes, own_of, path
from session_lint.python.scopes import below, children, parameters, parameters_with_defaults
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.facts import ModuleFacts, Obligation
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Site
    from session_lint.python.scopes import FunctionNode, Scope


@dataclass(frozen=True, eq=False)
class Lending:
    """A generator that does not close on every way the session that it opens and yields.

    :param site: the opening.
    :param ending: a way on which it stays open.
    :param never: whether that takes no exception.
    :param fixture: whether it is a test's fixture.
    """

    site: Site
    ending: Ending
    code: FunctionNode
    never: bool
    fixture: bool


@dataclass(frozen=True, eq=False)
class Abandoned:
    """An asynchronous generator that lends a session, and is left suspended: by a loop over it, or once it was asked.

    :param call: what made the generator.
    :param leaving: the ``break`` or ``return``, or the ``yield`` at which an exception may come in; where the session
        was taken out of it, and nobody asks it for more.
    :param raising: whether it takes such an exception.
    """

    call: ast.Call
    leaving: ast.AST
    code: ast.AST
    raising: bool = False


def lendings(facts: ModuleFacts) -> Iterator[Lending]:
    """Every session that a generator yields and leaves open on some way, in the order of the text."""
    if facts.module is None or "yield" not in facts.source.text:
        return
    for code, _ in facts.module.codes:
        if (
            isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef))
            and is_generator(code)
            and code in facts.module.opening
            and not facts.module.is_context_manager(code)
        ):
            yield from _lent(facts.module, code)


def _lent(module: Module, function: FunctionNode) -> Iterator[Lending]:
    fixture = module.hands_over(function)
    try:
        solved = module.as_scope(function, lambda home, code: home.by_itself(code))
        sites = module.as_scope(function, lambda _home, _code: yielded(solved))
    except SolverLimit:
        return
    among = _among_others(solved)
    sites |= among if among and (fixture or _told(module, function)) else set()
    for site in sorted(sites, key=lambda s: getattr(s.node, "lineno", 0)):
        if site.kind is not SiteKind.OWNED:
            continue
        open_ = [e for e in _endings(solved, site) if _stays_open(e.fact) and not undone(e)]
        open_ = [e for e in open_ if not (fixture and (_from_test(e) or _holds_nothing(e) or _undoing(e)))]
        closes = any(e.fact.state is State.CLOSED for e in _endings(solved, site))
        if open_ and (closes or fixture or _told(module, function)):  # else whoever takes it may close it
            first = min(open_, key=lambda e: e.fact.flying is not None)
            if fixture and first.fact.flying is not None and makes_engine(module, function):
                continue  # a test that fails to start leaves nothing in anybody's pool
            yield Lending(site, first, function, first.fact.flying is None, fixture)


def _among_others(solved: Solved) -> set[Site]:
    """The sessions that a fixture yields beside something else: ``yield session, user``."""
    return {
        fact.site
        for point, fact in solved.visits(PointKind.YIELD)
        if fact.site is not None and isinstance(point.node.value, _DISPLAYS)  # type: ignore[attr-defined]
        if any(held(part, fact) is Hold.WHOLE for part in _parts(point.node.value))  # type: ignore[attr-defined]
    }


_DISPLAYS = (ast.Tuple, ast.List, ast.Dict)


def _parts(display: ast.Tuple | ast.List | ast.Dict) -> list[ast.expr]:
    return display.values if isinstance(display, ast.Dict) else display.elts


def _endings(solved: Solved, site: Site) -> Iterator[Ending]:
    for block, fact in solved.ends:
        if fact.site is site:
            yield Ending(solved, block, fact)


def _stays_open(fact: Fact) -> bool:
    return fact.state not in (State.CLOSED, State.GIVEN) and not fact.marked("taken")


def _from_test(ending: Ending) -> bool:
    """A fixture's test does not raise into it: what follows its ``yield`` runs whatever becomes of the test."""
    flying = ending.fact.flying
    return flying is not None and isinstance(flying.node, (ast.Yield, ast.YieldFrom))


def _holds_nothing(ending: Ending) -> bool:
    """Whether a fixture fails while its session has no connection, or one that is somebody else's to give back."""
    return ending.fact.flying is not None and ending.idle


def _undoing(ending: Ending) -> bool:
    """Whether a fixture fails as it takes back what it has set up: no test could go on from there."""
    call = ending.fact.flying.node if ending.fact.flying is not None else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _TAKING_BACK


_TAKING_BACK = frozenset(["close", "dispose", "drop_all", "remove", "rollback"])


def abandoned(facts: ModuleFacts) -> Iterator[Abandoned]:
    """Every ``async for`` over a generator that lends a session, which is left in the middle."""
    if facts.module is None or "async for" not in facts.source.text:
        return
    for code, _ in facts.module.codes:
        for node in own_of(code, ast.AsyncFor):
            if isinstance(node.iter, ast.Call):
                leaving = _left(node)
                passing = _passed_on(code, node) if leaving is None else None
                if (leaving is None and passing is None) or _closes_itself(node):
                    continue
                if facts.module.yields_one(facts.module.calls.callee(node.iter)):
                    one = leaving or passing
                    assert one is not None
                    if passing is None or facts.module.is_context_manager(code) or _told(facts.module, code):  # type: ignore[arg-type]
                        yield Abandoned(node.iter, one, code, raising=passing is not None)


def _passed_on(code: ast.AST, loop: ast.AsyncFor) -> ast.Yield | None:
    """Where a function lends the loop's own variable, in turn; an exception that comes in there leaves the loop."""
    if not isinstance(code, ast.AsyncFunctionDef):
        return None
    for node in own_of(code, ast.Yield):
        if node.value is not None and path(node.value) == path(loop.target):
            above = _above(node, loop)
            caught = (h for one in above if isinstance(one, ast.Try) for h in one.handlers)
            if above and all(any(isinstance(n, ast.Raise) for n in own_nodes(handler)) for handler in caught):
                return node
    return None


def _above(node: ast.AST, loop: ast.AsyncFor) -> list[ast.AST]:
    """What a node of a loop's body stands in, up to the loop; nothing for one that stands elsewhere."""
    parents = {child: one for one in below(loop) for child in children(one)}
    found: list[ast.AST] = []
    while (node := parents.get(node, loop)) is not loop:
        found.append(node)
    return found


def taken_out(facts: ModuleFacts) -> Iterator[Abandoned]:
    """Every such generator in a variable that is asked for its session, and for nothing after that.

    A plain one is closed as its last name goes; one of a coroutine has to wait for the event loop.
    """
    module = facts.module
    if module is None or ("anext__" not in facts.source.text and "anext(" not in facts.source.text):
        return
    for code, scope in module.codes:
        for node in own_of(code, ast.Await):
            made = _kept_generator(scope, node.value) or _shown(module, code, node)
            if made is None or made not in module.calls or not module.yields_one(module.calls.callee(made)):
                continue
            if not _closed_by_name(module, code, node):
                yield Abandoned(made, node, code)


def _shown(module: Module, code: ast.AST, taken: ast.Await) -> ast.Call | None:
    """The call that makes a generator, whose session is asked for at once and goes into a context variable."""
    asked = taken.value
    made = asked.args[0] if isinstance(asked, ast.Call) and path(asked.func) == "anext" and asked.args else None
    if not isinstance(made, ast.Call):
        return None
    above = module.parents[taken]
    given = assigned_at(above)
    name = path(given.targets[0]) if given is not None and len(given.targets) == 1 else ""
    sets = [c for c in own_of(code, ast.Call) if c in module.calls and SETTING in module.calls.callee(c).names]
    shown = any(c is above or (name and name in map(path, c.args)) for c in sets)
    return made if shown else None


def _kept_generator(scope: Scope, asked: ast.expr) -> ast.Call | None:
    """The call that makes the generator in a variable, of which ``anext(generator)`` is the only use."""
    if not isinstance(asked, ast.Call):
        return None
    func = asked.func
    by_method = isinstance(func, ast.Attribute) and func.attr == "__anext__"
    kept = func.value if by_method else asked.args[0] if path(func) == "anext" and asked.args else None  # type: ignore[attr-defined]  # see above
    bindings = scope.bindings.get(kept.id, ()) if isinstance(kept, ast.Name) else ()
    made = bindings[0].node if len(bindings) == 1 else None
    uses = [n for n in below(scope.node) if isinstance(n, ast.Name) and n.id == path(kept)] if kept is not None else []
    return made if isinstance(made, ast.Call) and len(uses) == 2 else None  # noqa: PLR2004  (bound, asked)


def _closed_by_name(module: Module, code: ast.AST, taken: ast.Await) -> bool:
    """Whether the session that was taken out is closed where it is, or goes where nobody sees it."""
    above = module.parents[taken]
    given = assigned_at(above)
    target = given.targets[0] if given is not None and len(given.targets) == 1 else None
    if isinstance(above, ast.Call) and SETTING in module.calls.callee(above).names:
        return False
    if not isinstance(target, ast.Name):
        return True
    uses = [n for n in below(code) if isinstance(n, ast.Name) and n.id == target.id and isinstance(n.ctx, ast.Load)]
    return any(isinstance(module.parents[n], (ast.Return, ast.Yield, ast.withitem)) or _ends(module, n) for n in uses)


def _ends(module: Module, node: ast.AST) -> bool:
    above = module.parents[node]
    return isinstance(above, ast.Attribute) and closes(above.attr)


def _closes_itself(loop: ast.AsyncFor) -> bool:
    """Whether a loop's own ``finally`` closes what it is given, so that only the generator stays as it is."""
    tries = [node for node in own_nodes(loop) if isinstance(node, ast.Try)]
    ended = nodes_in(statement for one in tries for statement in one.finalbody)
    closing = (n.func for n in ended if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute))
    return any(closes(func.attr) and path(func.value) == path(loop.target) for func in closing)


def _left(loop: ast.AsyncFor) -> ast.stmt | None:
    """The statement of a loop's body that leaves the loop, where there is one."""
    todo: list[tuple[ast.AST, bool]] = [(statement, True) for statement in reversed(loop.body)]
    while todo:
        node, direct = todo.pop()
        if isinstance(node, ast.Return) or (direct and isinstance(node, ast.Break)):
            return node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        inner = direct and not isinstance(node, (ast.For, ast.AsyncFor, ast.While))
        todo += [(child, inner) for child in reversed(list(ast.iter_child_nodes(node))) if isinstance(child, _BLOCKS)]
    return None


_BLOCKS = (ast.stmt, ast.ExceptHandler, ast.match_case)


@dataclass(frozen=True, eq=False)
class Unclosed:
    """A function that a framework calls for a session which nobody closes.

    :param site: the opening.
    :param told: where the framework is told of the function.
    :param fixture: whether it is a test's fixture.
    :param closed: what closes the session as it is returned, so that its next use opens it anew.
    """

    site: Site
    code: ast.AST
    told: ast.expr
    closed: ast.AST | None = None
    fixture: bool = False


def returned(facts: ModuleFacts) -> Iterator[Unclosed]:
    """Every fresh session that a plain function gives to a framework as a handler's argument."""
    if facts.module is None:
        return
    for obligation in facts.obligations(SiteKind.OWNED):
        code = obligation.site.code
        ending = next(filter(_is_returned, obligation.endings), None)
        if ending is None:
            ending = _inside(facts.module, obligation)
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) and ending is not None:
            if facts.module.is_memoised(code):
                continue  # all requests get the same one
            told = _told(facts.module, code) or kept_by_requests(facts.module, code)
            closed = next((mark.node for mark in ending.fact.marked("closed")), None)
            if ending.fact.state is not State.CLOSED:
                closed = None
            if told:
                yield Unclosed(obligation.site, code, told[0], closed)
            elif closed is None and not obligation.site.origin.borrowed:
                fixture = left_to_tests(facts.module, code)
                if fixture is not None:
                    yield Unclosed(obligation.site, code, fixture, fixture=True)


def given(facts: ModuleFacts) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Where a framework is told to call a factory itself, and the code: what it gives, nobody closes."""
    module = facts.module
    if module is None:
        return
    serving = module.calls.vocabulary.serving_words
    for call in [*module.calls.likely(serving), *_in_annotations(module)]:
        scope = module.calls.scope(call)
        for value in depended_on(call) if module.calls.callee(call).role is Role.DEPENDENCY else ():
            meaning = module.calls.meaning(module.names.qualify(value, scope))
            fresh = meaning is not None and meaning.role is Role.FACTORY
            if fresh and not any(_closes(module, code, call) for code, _ in module.codes):
                yield call, module.code_of(scope)


def _is_returned(ending: Ending) -> bool:
    fact = ending.fact
    given = ending.normal and ("returned", "whole") in fact.names
    return given and (fact.state is not State.CLOSED or returned_closed(fact))


def _inside(module: Module, obligation: Obligation) -> Ending | None:
    """The way on which a session is returned inside of an object that keeps it, where nobody closes it there."""
    ways = (e for e in obligation.endings if e.normal and ("returned", "inside") in e.fact.names and not e.closed)
    ending = next(ways, None)
    if ending is None:
        return None
    from session_lint.analysis.inside import left_inside  # noqa: PLC0415  (few functions return one)
    from session_lint.analysis.under_keys import left_under_key  # noqa: PLC0415  (see above)

    site = obligation.site
    return ending if left_inside(module, site) or left_under_key(module, site) else None


def _told(module: Module, function: FunctionNode) -> list[ast.Call]:
    """Where a framework is told to call a function; nowhere, where some handler closes what it gets."""
    others = module.program.mentioning(module, function.name)
    found: list[ast.Call] = []
    for home in (module, *(others or ())) if others is not None else ():
        calls = [*home.calls.likely(home.calls.vocabulary.serving_words), *_in_annotations(home)]
        told = [call for call in calls if _names(home, call, function)]
        if any(_closes(home, code, call) for call in told for code, _ in home.codes):
            return []
        found += told
    return found


def _in_annotations(home: Module) -> Iterator[ast.Call]:
    """The calls in the annotations of a module's parameters: ``db: Annotated[Session, Depends(get_db)]``."""
    if "Annotated" not in home.source.text:
        return
    for code, _ in home.codes:
        for arg in parameters(code) if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else ():
            if isinstance(arg.annotation, (ast.Subscript, ast.BinOp)):
                yield from (node for node in below(arg.annotation) if isinstance(node, ast.Call))


def _names(home: Module, call: ast.Call, function: FunctionNode) -> bool:
    dependency = home.calls.callee(call).role is Role.DEPENDENCY
    return dependency and any(target is function for _, target in depends_on(home, call))


def _closes(home: Module, code: ast.AST, told: ast.Call) -> bool:
    """Whether a handler that gets the dependency's value closes it."""
    if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    names = [
        arg.arg
        for arg, default in parameters_with_defaults(code)
        if default is told or (arg.annotation is not None and told in below(arg.annotation))
    ]
    if not names or not may_close(home, code):
        return False
    ways = (way for name in names for way in home.summaries.parameter(code, name, alone=True))
    return any(way.state in (State.CLOSED, State.GIVEN) for way in ways)
