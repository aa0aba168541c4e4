"""Sessions that are given to something which runs beside the code: a thread, a process, a task."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.closures import own_method_uses
from session_lint.analysis.holding import Hold, arguments, held, root
from session_lint.analysis.injection import injected
from session_lint.analysis.keyed import is_dict
from session_lint.analysis.later import is_partial
from session_lint.analysis.objects import known_as
from session_lint.analysis.state import State
from session_lint.analysis.workers import START, appends, started, takes_along
from session_lint.flow import PointKind
from session_lint.python.nodes import own_nodes, own_of
from session_lint.python.passing import applied
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import Role, effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.borrowed import Borrowed
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.flow import Point
    from session_lint.python.scopes import FunctionNode, Scope
    from session_lint.vocabulary import Meaning

_MAPPING = ("map", "imap", "imap_unordered", "starmap", "map_async", "starmap_async")
_TASK = frozenset(["delay", "apply_async", "s", "si", "send", "send_with_options"])
"""Methods by which the functions of a task queue are called."""
_FUNCTION = ("target", "function", "func")
"""Keywords of the function that a thread runs: of ``Thread``, ``Timer``, and what adds a job."""
_TASKS = ("gather", "task")
_FUTURES = frozenset(f"asyncio.{loop}().run_in_executor" for loop in ("get_event_loop", "get_running_loop"))
"""What runs something in a thread at once, though it gives what can be awaited."""
_MANY = 2
DISPLAYS = (ast.List, ast.Tuple, ast.Set)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)


@dataclass(frozen=True, eq=False)
class Handing:
    """A call that gives a session to something which runs elsewhere.

    :param where: ``thread``, ``process``, ``task``, ``gather``, ``fork``, as the vocabulary has it.
    :param count: how many get it at once, 2 for any number of them.
    :param borrowed: the session, where the code has it from somebody else.
    :param threads: where tasks get it that wait for threads, what starts these: ``gather(to_thread(f, session), …)``.
    """

    solved: Solved
    point: Point
    call: ast.Call
    fact: Fact
    where: str
    count: int
    borrowed: Borrowed | None
    threads: tuple[ast.Call, ...] = ()


def handings(facts: ModuleFacts, *places: str) -> Iterator[Handing]:
    """Every call that gives a session to something in one of some places, once for each session."""
    if facts.module is None:
        return
    wanted = _codes(facts, facts.module, places)
    for solved, borrowed in _solutions(facts, wanted):
        seen: set[tuple[ast.AST, object]] = set()
        for point, fact in solved.visits(PointKind.CALL) if wanted else ():
            call = point.node
            if not isinstance(call, ast.Call) or fact.site is None or (call, fact.site) in seen:
                continue
            if fact.state in (State.CLOSED, State.GIVEN) or (where := runs(facts.module, call)) not in places:
                continue
            count = given(facts.module, call, fact, where)
            if count:
                seen.add((call, fact.site))
                waiting = coroutines(facts.module, call, fact) if where in _TASKS else []
                threads = tuple(one for one in waiting if in_thread(facts.module, one) is not None)
                yield Handing(solved, point, call, fact, where, count, borrowed, threads)


def _codes(facts: ModuleFacts, module: Module, places: tuple[str, ...]) -> set[ast.AST]:
    """The codes with a session that run something in one of some places."""
    running = [call for call, where in module.running.items() if where in places]
    codes: set[ast.AST] = {module.code_of(module.calls.scope(call)) for call in running}
    own = {*(solved.code for solved in facts.solved), *(one.code for one in facts.borrowed)} if codes else set()
    return codes & own


def _solutions(facts: ModuleFacts, wanted: set[ast.AST]) -> Iterator[tuple[Solved, Borrowed | None]]:
    for solved in facts.solved if wanted else ():
        if solved.code in wanted:
            yield solved, None
    for one in facts.borrowed if wanted else ():
        if one.code in wanted and one.solved is not None:
            yield one.solved, one


def running(module: Module) -> dict[ast.Call, str]:
    """The calls of a module that run something elsewhere, each with where; in most modules there are none."""
    likely = module.calls.likely(module.calls.vocabulary.running_words | _TASK | START)
    return {call: where for call in likely if (where := runs(module, call))}


def runs(module: Module, call: ast.Call) -> str:
    """Where a call runs what it is given; empty for most."""
    meaning = module.calls.callee(call).meaning
    if meaning is not None:
        return meaning.runs
    if isinstance(call.func, ast.Attribute) and call.func.attr in _TASK:
        return _of_decorator(module, call.func.value, module.calls.scope(call))
    if in_thread(module, call) is not None and call not in module.names.scopes.awaited:
        names = module.names.qualify(call.func, module.calls.scope(call))
        return "thread" if _FUTURES.intersection(map(module.calls.vocabulary.canonical, names)) else ""
    return started(module, call)


def in_thread(module: Module, call: ast.Call) -> Meaning | None:
    """What a call means that runs a function in a thread and lets one await what it gives."""
    if word(call.func) not in module.calls.vocabulary.thread_words:
        return None
    found = module.calls.meaning(module.names.qualify(call.func, module.calls.scope(call)))
    return found if found is not None and found.role is Role.CALLS and found.runs == "thread" else None


def awaited_function(module: Module, call: ast.Call) -> tuple[Module, FunctionNode] | None:
    """The function of the project that an awaited call runs in a thread: ``await to_thread(work)``; with its module."""
    target = _target(module, call) if in_thread(module, call) is not None and _is_awaited(module, call) else None
    names = module.names.qualify(target, module.calls.scope(call)) if target is not None else ()
    found = [one for one in map(module.names.definition, sorted(names)) if one is not None]
    if len(found) != 1 or not isinstance(found[0][1], ast.FunctionDef):
        return None
    return module.program.module(found[0][0]), found[0][1]


def _is_awaited(module: Module, call: ast.Call) -> bool:
    """Whether a call is awaited where it stands, by itself or among others that are gathered."""
    above = module.parents.get(call)
    while isinstance(above, (ast.Starred, *DISPLAYS, *COMPREHENSIONS)):
        above = module.parents.get(above)
    awaited = module.names.scopes.awaited
    return call in awaited or (isinstance(above, ast.Call) and above in awaited and runs(module, above) == "gather")


def threads(module: Module) -> dict[ast.AST, ast.Call]:
    """The functions that calls of a module start threads with, each with the first such call."""
    found: dict[ast.AST, ast.Call] = {}
    for call in module.calls.likely(module.calls.vocabulary.thread_words):
        scope, target = module.calls.scope(call), _target(module, call)
        if isinstance(target, ast.Lambda) and isinstance(target.body, ast.Call):
            target = target.body.func
        for name in module.names.qualify(target, scope) if target is not None else ():
            started = module.names.definition(name)
            if started is not None:
                found.setdefault(started[1], call)
    return found


def _target(module: Module, call: ast.Call) -> ast.expr | None:
    """What a call runs in a thread: one that it starts, or one of those that an executor has."""
    meaning = in_thread(module, call) or module.calls.callee(call).meaning
    if meaning is None or meaning.runs != "thread":
        made = applied(call) if runs(module, call) == "thread" else None
        return made.func if made is not None else None
    named = next((k.value for k in call.keywords if k.arg in _FUNCTION), None)
    return named or (call.args[meaning.argument] if len(call.args) > meaning.argument else None)


def _of_decorator(module: Module, node: ast.expr, scope: Scope) -> str:
    """Where a function runs whose decorator takes it elsewhere: a task queue's."""
    for name in module.names.qualify(node, scope):
        found = module.names.definition(name)
        if found is None or not isinstance(found[1], (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        home = module.program.module(found[0])
        outer = home.names.scopes.of[found[1]].parent or home.names.scopes.module
        for decorator in found[1].decorator_list:
            target = decorator.func if isinstance(decorator, ast.Call) else decorator
            meaning = home.calls.meaning(home.names.qualify(target, outer))
            if meaning is not None and meaning.runs:
                return meaning.runs
    return ""


# what a call gets


def given(module: Module, call: ast.Call, fact: Fact, where: str) -> int:
    """How many of those that a call sets going get the session: none, one, or several."""
    if where == "fork":
        return int(fact.state is State.ACTIVE)
    values = [*arguments(call)]
    called = where == "task" and module.calls.callee(call).role is Role.TAKES  # start_soon(work, session)
    if called and _takes_turns_later(module, call):
        return 0
    if not values:
        return int(takes_along(module, call, fact))
    if where in _TASKS and not called:
        return min(_MANY, len(coroutines(module, call, fact)))
    got = any(_gets(module, value, fact) for value in values)
    return 0 if not got else _MANY if module.calls.callee(call).name in _MAPPING else 1


def _gets(module: Module, value: ast.expr, fact: Fact) -> bool:
    if isinstance(value, ast.GeneratorExp):  # each element is a call that is made later: delayed(work)(session, x)
        return isinstance(value.elt, ast.Call) and any(held(a, fact) for a in arguments(value.elt))
    hold = held(value, fact)
    if isinstance(value, ast.Call) and is_partial(module.calls.callee(value).names):
        return any(held(a, fact) in (Hold.WHOLE, Hold.INSIDE) or _is_method(a, fact) for a in arguments(value))
    if hold in (Hold.WHOLE, Hold.INSIDE):
        return not _is_made(module, value)
    if _is_method(value, fact) or (isinstance(value, ast.Attribute) and own_method_uses(module, value, fact)):
        return True
    if isinstance(value, (ast.Tuple, ast.List, ast.Dict)):
        parts = value.values if isinstance(value, ast.Dict) else value.elts
        return any(_gets(module, part, fact) for part in parts)
    return isinstance(value, ast.Attribute) and hold is Hold.CLOSER


def _is_method(value: ast.expr, fact: Fact) -> bool:
    """Whether an expression is a method of the session, not called yet: ``session.execute``."""
    known = isinstance(value, ast.Attribute) and value.attr in effects()
    return known and held(value.value, fact) is Hold.WHOLE  # type: ignore[attr-defined]  # as it was asked


def _is_made(module: Module, value: ast.expr) -> bool:
    """Whether the value comes out of a call, which may have taken from the session what it needs."""
    return isinstance(value, ast.Call) and not is_dict(module, value)


def coroutines(module: Module, call: ast.Call, fact: Fact) -> list[ast.Call]:
    """The coroutines that use the session, of those that a call gets; twice where they are any number."""
    return [one for value in arguments(call) for one in _coroutines(module, value, fact, call)]


def _coroutines(module: Module, value: ast.expr, fact: Fact, call: ast.Call) -> list[ast.Call]:
    """Those of them that an argument stands for."""
    if isinstance(value, ast.Starred):
        return _coroutines(module, value.value, fact, call)
    if isinstance(value, DISPLAYS):
        return [one for element in value.elts for one in _coroutines(module, element, fact, call)]
    if isinstance(value, COMPREHENSIONS):
        return _coroutines(module, value.elt, fact, call) * _MANY
    if isinstance(value, ast.Name):
        return _collected(module, value, fact, call)
    uses = isinstance(value, ast.Call) and not _take_turns(module, value) and _uses(module, value, fact)
    return [value] if uses else []  # type: ignore[list-item]  # as it was asked


def _uses(module: Module, value: ast.Call, fact: Fact) -> bool:
    """Whether a coroutine that a call makes uses the session."""
    if any(held(a, fact) in (Hold.WHOLE, Hold.INSIDE) or _is_method(a, fact) for a in arguments(value)):
        return not module.calls.callee(value).constructor
    start, methods = root(value, fact)
    if methods and held(start, fact) is Hold.WHOLE:
        return True
    if known_as(module, value, module.calls.callee(value), fact):
        return True
    captures = isinstance(value.func, ast.Name) and held(value.func, fact) is Hold.INSIDE
    return captures or (isinstance(value.func, ast.Attribute) and own_method_uses(module, value.func, fact))


def _take_turns(module: Module, call: ast.Call) -> bool:
    """Whether a coroutine awaits whatever it does while it has a lock: others like it wait for that."""
    callee = module.calls.callee(call)
    if callee.function is None:
        return False
    home = module.at(callee)
    scope = home.names.scopes.of[callee.function]
    blocks = [
        block
        for block in own_of(callee.function, ast.AsyncWith)
        if any(home.names.qualify(item.context_expr, scope) & _LOCKS for item in block.items)
    ]
    locked = {node for block in blocks for node in own_nodes(block)}
    return bool(locked) and locked.issuperset(own_of(callee.function, ast.Await))


def _takes_turns_later(module: Module, call: ast.Call) -> bool:
    """The same of the coroutine that a call has made, of a function and its arguments."""
    made = applied(call)
    if made is None:
        return False
    module.calls.stands_in(made, call)
    return _take_turns(module, made)


_LOCKS = frozenset({"asyncio.Lock()", "anyio.Lock()", "trio.Lock()"})


def _collected(module: Module, name: ast.Name, fact: Fact, call: ast.Call) -> list[ast.Call]:
    """The same of a variable: a list of coroutines, or one that they are added to."""
    scope = module.calls.scope(call)
    owner = module.names.owner(name.id, scope)
    bindings = owner.bindings[name.id] if owner is scope else []
    values = [b.node for b in bindings if isinstance(b.node, (*DISPLAYS, *COMPREHENSIONS, ast.Call))]
    found = max((_coroutines(module, value, fact, call) for value in values), default=[], key=len)
    for added in (c for c, inner in module.names.scopes.calls.items() if inner is scope):
        if appends(added, name.id):
            one = _coroutines(module, added.args[0], fact, call)
            found = found + one * (_MANY if _in_loop(module, added) else 1)
    return found


def _in_loop(module: Module, node: ast.AST) -> bool:
    while node not in module.names.scopes.of:
        node = module.parents[node]
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            return True
    return False


def is_request(one: Borrowed | None) -> bool:
    """Whether a session is that of a request: the framework gives it to a handler, and closes it afterwards."""
    if one is None or one.in_context:
        return one is not None
    if one.code not in one.module.handlers:
        return False
    return injected(one.module, one.code, one.name)
