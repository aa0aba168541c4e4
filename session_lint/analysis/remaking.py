"""Engines and factories that are made anew by each call of a function which opens a session from them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import arguments
from session_lint.analysis.makers import makers
from session_lint.analysis.passing_objects import made_in_passing, opening_of
from session_lint.analysis.reach import after
from session_lint.analysis.requests import request_codes
from session_lint.analysis.starting import makes_application
from session_lint.flow import PointKind, build
from session_lint.python.nodes import assigned_at, assigned_in, own_nodes, own_of, path
from session_lint.python.passing_on import runs_as_written
from session_lint.python.scopes import BindingKind, below, parameters
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import Role
from session_lint.vocabulary.tables import MAKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.facts import ModuleFacts
    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode, Scope

_MIGRATIONS = "alembic"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEEPEST = 3
"""How many functions lie between the one that opens a session and the call that made its engine."""


@dataclass(frozen=True, eq=False)
class Remaking:
    """An engine, or a factory, that each call of a function makes anew.

    :param call: what makes it.
    :param opening: the session that is opened from it.
    :param engine: whether it is an engine, with a pool of its own.
    """

    call: ast.Call
    opening: ast.AST
    code: FunctionNode
    engine: bool


def remakings(facts: ModuleFacts) -> Iterator[Remaking]:
    """The first engine, or else factory, that each function makes for its session."""
    module = facts.module
    if module is None or any(name.partition(".")[0] == _MIGRATIONS for name in module.names.imported):
        return
    made: dict[ast.AST, list[ast.Call]] = {}
    words = module.calls.vocabulary.making_words
    for call in module.calls.likely(words):
        if module.calls.callee(call).role in MAKING:
            made.setdefault(module.code_of(module.calls.scope(call)), []).append(call)
    for call in _helped(facts):
        made.setdefault(module.code_of(module.calls.scope(call)), []).append(call)
    for code, calls in made.items():
        if not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) or makes_application(module, code):
            continue
        yield from _for_objects(module, code, calls)
        if not _kept(module, code, calls):
            found = _used(module, code, calls)
            if found is not None and (_runs_often(module, code) or _goes_round(module, found)):
                yield found


def _for_objects(module: Module, code: FunctionNode, calls: list[ast.Call]) -> Iterator[Remaking]:
    """The engine that an object makes which is there for one request."""
    for call in calls if code.name == "__init__" else ():
        opening = opening_of(module, code, call) if module.calls.callee(call).role is Role.ENGINE_MAKER else None
        if opening is not None and made_in_passing(module, code):
            yield Remaking(call, opening, code, engine=True)
            return


def _helped(facts: ModuleFacts) -> list[ast.Call]:
    """The calls of the project's own functions that make an engine, or a factory, each time for who opens a session."""
    module = facts.module
    assert module is not None
    opening = {code for code, _ in module.codes if code in module.opening}
    calls = (c for code in opening if isinstance(code, _FUNCTIONS) for c in own_of(code, ast.Call) if c in module.calls)
    return [
        call for call in calls if any(_made_by_helper(module, call, part=p) is not None for p in _parts(module, call))
    ]


def _parts(module: Module, call: ast.Call) -> list[int | None]:
    """Which of the things that a call gives are given names: the whole, or some by their places in a tuple."""
    node = assigned_at(module.parents.get(call))
    target = node.targets[0] if node is not None and len(node.targets) == 1 else None
    return [*range(len(target.elts))] if isinstance(target, (ast.Tuple, ast.List)) else [None]


def _kept(module: Module, code: FunctionNode, calls: list[ast.Call]) -> bool:
    """Whether what a function makes is made once: kept somewhere, cached, or for one life only."""
    if module.is_memoised(code) or own_of(code, ast.Global):
        return True
    returned = (n.value for n in own_of(code, ast.Return) if n.value is not None)
    return any(_given(value, calls, code) for value in returned) or _stored(code, calls)


def _stored(code: FunctionNode, calls: list[ast.Call]) -> bool:
    """Whether a function stores what it makes, ends it itself, or makes it without a pool."""
    for node in own_nodes(code):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value in calls:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(map(_keeps, targets)):
                return True
        if isinstance(node, ast.Attribute) and node.attr == "dispose":
            return True
        if isinstance(node, ast.keyword) and node.arg == "poolclass":
            return True
    names = {path(t) for n in assigned_in(code) if n.value in calls for t in n.targets}
    stored = (n for n in assigned_in(code) if isinstance(n.value, ast.Name))
    return any(n.value.id in names and _keeps(n.targets[0]) for n in stored)  # type: ignore[attr-defined]


def _keeps(target: ast.expr) -> bool:
    """Whether what is assigned is kept somewhere: tables that each call gives its engine only keep the last one."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return any(map(_keeps, target.elts))
    return not isinstance(target, ast.Name) and not (isinstance(target, ast.Attribute) and target.attr == "bind")


def _given(value: ast.expr, calls: list[ast.Call], code: FunctionNode) -> bool:
    """Whether a function returns what it makes: how often is its caller's affair."""
    assigned = {path(t) for n in assigned_in(code) if n.value in calls for t in n.targets}
    tuples = (n.value for n in assigned_in(code) if path(value) and path(value) in map(path, n.targets))
    value = next((one for one in tuples if isinstance(one, ast.Tuple)), value)
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return any(part in calls or (isinstance(part, ast.Name) and part.id in assigned) for part in parts)


def _used(module: Module, code: FunctionNode, calls: list[ast.Call]) -> Remaking | None:
    """The engine or factory of a function from which it opens a session itself."""
    own = {arg.arg for arg in parameters(code)}
    for opening in (n for n in own_of(code, ast.Call) if n in module.calls):
        scope = module.calls.scope(opening)
        if module.calls.callee(opening).role not in (Role.FACTORY, Role.SCOPE):
            given = next((c for a in _opened_over(module, opening) for c in calls if _is_from(module, a, c)), None)
            if given is not None:
                return Remaking(given, opening, code, engine=True)
            continue
        factories = [c for c in calls if c in _makers(module, opening, scope)]
        engines = [c for call in (opening, *factories) for c in calls if _over(module, call, c)]
        helper, part = (None, None) if engines or factories else _origin(module, opening.func, scope)
        if helper is not None:
            engines = [c for c in calls if _over(module, helper, c)]
        made = _made_by_helper(module, helper, part=part) if helper in calls else None
        if engines:
            found = Remaking(engines[0], opening, code, engine=True)
        elif made is not None and helper is not None:
            found = Remaking(helper, opening, code, engine=made is Role.ENGINE_MAKER)
        elif factories and not any(_over_given(module, a, own, scope) for a in _arguments(factories[0])):
            found = Remaking(factories[0], opening, code, engine=False)
        else:
            continue
        return None if _of_object(module, found) else found
    return None


def _opened_over(module: Module, opening: ast.Call) -> list[ast.expr]:
    """The engines that a function of the project is given, to open the session over them which it returns."""
    callee = module.calls.callee(opening)
    function, home = callee.function, module.at(callee)
    if function is None or not (opening.args or opening.keywords) or not home.hands_out(function):
        return []
    makers_of = (
        c for c in own_of(function, ast.Call) if c in home.calls and home.calls.callee(c).role in _OVER_ENGINES
    )
    over = {path(a) for call in makers_of for a in _arguments(call)}
    return [a for name, a in bind(opening, function, bound=callee.bound).items() if a is not None and name in over]


_OVER_ENGINES = (Role.FACTORY, Role.FACTORY_MAKER)


def _is_from(module: Module, value: ast.expr, made: ast.Call) -> bool:
    """Whether an expression is the engine that a call has made."""
    scope = module.calls.scope(made)
    if module.calls.callee(made).role is Role.ENGINE_MAKER:
        return value is made or any(m is made for _, m in makers(module, value, scope))
    origin, part = _origin(module, value, scope)
    return origin is made and _made_by_helper(module, made, part=part) is Role.ENGINE_MAKER


Origin = tuple["ast.Call | None", "int | None"]
"""A call, if there is one, and at which place of the tuple that it gives something stands, if it does."""


def _origin(module: Module, node: ast.expr, scope: Scope, call: ast.Call | None = None) -> Origin:
    """The call that an expression stands for, itself or by a variable of the same function that holds nothing else.

    :param call: the one of the function, which may leave out a parameter that such a call then takes the place of.
    """
    if isinstance(node, ast.Call):
        return (node, None) if node in module.calls else (None, None)
    if not isinstance(node, ast.Name):
        return None, None
    bindings = scope.bindings.get(node.id, [])
    if len(bindings) == 1 and isinstance(bindings[0].whole, ast.Call) and bindings[0].whole in module.calls:
        return bindings[0].whole, bindings[0].index
    values = [b.node for b in bindings if b.kind is BindingKind.VALUE]
    rest = [b for b in bindings if b.kind is not BindingKind.VALUE]
    told = any(b.kind is not BindingKind.PARAMETER or call is None or _tells(call, node.id) for b in rest)
    value = values[0] if len(values) == 1 and not told else None
    return (value, None) if isinstance(value, ast.Call) and value in module.calls else (None, None)


def _tells(call: ast.Call, parameter: str) -> bool:
    """Whether a call may give a parameter something."""
    return bool(call.args) or any(k.arg in (None, parameter) for k in call.keywords)


def _made_by_helper(module: Module, call: ast.Call, depth: int = 0, *, part: int | None = None) -> Role | None:
    """Whether each such call of the project's own function makes an engine, or a factory over what is there.

    What is made by a function that keeps it, has it kept by a decorator, or gets the engine from its caller, is not.

    :param part: at which place of the tuple that the function gives it is.
    """
    callee = module.calls.callee(call)
    function = callee.function
    if function is None or depth > _DEEPEST or own_of(function, ast.Global):
        return None
    home = module.at(callee)
    if not runs_as_written(home.names, function):
        return None
    scope = home.names.scopes.of[function]
    values = [n.value for n in own_of(function, ast.Return) if n.value is not None]
    given = [_origin(home, one, scope) for one in (_at(value, part) for value in values) if one is not None]
    calls = [c for c in own_of(function, ast.Call) if c in home.calls and home.calls.callee(c).role in MAKING]
    if len(given) != len(values) or not given or _stored(function, calls):
        return None
    found = {None if one is None else _makes(home, function, one, call, depth, part=at) for one, at in given}
    role = found.pop() if len(found) == 1 else None
    return role if part is None or role is Role.ENGINE_MAKER else None  # a factory over what is there costs little


def _at(value: ast.expr, part: int | None) -> ast.expr | None:
    """What is returned, or stands at a place of the tuple that is; nothing where that is not seen."""
    if part is None:
        return value
    return value.elts[part] if isinstance(value, ast.Tuple) and part < len(value.elts) else None


def _makes(
    home: Module, function: FunctionNode, made: ast.Call, call: ast.Call, depth: int, *, part: int | None = None
) -> Role | None:
    """What a call in such a function makes anew: an engine, or a factory over one that is there.

    :param call: the call of the function.
    """
    role = home.calls.callee(made).role
    if role is Role.ENGINE_MAKER:
        return role
    if role is not Role.FACTORY_MAKER:
        return _made_by_helper(home, made, depth + 1, part=part)
    scope = home.names.scopes.of[function]
    engines = [_origin(home, a, scope, call) for a in _arguments(made)]
    fresh = [e for e, _ in engines if e is not None]
    if any(_makes(home, function, one, call, depth) is Role.ENGINE_MAKER for one in fresh):
        return Role.ENGINE_MAKER
    own = {arg.arg for arg in parameters(function)}
    return None if any(_over_given(home, a, own, scope) for a in _arguments(made)) else role


def _over_given(module: Module, bound: ast.expr, own: set[str], scope: Scope) -> bool:
    """Whether the engine of a factory is the caller's, or one that somebody else's code gives each call.

    :param own: the parameters.
    """
    if path(bound).partition(".")[0] in own and not _is_objects_own(module, bound, scope):
        return True
    made = makers(module, bound, scope)
    return bool(made) and all(
        home.calls.callee(call).role is None
        and word(call.func) != _OF_SESSION
        and not isinstance(home.code_of(home.calls.scope(call)), ast.Module)
        for home, call in made
    )


def _is_objects_own(module: Module, bound: ast.expr, scope: Scope) -> bool:
    """Whether an engine is one that the class of a method makes for each of its objects, to keep."""
    if not isinstance(bound, ast.Attribute) or module.names.own_class(bound.value, scope) is None:
        return False
    made = makers(module, bound, scope)
    kept = bool(made) and all(home.calls.callee(call).role is Role.ENGINE_MAKER for home, call in made)
    return kept and getattr(scope.node, "name", "") != "__init__"


_OF_SESSION = "get_bind"
"""A session's engine is not made for a call: it has one to begin with."""


def _of_object(module: Module, one: Remaking) -> bool:
    """Whether the method's object keeps the session, and so what that is opened from: there is one for each object."""
    if one.code in request_codes(module):
        return False
    scope = module.names.scopes.of[one.code]
    assigned = [
        (value, target)
        for node in own_nodes(one.code)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and (value := node.value) is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    names = {path(target) for value, target in assigned if value is one.opening and isinstance(target, ast.Name)}
    return any(
        (value is one.opening or path(value) in names)
        and isinstance(target, ast.Attribute)
        and module.names.own_class(target.value, scope) is not None
        for value, target in assigned
    )


def _makers(module: Module, opening: ast.Call, scope: Scope) -> list[ast.Call]:
    """The calls that made the factory from which a call opens a session, through a registry of the function's own."""
    found = [made for _, made in makers(module, opening.func, scope)]
    registries = [c for c in (opening, *found) if c in module.calls and _makes_registry(module.calls.callee(c))]
    given = [argument for call in registries for argument in call.args[:1]]
    inner = [
        call for a in given for call in ([a] if isinstance(a, ast.Call) else [m for _, m in makers(module, a, scope)])
    ]
    return found + inner


def _makes_registry(callee: Callee) -> bool:
    return callee.lazy or callee.role is Role.REGISTRY_MAKER


def _over(module: Module, call: ast.Call, made: ast.Call) -> bool:
    """Whether a session or factory is made over an engine that was made by a call."""
    return any(_is_from(module, a, made) for a in _arguments(call))


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("bind", "engine"))]


def _runs_often(module: Module, code: FunctionNode) -> bool:
    """Whether a function may run many times in a process: not only as a script's or a command's one act."""
    if code.name == "main" or is_command(module, code):
        return False
    if code in request_codes(module):
        return True
    callers = module.program.callers(module, code)
    if callers is None:
        return False
    return not callers or any(
        _is_function(home, caller) and not _for_object(home, caller, code) for home, caller in callers
    )


def _for_object(home: Module, caller: ast.AST, code: FunctionNode) -> bool:
    """Whether an object that is made keeps all that it gets of a function: there is one for each object."""
    if not isinstance(caller, ast.FunctionDef) or caller.name != "__init__":
        return False
    calls = [c for c in home.calls_in(caller) if home.calls.callee(c).function is code]
    kept = [assigned_at(home.parents.get(c)) for c in calls]
    fields = all(one is not None and all(isinstance(t, ast.Attribute) for t in one.targets) for one in kept)
    return fields and not made_in_passing(home, caller)


def _goes_round(module: Module, one: Remaking) -> bool:
    """Whether ``main`` or the body of a module calls a function again and again, and it makes the same each time."""
    own = module.names.scopes.of[one.code].bindings
    if one.code.name == "main" or any(isinstance(n, ast.Name) and n.id in own for n in below(one.call)):
        return False  # one engine for each of some databases, perhaps
    return any(
        home.calls.callee(call).function is one.code and _in_circle(caller, call)
        for home, caller in module.program.callers(module, one.code) or ()
        for call in home.calls_in(caller)
    )


def _in_circle(code: ast.AST, call: ast.Call) -> bool:
    """Whether a call stands in a loop that comes back to it once it has returned: no loop that only tries again."""
    if not any(call in below(loop) for loop in own_of(code, ast.While, ast.For)):
        return False
    graph = build(code, frozenset())  # type: ignore[arg-type]  # a caller has a graph
    points = [p for block in graph.blocks for p in block.points if p.node is call and p.kind is PointKind.CALL]
    return any(p.node is call for p in after(graph, points, lambda _: False))


def _is_function(home: Module, caller: ast.AST) -> bool:
    plain = isinstance(caller, (ast.FunctionDef, ast.AsyncFunctionDef)) and caller.name != "main"
    return plain and not is_command(home, caller)  # type: ignore[arg-type]


def is_command(module: Module, code: FunctionNode) -> bool:
    """Whether a decorator makes a function a command, a fixture or something else that is run once."""
    scope = module.names.scopes.of[code].parent or module.names.scopes.module
    for decorator in code.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = module.calls.meaning(module.names.qualify(target, scope))
        if found is not None and found.role in (Role.COMMAND, Role.FIXTURE):
            return True
        if found is None and isinstance(target, ast.Attribute) and target.attr == "command":
            return True  # of a group that was made by a decorator
    return _reads_command_line(module, code) or _is_told_to_be_one(module, code)


def _reads_command_line(module: Module, code: FunctionNode) -> bool:
    """Whether a function looks at what the program was started with: that is done once."""
    scope = module.names.scopes.of[code]
    parses = (n for n in own_of(code, ast.Call) if word(n.func) in _PARSING)
    reads = (n for n in own_of(code, ast.Attribute) if n.attr == _ARGUMENTS.rpartition(".")[2])
    return any(True for _ in parses) or any(_ARGUMENTS in module.names.qualify(node, scope) for node in reads)


_PARSING = ("parse_args", "parse_known_args", "parse_intermixed_args", "docopt")
"""The methods of ``argparse`` and its like that read a command line."""
_ARGUMENTS = "sys.argv"


def _is_told_to_be_one(module: Module, code: FunctionNode) -> bool:
    """Whether a function is told to be a command, of a program or a part of it: ``set_defaults(func=run)``."""
    for call, scope in module.names.scopes.calls.items():
        called = word(call.func)
        if called == _DEFAULTS or (called in _RUNNING and module.calls.callee(call).names & _COMMANDING):
            given = [*arguments(call)]
            names = {name for value in given for name in (module.names.qualify(value, scope) if path(value) else ())}
            if any(module.names.definitions.get(name) is code for name in names):
                return True
    return False


_DEFAULTS = "set_defaults"
"""The method by which a parser of ``argparse`` is told what a command runs."""
_COMMANDING = frozenset({"typer.run", "fire.Fire"})
"""What makes a program of the function that it is given."""
_RUNNING = {name.rpartition(".")[2] for name in _COMMANDING}
