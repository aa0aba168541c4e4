"""How a session was made: the options of the call that opened it, and of the factory behind that."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from session_lint.analysis.holding import arguments
from session_lint.analysis.kept_elsewhere import put_there
from session_lint.analysis.passed import bound_to, factories, given
from session_lint.python.nodes import own_of, path
from session_lint.python.scopes import BindingKind
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.containers import Place
    from session_lint.python.names import Names
    from session_lint.python.scopes import Binding, FunctionNode, Scope

_DEEPEST = 6
"""How many names and functions lie between a factory and the call that made it."""
_SESSIONMAKER = "sqlalchemy.orm.sessionmaker"
_LIBRARIES = ("sqlalchemy.", "sqlmodel.", "flask_sqlalchemy.")
_ASYNC = ("sqlalchemy.ext.asyncio.", "sqlmodel.ext.asyncio.")
Made = tuple["Module", ast.Call]
"""A call, and the module it stands in."""
Source = tuple["Module", ast.AST, "Scope"]
"""An expression that something may come from, the module it stands in and the scope."""


def makers(module: Module, node: ast.AST, scope: Scope) -> list[Made]:
    """The calls that may have made what an expression stands for, in whichever module they are."""
    found: dict[Made, None] = {}

    def sources(home: Module, node: ast.AST, scope: Scope) -> Iterable[Source]:
        if isinstance(node, (ast.Await, ast.NamedExpr)):
            return [(home, node.value, scope)]
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            parts = node.values if isinstance(node, ast.BoolOp) else [node.body, node.orelse]
            return [(home, part, scope) for part in parts]
        if isinstance(node, (ast.Call, ast.Subscript)) and (places := _places(home, node, scope)):
            return _of_modules(home, places)
        if isinstance(node, ast.Call):
            callee = home.calls.callee(node)
            if callee.function is not None:
                return _returned(home.at(callee), callee.function)
            found[home, node] = None
            return ()
        return [one for there, binding in _bindings(home, node, scope) for one in _bound(there, binding)]

    _follow((module, node, scope), sources)
    return list(found)


def expressions(module: Module, node: ast.expr, scope: Scope) -> list[tuple[Module, ast.expr]]:
    """What an expression says, or what the variable was assigned that it names, in whichever module that is."""
    found: dict[tuple[Module, ast.expr], None] = {}

    def sources(home: Module, node: ast.AST, scope: Scope) -> Iterable[Source]:
        if isinstance(node, (ast.Name, ast.Attribute)):
            return [one for there, binding in _bindings(home, node, scope) for one in _assigned(there, binding)]
        found[home, node] = None  # type: ignore[index]  # an expression
        return ()

    _follow((module, node, scope), sources)
    return list(found)


def _follow(start: Source, sources: Callable[[Module, ast.AST, Scope], Iterable[Source]]) -> None:
    """Ask for the sources of an expression, and for theirs, each once, the nearest first."""
    seen = {_what(start)}
    nearest = [start]
    for _ in range(_DEEPEST + 1):
        further = {_what(one): one for source in nearest for one in sources(*source)}
        nearest = [one for what, one in further.items() if what not in seen]
        seen.update(further)


def _what(source: Source) -> Hashable:
    """What tells a source from others: all reads of one variable have the same sources."""
    home, node, scope = source
    return (home.names.owner(node.id, scope), node.id) if isinstance(node, ast.Name) else source


def _places(module: Module, node: ast.Call | ast.Subscript, scope: Scope) -> list[Place]:
    """The expressions for what is read from a dictionary or a tuple."""
    found = module.names.looked_up(node, scope)
    index = node.slice.value if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else None
    if found or not isinstance(node, ast.Subscript) or not isinstance(index, int) or index < 0:
        return found
    return module.names.parts(node.value, index, scope)


def _of_modules(module: Module, places: list[Place]) -> list[Source]:
    return [(module.program.module(home), node, scope) for home, node, scope in places]


def _assigned(module: Module, binding: Binding, depth: int = 0) -> Iterator[Source]:
    """The expressions that a variable was assigned, in this module or in the one that it is imported from."""
    if binding.kind is BindingKind.VALUE:
        yield module, binding.node, binding.scope
    elif binding.kind is BindingKind.IMPORT and depth < _DEEPEST:
        for home, inner in _exported(module, binding.target):
            yield from _assigned(home, inner, depth + 1)


def _returned(home: Module, function: FunctionNode) -> list[Source]:
    """The expressions that a function returns."""
    scope = home.names.scopes.of[function]
    return [(home, n.value, scope) for n in own_of(function, ast.Return) if n.value is not None]


def _bindings(module: Module, node: ast.AST, scope: Scope) -> Iterator[tuple[Module, Binding]]:
    names = module.names
    if isinstance(node, ast.Name):
        owner = names.owner(node.id, scope)
        yield from ((module, b) for b in owner.bindings[node.id]) if owner is not None else ()
    elif isinstance(node, ast.Attribute):
        outer = names.own_class(node.value, scope)
        if outer is not None:
            yield from _members(module, outer, node.attr)
            return
        put = [(module.program.module(home), b) for home, _, bindings in names.put(node, scope) for b in bindings]
        if put:
            yield from put
            return
        for name in names.qualify(node.value, scope):
            owner_of = names.class_of(name)
            if owner_of is not None:
                yield from _members(module.program.module(owner_of[0]), owner_of[1], node.attr)
            elif "(" not in name:
                yield from _exported(module, f"{name}.{node.attr}")
    if isinstance(node, (ast.Attribute, ast.Subscript)) and module.from_outside.get((node, scope)):
        yield from put_there(module, node, scope)


def _members(module: Module, owner: Scope, name: str, depth: int = 0) -> Iterator[tuple[Module, Binding]]:
    """The bindings of a field of a class, or of its objects, in the nearest base class that has it."""
    found = [*owner.bindings.get(name, ()), *owner.attributes.get(name, ())]
    yield from ((module, b) for b in found)
    for base in sorted(module.names.bases(owner)) if not found and depth < _DEEPEST else ():
        inner = module.names.class_of(base)
        if inner is not None:
            yield from _members(module.program.module(inner[0]), inner[1], name, depth + 1)


def _bound(module: Module, binding: Binding, depth: int = 0) -> Iterable[Source]:
    """The expressions that a name may stand for by one of its bindings."""
    if binding.kind is BindingKind.PART and binding.whole is not None:
        return _of_modules(module, module.names.parts(binding.whole, binding.index, binding.scope))
    if isinstance(binding.node, ast.FunctionDef) and _is_read(binding.node):
        return _returned(module, binding.node)
    if binding.kind is BindingKind.PARAMETER:
        kept = bound_to(module, [binding])
        return (given(*kept) or ()) if kept is not None and factories(*kept) else ()
    if binding.kind is BindingKind.IMPORT and depth < _DEEPEST:
        return [one for home, inner in _exported(module, binding.target) for one in _bound(home, inner, depth + 1)]
    return _assigned(module, binding) if binding.kind is BindingKind.VALUE else ()


def _is_read(function: ast.FunctionDef) -> bool:
    """Whether reading a field gives what a function returns, each time or the first time."""
    return [path(one).rpartition(".")[2] for one in function.decorator_list] in (["property"], ["cached_property"])


def _exported(module: Module, dotted: str) -> Iterator[tuple[Module, Binding]]:
    """The bindings of a variable of another module."""
    found = module.names.elsewhere.find(dotted, module.names) if module.names.elsewhere is not None else None
    if found is not None and found[1]:
        bindings = found[0].scopes.module.bindings.get(found[1], ())
        yield from ((module.program.module(found[0]), b) for b in bindings)


def options(module: Module, opening: ast.Call) -> dict[str, tuple[Module, ast.expr]]:
    """What a session was told when it was opened: the keywords of the call, and those of its factory's making."""
    found: dict[str, tuple[Module, ast.expr]] = {}
    for home, call in makers(module, opening.func, module.calls.scope(opening)):
        if home.calls.callee(call).role in (Role.FACTORY_MAKER, Role.REGISTRY_MAKER):
            found.update((name, (home, value)) for name, value in _told(home, call))
    found.update((k.arg, (module, k.value)) for k in opening.keywords if k.arg)
    return found


def _told(module: Module, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """What a call tells by name; the class of sessions was the second argument of ``sessionmaker`` until 2.0."""
    if len(call.args) > 1 and not any(isinstance(argument, ast.Starred) for argument in call.args[:2]):
        names = map(module.calls.vocabulary.canonical, module.calls.callee(call).names)
        yield from (("class_", call.args[1]) for name in names if name == _SESSIONMAKER)
    yield from ((k.arg, k.value) for k in call.keywords if k.arg)


def switched_off(module: Module, opening: ast.Call, option: str) -> bool | None:
    """Whether a session was opened with ``option=False``; ``None`` where the value is not a constant."""
    given = options(module, opening).get(option)
    if given is None:
        return False
    return given[1].value is False if isinstance(given[1], ast.Constant) else None


def autocommits(module: Module, opening: ast.Call) -> bool:
    """Whether a session may have no transaction until somebody begins one, as there were some before 2.0."""
    given = options(module, opening).get("autocommit")
    return given is not None and not (isinstance(given[1], ast.Constant) and not given[1].value)


def told_otherwise(module: Module, opening: ast.Call, option: str) -> bool:
    """Whether a session may have an option in a way that :func:`options` does not read.

    By ``**``, by a class of its own, by ``configure()`` or ``functools.partial()``, as an attribute, in a dictionary;
    or where nobody sees how its factory was made.
    """
    made_by = makers(module, opening.func, module.calls.scope(opening))
    if not made_by and any("(" in name for name in module.calls.callee(opening).names):
        return True
    calls = [(module, opening), *made_by]
    for home, call in calls:
        if any(k.arg is None for k in call.keywords):
            return True
        if any(name == "class_" and _of_project(home, call, value) for name, value in _told(home, call)):
            return True
    callee = module.calls.callee(opening)
    homes = {home for home, _ in calls} | ({module.at(callee)} if callee.owner is not None else set())
    return any(says(home, option) for home in homes)


def says(module: Module, option: str) -> bool:
    """Whether a module speaks of an option in another way than by a keyword of what makes sessions."""
    if option not in module.source.text:
        return False
    if re.search(rf"""\.{option}\b|["']{option}["']""", module.source.text):
        return True
    named = (c for c in module.names.scopes.calls if any(k.arg == option for k in c.keywords))
    return any(module.calls.callee(call).role not in _MAKING for call in named)


_MAKING = (Role.FACTORY, Role.FACTORY_MAKER, Role.REGISTRY_MAKER)


def _of_project(module: Module, call: ast.Call, node: ast.expr) -> bool:
    names = module.names.qualify(node, module.calls.scope(call))
    return not names or any(module.names.class_of(name) is not None for name in names)


def asynchronous(names: Iterable[str]) -> bool:
    """Whether dotted names are all of SQLAlchemy's asynchronous sessions or of what makes them."""
    found = list(names)
    return bool(found) and all(name.startswith(_ASYNC) for name in found)


def own_names(module: Module, names: Iterable[str]) -> list[str]:
    """The names that SQLAlchemy itself has for what another library gives by a name of its own."""
    return [name if name.startswith("sqlalchemy.") else module.calls.vocabulary.canonical(name) for name in names]


def opens_async(module: Module, opening: ast.Call) -> bool | None:
    """Whether a call opens an asynchronous session; ``None`` where its class is not known."""
    if asynchronous(own_names(module, module.calls.callee(opening).names)):
        return True
    given = options(module, opening).get("class_")
    if given is None:
        return False
    home, value = given
    kinds = {_is_async(home.names, name, 0) for name in home.names.qualify(value, home.names.scopes.module)}
    return kinds.pop() if len(kinds) == 1 else None


def _is_async(names: Names, name: str, depth: int) -> bool | None:
    """Whether a class is, or comes from, one of SQLAlchemy's asynchronous sessions; ``None`` where nothing says so."""
    if asynchronous([name]):
        return True
    found = names.class_of(name)
    if found is None or depth == _DEEPEST:
        return False if name.startswith(_LIBRARIES) else None
    home, owner = found
    kinds = {_is_async(home, base, depth + 1) for base in home.bases(owner)} or {None}
    return True if True in kinds else kinds.pop() if len(kinds) == 1 else None


def databases(module: Module, opening: ast.AST) -> frozenset[object]:
    """What tells the database that a session is opened on: two that have something in common have the same.

    :param opening: the call of a factory, or the ``with`` of a scope.
    """
    if isinstance(opening, ast.withitem):
        call = opening.context_expr
        return _of_scope(module, call) if isinstance(call, ast.Call) and call in module.calls else frozenset()
    return _of_factory(module, opening) if isinstance(opening, ast.Call) and opening in module.calls else frozenset()


def _of_scope(module: Module, call: ast.Call) -> frozenset[object]:
    callee = module.calls.callee(call)
    definition = next((d for n in sorted(callee.names) if (d := module.names.definition(n))), None)
    if definition is not None:
        return frozenset({definition[1]}) | _inside(module.program.module(definition[0]), definition[1])
    if callee.name == "begin" and isinstance(call.func, ast.Attribute):
        return frozenset(made for _, made in makers(module, call.func.value, module.calls.scope(call)))
    return frozenset(map(module.calls.vocabulary.canonical, callee.names))


def _inside(home: Module, function: ast.AST) -> frozenset[object]:
    """The same of the session that a scope of the project opens."""
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return frozenset()
    calls = [n for n in own_of(function, ast.Call) if n in home.calls]
    opening = [c for c in calls if home.calls.callee(c).role in (Role.FACTORY, Role.SCOPE)]
    return frozenset(one for c in opening for one in (_of_factory if _opens(home, c) else _of_scope)(home, c))


def _opens(home: Module, call: ast.Call) -> bool:
    return home.calls.callee(call).role is Role.FACTORY


def _of_factory(module: Module, call: ast.Call) -> frozenset[object]:
    callee = module.calls.callee(call)
    found: set[object] = set()
    for home, made in makers(module, call.func, module.calls.scope(call)):
        if home.calls.callee(made).role is Role.FACTORY_MAKER:
            found.add(made)
    if callee.meaning is not None and callee.meaning.scope:
        found |= {callee.meaning.scope, *map(module.calls.vocabulary.canonical, callee.names)}
    bound = next((k.value for k in call.keywords if k.arg == "bind"), call.args[0] if call.args else None)
    if not found and bound is not None and (path(bound) or isinstance(bound, ast.Call)):
        scope = module.calls.scope(call)
        engines = makers(module, bound, scope)
        making = ((home, one) for home, one in engines if home.calls.callee(one).role is Role.ENGINE_MAKER)
        found.update(one for home, one in making if not _as_told(home, one))
        if path(bound):
            found.add((path(bound), module.names.owner(path(bound).partition(".")[0], scope)))
    return frozenset(found)


def _as_told(home: Module, call: ast.Call) -> bool:
    """Whether a call makes what its function was told to, and gives that back: each time another, maybe."""
    scope = home.calls.scope(call)
    names = (n.id for argument in arguments(call) for n in ast.walk(argument) if isinstance(n, ast.Name))
    told = any(b.kind is BindingKind.PARAMETER for name in names for b in scope.bindings.get(name, ()))
    return told and any(n.value is not None for n in own_of(scope.node, ast.Return))
