"""What methods do to a session that their object was given when it was made: repositories, services, units of work.

The object's class says which fields have it, and the method what becomes of them::

    users = Users(session)  # self.session = session
    users.save(user)        # self.session.add(user); self.session.commit()
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from session_lint.analysis import guards
from session_lint.analysis.arguments import bind, parameters_given
from session_lint.analysis.family import family
from session_lint.analysis.holding import Hold, held
from session_lint.analysis.makers import makers
from session_lint.analysis.state import NOTHING, State
from session_lint.analysis.summaries import is_generator
from session_lint.python.names import is_property
from session_lint.python.nodes import assigned_at, own_of, path
from session_lint.python.scopes import BindingKind, below, parameters

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Fact
    from session_lint.analysis.summaries import Outcome
    from session_lint.python.scopes import FunctionNode, Scope

_DEEPEST = 4
"""How many base classes hand a session on to their own base."""


def by_method(module: Module, call: ast.Call, callee: Callee, fact: Fact, *, alone: bool) -> tuple[Outcome, ...] | None:
    """What a method does to the session that its object was given; ``None`` where that is not known.

    :param alone: whether only what it does to the session counts.
    """
    names = known_as(module, call, callee, fact)
    if not names or callee.function is None:
        return None
    whole = names | {*parameters_given(module, call, callee.function, fact, bound=True)}
    there = frozenset[tuple[str, bool]]().union(*map(guards.present, whole))
    start = NOTHING._replace(names=whole, guards=there, state=State.CLOSED if fact.state is State.CLOSED else State.NEW)
    return module.at(callee).summaries.inner(callee.function, start, alone=alone)


def known_as(module: Module, call: ast.Call, callee: Callee, fact: Fact) -> frozenset[str]:
    """How a method knows the session that its object was given: as fields of its own."""
    method = callee.function
    if method is None or not callee.bound or is_generator(method) or not parameters(method):
        return frozenset()
    made = _made(module, call)
    on = path(call.func.value) if isinstance(call.func, ast.Attribute) else ""
    fields = (fields_of(module, made, fact) if made is not None else frozenset()) or entered_fields(on, fact)
    fields = fields or _fields_of_part(module, call, fact)
    if not fields:
        return frozenset()
    own = parameters(method)[0].arg
    names = frozenset(f"{own}.{name}" for name in fields | _read_by(module.at(callee), method, fields))
    stored = (n for n in own_of(method, ast.Attribute) if not isinstance(n.ctx, ast.Load))
    return frozenset() if any(path(n) in names for n in stored) else names


def entered_fields(name: str, fact: Fact) -> frozenset[str]:
    """The fields of an object in which it has the session from when it is entered to when it is left.

    :param name: the variable of the object.
    """
    if not name or not any(
        isinstance(n, tuple) and n[0] == "under" and ("with", n[1]) in fact.names for n in fact.names
    ):
        return frozenset()
    texts = (n for n in fact.names if isinstance(n, str) and n.startswith(f"{name}."))
    return frozenset(n.removeprefix(f"{name}.") for n in texts)


def _fields_of_part(module: Module, call: ast.Call, fact: Fact) -> frozenset[str]:
    """The same of an object that stands in a field of the one which was entered: ``work.users.get(1)``."""
    assert isinstance(call.func, ast.Attribute)
    holder = path(call.func.value).rpartition(".")[0]
    entered = entered_fields(holder, fact)
    part = part_of(module, call.func.value, module.calls.scope(call)) if entered else None
    if part is None:
        return frozenset()
    own = {f"{part.own}.{name}" for name in entered}
    return kept_as(part.home, part.made, lambda argument: path(argument) in own)


class Part(NamedTuple):
    """An object in a field of another one, which has made it.

    :param made: the call that does that, in the module ``home``.
    :param own: what the method that it stands in calls its object.
    """

    home: Module
    made: ast.Call
    own: str


def part_of(module: Module, node: ast.expr, scope: Scope) -> Part | None:
    """The object that stands in a field of what a variable holds, where a method of that has made it."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    found = makers(module, node, scope)
    if len(found) != 1 or found[0][1] not in found[0][0].calls:
        return None
    home, made = found[0]
    method = home.calls.scope(made).node
    own = parameters(method) if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    return Part(home, made, own[0].arg) if own else None


def by_holder(module: Module, call: ast.Call, callee: Callee, fact: Fact, *, alone: bool) -> tuple[Outcome, ...] | None:
    """What a function does to the session of an entered object that it is given; ``None`` where it is given none."""
    function = callee.function
    if function is None or is_generator(function):
        return None
    given = bind(call, function, bound=callee.bound).items()
    names = frozenset(f"{name}.{field}" for name, a in given if a for field in entered_fields(path(a), fact))
    stored = {path(n) for n in own_of(function, ast.Attribute) if not isinstance(n.ctx, ast.Load)}
    if not names or names & stored:
        return None
    start = NOTHING._replace(names=names, guards=frozenset[tuple[str, bool]]().union(*map(guards.present, names)))
    return module.at(callee).summaries.inner(function, start, alone=alone)


def used_here(module: Module, code: ast.AST, made: ast.Call, fact: Fact) -> bool:
    """Whether all that becomes of an object can be followed: methods are called on it, by the code that has made it."""
    if not fields_of(module, made, fact):
        return False
    above = module.parents.get(made)
    used: list[ast.AST] = [made]
    given = assigned_at(above)
    if given is not None and len(given.targets) == 1 and isinstance(given.targets[0], ast.Name):
        name = given.targets[0].id
        used = [n for n in below(code) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
    calls = [module.parents.get(module.parents[one]) for one in used]
    return all(isinstance(c, ast.Call) and c in module.calls and _follows(module, c, made, fact) for c in calls)


def _follows(module: Module, call: ast.Call, made: ast.Call, fact: Fact) -> bool:
    on_it = isinstance(call.func, ast.Attribute) and _made(module, call) is made
    return on_it and bool(known_as(module, call, module.calls.callee(call), fact))


def _made(module: Module, call: ast.Call) -> ast.Call | None:
    """The call that made the object that is called, or a method of it, where it can be seen in the same code."""
    node: ast.AST = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    if isinstance(node, ast.Name):
        scope = module.calls.scope(call)
        bindings = scope.bindings.get(node.id, ())
        if len(bindings) != 1 or bindings[0].kind is not BindingKind.VALUE:
            return None
        node = bindings[0].node
    if not isinstance(node, ast.Call) or node not in module.calls:
        return None
    callee = module.calls.callee(node)
    return node if callee.owner is not None or _maker(callee) is not None else None


def fields_of(module: Module, made: ast.Call, fact: Fact) -> frozenset[str]:
    """The fields in which an object keeps the session of a fact.

    :param made: the call that makes it: of its class, or of a function that returns what such a call gives.
    """
    return kept_as(module, made, lambda argument: held(argument, fact) is Hold.WHOLE)


def kept_as(module: Module, made: ast.Call, holds: Callable[[ast.expr], bool], depth: int = 0) -> frozenset[str]:
    """The fields in which an object keeps those arguments of the call that makes it which hold something."""
    callee = module.calls.callee(made)
    maker = _maker(callee)
    found = module.initialiser(callee) if maker is None else (module.at(callee), maker)
    if found is None or depth > _DEEPEST:
        return frozenset()
    home, function = found
    passed = bind(made, function, bound=maker is None or callee.bound).items()
    given = frozenset(name for name, argument in passed if argument is not None and holds(argument))
    if maker is None or not given:
        return _put_by(home, function, given, 0)
    bindings = home.names.scopes.of[maker].bindings
    same = {name for name in given if len(bindings.get(name, ())) == 1}
    values = (n.value for n in own_of(maker, ast.Return))
    each = [kept_as(home, v, lambda a: path(a) in same, depth + 1) for v in values if isinstance(v, ast.Call)]
    return frozenset.intersection(*each)


def kept_by(home: Module, init: FunctionNode, given: frozenset[str]) -> frozenset[str]:
    """The fields in which an object keeps some of the parameters of its ``__init__``."""
    return _put_by(home, init, given, 0)


def _maker(callee: Callee) -> FunctionNode | None:
    """The function that a call calls, where whatever it returns comes out of a call, of a class for all one sees."""
    function = callee.function
    if not isinstance(function, ast.FunctionDef) or function.decorator_list or is_generator(function):
        return None
    given = [n.value for n in own_of(function, ast.Return)]
    return function if given and all(isinstance(value, ast.Call) for value in given) else None


def _put_by(home: Module, init: FunctionNode, given: frozenset[str], depth: int) -> frozenset[str]:
    """The fields that a constructor puts some of its parameters into, or has its base class put."""
    own = parameters(init)[0].arg if parameters(init) else ""
    found: set[str] = set()
    for node in own_of(init, ast.Assign, ast.AnnAssign) if given else ():
        if isinstance(node.value, ast.Name) and node.value.id in given:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            fields = [path(t).removeprefix(f"{own}.") for t in targets if path(t).startswith(f"{own}.")]
            found.update(name for name in fields if _stays(home, init, name))
    for call in own_of(init, ast.Call) if given and depth < _DEEPEST else ():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__init__":
            callee = home.calls.callee(call)
            if callee.function is not None:
                passed = bind(call, callee.function, bound=callee.bound).items()
                on = frozenset(name for name, a in passed if isinstance(a, ast.Name) and a.id in given)
                found |= _put_by(home.at(callee), callee.function, on, depth + 1)
    return frozenset(found)


def _stays(home: Module, init: FunctionNode, name: str) -> bool:
    """Whether a field gets its value when the object is made, and no other later."""
    owner = _class_of(home, init)
    return owner is not None and "." not in name and len(owner.attributes.get(name, ())) == 1


def _read_by(home: Module, method: FunctionNode, fields: frozenset[str]) -> frozenset[str]:
    """The properties by which a class gives the value of one of some fields."""
    owner = _class_of(home, method)
    found = set[str]()
    classes = [scope.node for _, scope in family(home, owner)] if owner is not None else []
    for node in (statement for one in classes if isinstance(one, ast.ClassDef) for statement in one.body):
        if isinstance(node, ast.FunctionDef) and is_property(node) and parameters(node):
            own = parameters(node)[0].arg
            given = [path(n.value) for n in own_of(node, ast.Return) if n.value is not None]
            if given and all(name.startswith(f"{own}.") and name.removeprefix(f"{own}.") in fields for name in given):
                found.add(node.name)
    return frozenset(found)


def _class_of(home: Module, method: FunctionNode) -> Scope | None:
    owner = home.names.scopes.of[method].parent
    return owner if owner is not None and owner.is_class else None
