"""A request's session in the hands of something that goes on when the request is over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.afterwards import closing_block
from session_lint.analysis.arguments import bind
from session_lint.analysis.handing import handings, is_request, runs
from session_lint.analysis.holding import Hold, arguments, held
from session_lint.analysis.services import is_lent_to_object, lent_field
from session_lint.analysis.sharing import waited_for
from session_lint.analysis.summaries import is_generator
from session_lint.analysis.teardowns import is_request_field
from session_lint.flow import PointKind
from session_lint.python.nodes import assigned_at, own_nodes, own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.values import dataclass
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.handing import Handing
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import Scope

_PLACES = ("thread", "task", "background", "stream")
_BY_VERSION = ("background", "stream")
_DEEPEST = 2
"""Through how many functions a handler hands its session on."""


@dataclass(frozen=True, eq=False)
class Lingering:
    """A hand-over that lasts longer than the request.

    :param call: the hand-over.
    :param where: what gets the session, as the vocabulary has it; ``global`` for a variable of the module, ``shared``
        for a field of an object that one holds.
    :param sure: whether the session is closed before, whatever the version of the framework.
    :param item: the ``with`` of the code's own that closes it; ``None`` where the framework does.
    """

    call: ast.AST
    name: str
    code: ast.AST
    where: str
    sure: bool
    item: ast.withitem | None = None


def lingering(facts: ModuleFacts) -> Iterator[Lingering]:
    """Every hand-over of a request's session to something that outlives the request, once."""
    if facts.module is None:
        return
    seen: set[ast.AST] = set()
    for one in (*_handed(facts), *_streamed(facts), *_of_context(facts), *_of_services(facts), *_stored(facts)):
        if one.call not in seen:
            seen.add(one.call)
            yield one


def _handed(facts: ModuleFacts) -> Iterator[Lingering]:
    assert facts.module is not None
    for handing in handings(facts, "thread", "task", "background"):
        one = handing.borrowed
        if one is not None and one.in_context:
            continue  # which stands for itself, below
        asked = is_request(one) or (one is not None and _comes_of_request(facts.module, handing, one))
        if one is not None and asked and not waited_for(facts.module, handing):
            sure = handing.where not in _BY_VERSION
            yield Lingering(handing.call, one.called, handing.solved.code, handing.where, sure)
        elif handing.where == "background" and not is_generator(handing.solved.code):
            item, site = closing_block(handing.fact), handing.fact.site
            if item is not None and site is not None:  # the response, and what follows it, comes after the block
                name = facts.variable_of(site, handing.solved)
                yield Lingering(handing.call, name, handing.solved.code, handing.where, sure=True, item=item)


def _comes_of_request(module: Module, handing: Handing, one: Borrowed) -> bool:
    """Whether a session is a request's that a handler gives the function, or the object whose method that is."""
    if handing.where == "background" and _of_callers(one, 0):
        return True
    return _comes_later(module, handing.call, handing.where) and is_lent_to_object(one)


def _comes_later(module: Module, call: ast.AST, where: str) -> bool:
    """Whether a call leaves something to be run in the background, or as a task that nobody keeps."""
    return where == "background" or (where == "task" and isinstance(module.parents.get(call), ast.Expr))


def _of_services(facts: ModuleFacts) -> Iterator[Lingering]:
    """The same of an object that a framework has made around the session."""
    assert facts.module is not None
    module = facts.module
    for call, where in module.running.items():
        code = module.code_of(module.calls.scope(call)) if _comes_later(module, call, where) else None
        for value in arguments(call) if code in module.handlers else ():
            asked = value.func if isinstance(value, ast.Call) else value
            name = lent_field(module, code, asked)  # type: ignore[arg-type]  # a handler is one
            if name:
                yield Lingering(call, name, code, where, sure=where not in _BY_VERSION)  # type: ignore[arg-type]


def _of_callers(one: Borrowed, depth: int) -> bool:
    """Whether a handler gives the session of its request to a function, by itself or through another one."""
    function, program = one.code, one.module.program
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or depth > _DEEPEST:
        return False
    for home, caller in program.callers(one.module, function) or ():
        given = {path(argument) for call in home.calls_in(caller) for argument in _given(home, call, one)} - {""}
        mine = [other for other in program.facts(home).borrowed if other.code is caller and given & other.names]
        if any(is_request(other) or _of_callers(other, depth + 1) for other in mine):
            return True
    return False


def _given(home: Module, call: ast.Call, one: Borrowed) -> Iterator[ast.expr]:
    """What a call gives to the parameter of a function that has the session."""
    callee = home.calls.callee(call)
    if callee.function is one.code:
        argument = bind(call, callee.function, bound=callee.bound).get(one.name)
        yield from [argument] if argument is not None else []


def _streamed(facts: ModuleFacts) -> Iterator[Lingering]:
    """Responses whose generator asks a request's session while they are sent, or one whose block has ended by then."""
    assert facts.module is not None
    module = facts.module
    for one in facts.borrowed:
        if one.in_context or not is_request(one) or not _runs_in(module, one.code, "stream") or one.solved is None:
            continue
        for call, _ in _streams(module, one.solved):
            yield Lingering(call, one.called, one.code, "stream", sure=False)
    for solved in facts.solved if "stream" in module.running.values() else ():
        if is_generator(solved.code) or not _runs_in(module, solved.code, "stream"):
            continue
        for call, fact in _streams(module, solved):
            item, site = closing_block(fact), fact.site
            if item is not None and site is not None:
                name = facts.variable_of(site, solved)
                yield Lingering(call, name, solved.code, "stream", sure=True, item=item)


def _streams(module: Module, solved: Solved) -> Iterator[tuple[ast.Call, Fact]]:
    """The calls that make a response of what asks the session later."""
    for point, fact in solved.visits(PointKind.CALL):
        call = point.node
        if not isinstance(call, ast.Call) or runs(module, call) != "stream":
            continue
        if any(asks_later(module, value, fact, call) for value in arguments(call)):
            yield call, fact


def _runs_in(module: Module, code: ast.AST, where: str) -> bool:
    return any(isinstance(n, ast.Call) and n in module.calls and runs(module, n) == where for n in own_nodes(code))


def asks_later(module: Module, value: ast.expr, fact: Fact, call: ast.Call) -> bool:
    """Whether an expression, or what the variable stands for that it names, is a generator which uses the session.

    :param call: what it is given to.
    """
    bound = _bound_once(module, value, call)
    if bound is not None:
        return not isinstance(bound, ast.Name) and asks_later(module, bound, fact, call)
    if isinstance(value, ast.GeneratorExp):
        return held(value, fact) is Hold.INSIDE
    if not isinstance(value, ast.Call):
        return False
    callee = module.calls.callee(value)
    if callee.function is not None and is_generator(callee.function):
        return any(held(a, fact) for a in arguments(value)) or held(value.func, fact) is Hold.INSIDE
    return any(asks_later(module, inner, fact, call) for inner in value.args[:1])


def _bound_once(module: Module, value: ast.AST, call: ast.Call) -> ast.expr | None:
    """What a local variable stands for that is bound in one place."""
    bindings = module.calls.scope(call).bindings.get(value.id, []) if isinstance(value, ast.Name) else []
    one = bindings[0] if len(bindings) == 1 else None
    return one.node if one is not None and one.kind is BindingKind.VALUE and isinstance(one.node, ast.expr) else None


def _of_context(facts: ModuleFacts) -> Iterator[Lingering]:
    """The same of a session in ``flask.g``, which the teardown closes before a response is streamed."""
    assert facts.module is not None
    module = facts.module
    seen: set[ast.AST] = set()
    for call, where in module.running.items():
        scope = module.calls.scope(call)
        for value in arguments(call) if where in _PLACES else ():
            for node in _handed_on(module, value):
                home, field = _field_behind(module, node, call)
                inner = scope if field is node else home.names.scopes.module
                if node not in seen and is_request_field(home, field, inner) and _holds_session(home, field):
                    seen.add(node)
                    yield Lingering(call, path(node), module.code_of(scope), where, sure=True)


def _field_behind(module: Module, node: ast.expr, call: ast.Call) -> tuple[Module, ast.expr]:
    """The field that a variable was given, by itself or by a function that gives it to everybody."""
    value = _bound_once(module, node, call)
    if isinstance(value, ast.Call):
        callee = module.calls.callee(value)
        ends = own_of(callee.function, ast.Return) if callee.function is not None else []
        given = [n.value for n in ends if isinstance(n.value, ast.Attribute)]
        if given and len(given) == len(ends) and len(set(map(path, given))) == 1:
            return module.at(callee), given[0]
    return module, value if isinstance(value, ast.Attribute) else node


def _handed_on(module: Module, value: ast.expr) -> Iterator[ast.expr]:
    """The expressions that a value stands for later: itself, a tuple's elements, what a generator was given."""
    if isinstance(value, (ast.Attribute, ast.Name)):
        yield value
    elif isinstance(value, (ast.Tuple, ast.List)):
        yield from value.elts
    elif isinstance(value, ast.Call):
        function = module.calls.callee(value).function
        if function is not None and is_generator(function):
            yield from value.args
        else:
            for inner in value.args[:1]:
                if isinstance(inner, ast.Call):
                    yield from _handed_on(module, inner)


def _holds_session(module: Module, node: ast.expr) -> bool:
    """Whether a field of the context holds a session: somebody puts one there, or the reference module does."""
    assert isinstance(node, ast.Attribute)
    told = [module.calls.vocabulary.meaning(name) for name in module.names.imported]
    if any(m is not None and m.gives in module.names.qualify(node, module.names.scopes.module) for m in told):
        return True
    for home in (module, *(module.program.mentioning(module, f".{node.attr}") or ())):
        for scope in home.names.scopes.of.values():
            for assigned in own_nodes(scope.node) if not scope.is_class else ():
                given = assigned_at(assigned)
                if given is not None and any(
                    isinstance(t, ast.Attribute) and t.attr == node.attr and is_request_field(home, t, scope)
                    for t in given.targets
                ):
                    value = given.value
                    if isinstance(value, ast.Call) and home.calls.callee(value).role is Role.FACTORY:
                        return True
    return False


def _stored(facts: ModuleFacts) -> Iterator[Lingering]:
    """Sessions of a request that are put into a variable of the module, or into an object that one holds."""
    for one in facts.borrowed:
        lasting = _lasting(facts, one.code) if is_request(one) else {}
        for point, fact in one.solved.visits(PointKind.STORE) if lasting and one.solved is not None else ():
            if point.node in lasting and fact.site is not None and held(point.value, fact) is Hold.WHOLE:
                yield Lingering(point.node, one.called, one.code, lasting[point.node], sure=True)


def _lasting(facts: ModuleFacts, code: ast.AST) -> dict[ast.AST, str]:
    """The targets of a code's assignments that last longer than its call, and what each is."""
    assert facts.module is not None
    scope = facts.module.names.scopes.of[code]
    found: dict[ast.AST, str] = {}
    for target in own_of(code, ast.Name, ast.Attribute):
        if not isinstance(target.ctx, ast.Store):
            continue
        if isinstance(target, ast.Name):
            if target.id in scope.elsewhere:
                found[target] = "global"
        elif _is_shared(facts, target, scope):
            found[target] = "shared"
    return found


def _is_shared(facts: ModuleFacts, target: ast.Attribute, scope: Scope) -> bool:
    """Whether a field is one of a class of the project, or of its object that a module makes once, for everybody.

    A field that a function takes back is not, nor one that the class sees to itself, or has anew in each thread.
    """
    assert facts.module is not None
    names = facts.module.names
    owner = names.owner(target.value.id, scope) if isinstance(target.value, ast.Name) else None
    if owner is None or owner.parent is not None:
        return False
    found = [names.class_of(name) for name in names.qualify(target.value, scope)]
    if len(found) != 1 or found[0] is None:
        return False
    home, kind = found[0]
    bound = [n for n in own_of(scope.node, ast.Attribute) if isinstance(n.ctx, ast.Store) and path(n) == path(target)]
    plain = all(b.kind is BindingKind.VALUE for b in kind.bindings.get(target.attr, ()))
    return len(bound) == 1 and plain and all(home.class_of(base) for base in home.bases(kind))
