"""Sessions that a code uses and has from somebody else: a parameter, a field, a global, one that a library manages.

They are followed as a callee's summary follows them: from the entry of the code, with nothing done to them yet. What
an expression is counts, not what it is called: a parameter that is annotated as a session, a field or variable that
one was put into, a library's managed session. Of a parameter without annotation, the methods that are called on it
tell. Calling a registry gives the session that it stands for: ``session = Registry()`` is another name for it.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from session_lint.analysis import guards
from session_lint.analysis.aliases import assigned, identity, is_managed, managed, managed_by, stands_for
from session_lint.analysis.asked import is_session, of_unknown
from session_lint.analysis.asynchronous import is_async, kind_of, lends_async
from session_lint.analysis.decorating import arriving
from session_lint.analysis.everywhere import known_by
from session_lint.analysis.getters import own_field
from session_lint.analysis.handed import acts_as_session, handed
from session_lint.analysis.injection import lent
from session_lint.analysis.model_queries import queries
from session_lint.analysis.request_context import in_context, kind, meant
from session_lint.analysis.starting import put_sessions
from session_lint.analysis.state import NOTHING, SiteKind
from session_lint.analysis.told import lent_in_loops, told_by_property, told_to_hold
from session_lint.flow import SolverLimit
from session_lint.python.nodes import nodes_in, own_nodes, own_of, path, reading
from session_lint.python.scopes import BindingKind, below, is_self, parameters
from session_lint.python.words import word
from session_lint.values import dataclass
from session_lint.vocabulary import Role, effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.analysis.decorating import Lent
    from session_lint.analysis.makers import Made
    from session_lint.analysis.module import Module
    from session_lint.analysis.solved import Solved
    from session_lint.analysis.state import Fact
    from session_lint.python.scopes import FunctionNode, Scope

Use: TypeAlias = "tuple[ast.Call, ast.expr]"
"""A call of a method of something, and what that is."""
Uses: TypeAlias = "dict[tuple[ast.AST, str], list[Use]]"
"""The uses of each path in each code."""


_SPEAKING = frozenset(["add_all", "commit", "flush", "query", "refresh", "rollback", "scalars"])
"""Methods that few other things have."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMMITTING = "commit("
"""What the text of a function holds that commits, by itself or by one that is called so."""
_SAYING = frozenset(["debug", "info", "warning", "error", "exception", "critical"])
_ELSEWHERE = "<elsewhere>"
"""How a session is known before a variable gets it."""


@dataclass(eq=False)
class Borrowed:
    """A session that a code has from somebody else.

    :param name: the path by which the code knows it.
    :param node: an expression that reads it by that path.
    :param uses: the calls of its methods there, by whichever name, in the order of the text.
    :param is_async: whether it is asynchronous; ``None`` where that is not known.
    :param managed: whether a library owns it: a registry, Flask-SQLAlchemy's.
    :param in_context: whether it stands in the context of a request, whose teardown owns it.
    :param value: what the variable gets, of which an annotation says that it is one; the loop whose item it is.
    :param asked: the call that gives it, where nobody knows what that calls.
    :param also: other paths by which the code has the same session from elsewhere.
    :param same: what tells a session from others that the code has only behind what it calls.
    """

    module: Module
    code: ast.AST
    name: str
    node: ast.expr
    uses: list[ast.Call]
    is_async: bool | None
    managed: bool
    in_context: bool = False
    value: ast.AST | None = None
    asked: ast.Call | None = None
    also: frozenset[str] = frozenset()
    same: frozenset[object] = frozenset()

    @property
    def origin(self) -> ast.AST:
        """Where the code has it from: its parameter, or its first use."""
        scope = self.module.names.scopes.of[self.code]
        bindings = scope.bindings.get(self.name, ())
        return next((b.node for b in bindings if b.kind is BindingKind.PARAMETER), self.code)

    @property
    def names(self) -> set[str]:
        """The names by which the code uses it."""
        return {self.name, *self._used}

    @property
    def called(self) -> str:
        """What the code calls it: the one variable that it uses it by, though a registry or getter has another name."""
        used = self._used
        return used.pop() if (self.managed or self.in_context) and len(used) == 1 else self.name

    @property
    def _used(self) -> set[str]:
        return {path(use.func.value) for use in self.uses if isinstance(use.func, ast.Attribute)} - {""}

    @property
    def start(self) -> Fact:
        """What holds of it at the entry of the code."""
        site = self.module.site(SiteKind.PARAMETER, self.origin, self.code)
        if self.value is not None:
            return NOTHING._replace(site=site, names=frozenset({("told", self.value), _ELSEWHERE}))
        names = self.also | {self.name} | self._behind
        return NOTHING._replace(site=site, names=names, guards=guards.present(self.name))

    @cached_property
    def _behind(self) -> frozenset[object]:
        """How the code knows the session without a name: the queries of models, what it calls."""
        asked = queries(self.module, self.code) if self.managed else {}
        mine = self.identity if asked else self.same
        found = known_by(name for name, session in asked.items() if not mine.isdisjoint(session))
        return found | {("same", self.same)} if self.same else found

    @cached_property
    def identity(self) -> frozenset[object]:
        """What tells the session from others."""
        return self.same or identity(self.module, self.node, self.module.names.scopes.of[self.code])

    @cached_property
    def solved(self) -> Solved | None:
        """How it fares in the code; ``None`` where there are too many ways to tell."""
        try:
            return self.module.alone(self.code, self.start)  # type: ignore[arg-type]  # a code has a graph
        except SolverLimit:
            return None


def borrowed(module: Module) -> Iterator[Borrowed]:
    """Every session that a function of the module has from somebody else and uses, in the order of the text."""
    by_code: dict[ast.AST, list[Borrowed]] = {}
    for one in _each(module):
        by_code.setdefault(one.code, []).append(one)
    for one in [*_unnamed(module, by_code)]:
        by_code.setdefault(one.code, []).append(one)
    for found in by_code.values():
        yield from _merged(found)


def _merged(found: list[Borrowed]) -> Iterator[Borrowed]:
    """The sessions of one code, of which a registry, and what calling it gave elsewhere, are one."""
    several = sum(one.managed for one in found) > 1
    same: dict[object, list[Borrowed]] = {}
    for one in found:
        made = stands_for(one.module, one.node, one.module.names.scopes.of[one.code]) if several and one.managed else ()
        same.setdefault(made or one, []).append(one)
    for first, *others in same.values():
        first.uses += [use for other in others for use in other.uses]
        first.also = frozenset(other.name for other in others)
        yield first


def _each(module: Module) -> Iterator[Borrowed]:
    used: Uses = {}
    known = effects()
    for call, around in module.names.scopes.calls.items():
        if isinstance(call.func, ast.Attribute) and call.func.attr in known:
            code = module.code_of(around)
            node = call.func.value if isinstance(code, ast.Module) else _meant(module, call.func.value, around)
            name = path(node)
            if name and not isinstance(code, ast.Module) and not _bound_here(around, name):
                used.setdefault((code, name), []).append((call, node))
    for function, scope in module.codes:
        for arg in parameters(function) if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) else ():
            if arg.annotation is not None and not _bound_here(scope, arg.arg):
                used.setdefault((function, arg.arg), [])
    giving: list[tuple[ast.AST, str]] = [*handed(module)]
    for one in giving:
        used.setdefault(one, [])
    lending: dict[tuple[ast.AST, str], list[tuple[Module, FunctionNode]]] = {
        (function, name): made
        for function, _ in module.codes
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for name, made in lent(module, function)
    }
    together = _by_class(module, used)
    for user, name in dict.fromkeys([*used, *lending]):
        uses = used.get((user, name), [])
        if (user, name) in lending:
            node = uses[0][1] if uses else reading(name)
            kinds = {lends_async(home, function) for home, function in lending[user, name]}
            kind = kinds.pop() if len(kinds) == 1 else None
            yield Borrowed(module, user, name, node, [call for call, _ in uses], kind, managed=False)
        else:
            place = _place(module, user, name)
            seen = [call for call, _ in uses] if place is None else together[place]
            yield from _judged(module, user, name, uses, seen, given=(user, name) in giving)
    yield from _told(module)
    yield from _lent_in_loops(module)
    yield from _stored(module)
    yield from _looked_up(module)


def _unnamed(module: Module, known: dict[ast.AST, list[Borrowed]]) -> Iterator[Borrowed]:
    """The managed sessions that a code uses without speaking of them.

    A model asks them (``User.query.all()``), or a function does that knows one by itself, and whose failure the code
    catches, or which passes over it before something else asks.
    """
    words = _committing(module)
    for code, scope in module.codes:
        if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
            had = frozenset().union(*(one.identity for one in known.get(code, ()) if one.managed))
            for name, session in (*_by_models(module, code), *_by_callees(module, code, words)):
                if had.isdisjoint(session) and not _bound_here(scope, name):
                    had |= session
                    yield Borrowed(module, code, name, reading(name), [], None, managed=True, same=session)
            fields = {one.name for one in known.get(code, ())}
            for name, one in _by_own_methods(module, code, known):
                if name not in fields:
                    fields.add(name)
                    yield Borrowed(module, code, name, reading(name), [], one.is_async, one.managed)


def _by_own_methods(
    module: Module, code: FunctionNode, known: dict[ast.AST, list[Borrowed]]
) -> Iterator[tuple[str, Borrowed]]:
    """The sessions in fields that methods commit which a method calls in a ``try``, or again and again.

    Of the latter only those count that may pass over a failure of theirs.
    """
    scope = module.names.scopes.of[code]
    if not parameters(code) or not is_self(scope, own := parameters(code)[0].arg):
        return
    for around in own_of(code, ast.Try, *_LOOPS):
        inside = nodes_in(around.body)  # type: ignore[attr-defined]
        for call in (n for n in inside if isinstance(n, ast.Call) and n in module.calls):
            if not isinstance(call.func, ast.Attribute) or path(call.func.value) != own:
                continue
            function = module.calls.callee(call).function
            if function is None or not (isinstance(around, ast.Try) or own_of(function, ast.ExceptHandler)):
                continue
            for one in known.get(function, ()):
                field = one.name.removeprefix(f"{parameters(function)[0].arg}.") if parameters(function) else ""
                if field not in ("", one.name) and "." not in field and any(map(_commits, one.uses)):
                    yield f"{own}.{field}", one


def _by_models(module: Module, code: FunctionNode) -> Iterator[tuple[str, frozenset[object]]]:
    for name, session in queries(module, code).items():
        yield f"{name}.session", session


def _committing(module: Module) -> frozenset[str] | None:
    """The words by which a module may call a function that commits; ``None`` for any."""
    words = module.program.functions_saying(module, _COMMITTING)
    if words is None:
        return None
    imported = ((name, b) for name, bound in module.names.scopes.module.bindings.items() for b in bound if b.target)
    return words | {name for name, binding in imported if binding.target.rpartition(".")[2] in words}


def _by_callees(
    module: Module, code: FunctionNode, words: frozenset[str] | None
) -> Iterator[tuple[str, frozenset[object]]]:
    """The managed sessions that functions commit which a code calls in a ``try``, or anywhere.

    Of the latter only those count that may pass over a failure of theirs.

    :param words: by which the module may call such a function.
    """
    idle = effects().keys() | _SAYING
    for one in (code, *own_of(code, ast.Try)):
        inside = nodes_in(one.body)
        again = not isinstance(one, ast.Try)
        for call in (node for node in inside if isinstance(node, ast.Call) and node in module.calls):
            if words is not None and word(call.func) not in words:
                continue
            if again and isinstance(call.func, ast.Attribute) and call.func.attr in idle:
                continue  # a method of the session, or of a logger
            callee = module.calls.callee(call)
            if callee.function is None or (again and not own_of(callee.function, ast.ExceptHandler)):
                continue
            home = module.at(callee)
            there = home.names.scopes.of[callee.function]
            committed = {path(node) for node in _committed(home, callee.function)}
            for node in home.receivers(callee.function) if committed else ():
                if path(node) in committed and managed(home, home.names.qualify(node, there)):
                    yield path(node), identity(home, node, there)


def _committed(home: Module, function: FunctionNode, depth: int = 0) -> Iterator[ast.expr]:
    """What a function commits, by itself or by a function of its module that has a name for that."""
    scope = home.names.scopes.of[function]
    for call in own_of(function, ast.Call):
        if _commits(call):
            yield managed_by(home, call.func.value, scope)  # type: ignore[attr-defined]  # a method
        elif "commit" in word(call.func) and call in home.calls and depth < 1:
            callee = home.calls.callee(call)
            if callee.function is not None and home.at(callee) is home:
                yield from _committed(home, callee.function, depth + 1)


def _commits(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "commit"


def _told(module: Module) -> Iterator[Borrowed]:
    """The sessions that variables of functions are annotated to hold."""
    for function, scope in module.codes:
        if scope.declared and isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for name, value, kind_told in told_to_hold(module, scope):
                calls = [c for c in module.calls_in(function) if _is_use(c, name)]
                yield Borrowed(module, function, name, reading(name), calls, kind_told, managed=False, value=value)


def _lent_in_loops(module: Module) -> Iterator[Borrowed]:
    """The sessions that generators lend to the loops of functions, which go through them."""
    for function, _ in module.codes:
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for name, loop, sort in lent_in_loops(module, function):
                calls = [c for c in module.calls_in(function) if _is_use(c, name)]
                yield Borrowed(module, function, name, reading(name), calls, sort, managed=False, value=loop)


def _stored(module: Module) -> Iterator[Borrowed]:
    """The sessions that methods open for a field of their object, which has them from then on, and go on to use."""
    for owner in module.names.scopes.classes:
        for field, bound in owner.attributes.items():
            given = [b for b in bound if not _is_nothing(b.node)]  # before that, or after a close, there is none
            if len(given) != 1:
                continue
            binding, opened, code = given[0], given[0].node, given[0].scope.node
            if not isinstance(opened, ast.Call) or not isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            own = parameters(code)[0].arg  # whose field it is
            calls = [c for c in module.calls_in(code) if path(c.func).startswith(f"{own}.")]
            if calls and opened in module.calls and module.calls.callee(opened).role is Role.FACTORY:
                node = reading(f"{own}.{field}")
                uses = [c for c in calls if _is_use(c, path(node))]
                sort = kind_of(module, node, binding.scope)
                yield Borrowed(module, code, path(node), node, uses, sort, managed=False, value=opened)


def _is_nothing(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _looked_up(module: Module) -> Iterator[Borrowed]:
    """The sessions that variables of functions get out of what the function was given, by their methods.

    ``session = context["session"]``, ``db = info.context.get("db")``, ``s = self.handle()`` of what nobody knows. What
    somebody's module gives that nobody has read (``s = get_session()``) is one where it is closed, too.
    """
    known, used = effects(), dict[tuple[ast.AST, str], list[ast.Call]]()
    for call, scope in module.names.scopes.calls.items():
        if isinstance(call.func, ast.Attribute) and call.func.attr in known and isinstance(call.func.value, ast.Name):
            name = call.func.value.id
            if isinstance(scope.node, _FUNCTIONS) and isinstance(_only_value(scope, name), _TAKING):
                used.setdefault((scope.node, name), []).append(call)
    for (code, name), calls in used.items():
        scope = module.names.scopes.of[code]
        if name in scope.declared or not is_session(scope, calls):
            continue
        value = _taken_out(module, scope, name)
        if value is not None and not _taken_otherwise(code, value):
            asked = value if isinstance(value, ast.Call) and not value.args else None
            sort = _kind_of_use(module, calls)
            yield Borrowed(module, code, name, reading(name), calls, sort, managed=False, value=value, asked=asked)


def _taken_otherwise(code: ast.AST, value: ast.expr) -> bool:
    """Whether a code takes what stands under a key once more, or a clause of its gives all of it to somebody."""
    keys = {n.value for n in below(value) if isinstance(n, ast.Constant)}
    again = [n for n in own_nodes(code) if isinstance(n, ast.Constant) and n.value in keys]
    around = next((n.id for n in below(value) if isinstance(n, ast.Name)), "")
    clauses = (n for clause in own_of(code, ast.ExceptHandler) for n in own_nodes(clause))
    given = (a for n in clauses if isinstance(n, ast.Call) for a in (*n.args, *(k.value for k in n.keywords)))
    return len(again) > 1 or any(path(a).partition(".")[0] == around for a in given)


def _taken_out(module: Module, scope: Scope, name: str) -> ast.expr | None:
    """What a variable gets, once, where a parameter, or a field of one, has it or gives it as it is called."""
    value = _only_value(scope, name)
    return _under_a_key(scope, value) or of_unknown(module, scope, value)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TAKING = (ast.Call, ast.Subscript)


def _only_value(scope: Scope, name: str) -> ast.AST | None:
    """What a variable of a scope gets, if that is once."""
    bindings = scope.bindings.get(name, ())
    return bindings[0].node if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE else None


def _under_a_key(scope: Scope, value: ast.AST | None) -> ast.expr | None:
    """What stands under a key of a parameter, or of a field of one."""
    if isinstance(value, ast.Subscript):
        key, around = value.slice, value.value
    elif isinstance(value, ast.Call) and len(value.args) == 1 and isinstance(value.func, ast.Attribute):
        if value.func.attr != "get":
            return None
        key, around = value.args[0], value.func.value
    else:
        return None
    given = scope.bindings.get(path(around).partition(".")[0], ())
    plain = isinstance(key, ast.Constant) and isinstance(key.value, str)
    return value if plain and given and all(b.kind is BindingKind.PARAMETER for b in given) else None


def _is_use(call: ast.Call, name: str) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in effects() and path(call.func.value) == name


def _by_class(module: Module, used: Uses) -> dict[tuple[Scope, str], list[ast.Call]]:
    """The methods that all methods of a class call on each field of their object."""
    found: dict[tuple[Scope, str], list[ast.Call]] = {}
    for (code, name), uses in used.items():
        place = _place(module, code, name)
        if place is not None:
            found.setdefault(place, []).extend(call for call, _ in uses)
    return found


def _place(module: Module, code: ast.AST, name: str) -> tuple[Scope, str] | None:
    """The class whose objects have a field, and the field, where a path is one of the method's own object."""
    own, _, field = name.partition(".")
    scope = module.names.scopes.of[code]
    owner = scope.parent if field and is_self(scope, own) else None
    return (owner, field) if owner is not None and owner.is_class else None


def _meant(module: Module, node: ast.expr, scope: Scope) -> ast.expr:
    """What an expression is another name for: a registry, a field of the method's object or of a request's context."""
    given = assigned(scope, node.id) if isinstance(node, ast.Name) and node.id in scope.bindings else None
    if isinstance(given, ast.Call):
        given = own_field(module, given, scope)
    if isinstance(given, ast.Attribute) and (_is_given(scope, path(given)) or _of_a_context(module, given, scope)):
        return given
    return meant(module, node, scope) or managed_by(module, node, scope)


def _judged(
    module: Module, code: ast.AST, name: str, uses: list[Use], seen: list[ast.Call], *, given: bool
) -> Iterator[Borrowed]:
    """The session that a path stands for in a code, if it is one.

    :param seen: all calls of its methods, those of other methods of the class, too, where it is a field.
    :param given: whether it surely is.
    """
    scope = module.names.scopes.of[code]
    calls = [call for call, _ in uses]
    node = uses[0][1] if uses else reading(name)
    names = module.names.qualify(node, scope)
    library = is_managed(module, node, scope)
    if library or module.calls.is_session(node, scope):
        yield Borrowed(module, code, name, node, calls, kind_of(module, node, scope), library)
    elif (made := in_context(module, node, scope)) is not None:
        yield Borrowed(module, code, name, node, calls, kind(made), managed=False, in_context=True)
    elif not names and _is_given(scope, name) and (passed := _from_decorators(module, code, name)):
        kinds = {is_async(one.home, one.site) for one in passed}
        known = kinds.pop() if len(kinds) == 1 else None
        yield Borrowed(module, code, name, node, calls, known, managed=False)
    elif not given and _place(module, code, name) is None and (put := _put_there(module, node, scope, calls)):
        yield Borrowed(module, code, name, node, calls, kind(put), managed=False)
    elif (said := told_by_property(module, node, scope)) is not None:
        yield Borrowed(module, code, name, node, calls, said, managed=False)
    elif given or ((_of_a_context(module, node, scope) if names else _is_given(scope, name)) and acts_as_session(seen)):
        yield Borrowed(module, code, name, node, calls, _kind_of_use(module, seen), managed=False)


def _kind_of_use(module: Module, calls: list[ast.Call]) -> bool | None:
    """Whether a session is asynchronous, by what is called on it: only a synchronous one has a ``query()``."""
    asks = any(isinstance(call.func, ast.Attribute) and call.func.attr == "query" for call in calls)
    return False if asks and not any(isinstance(module.parents.get(call), ast.Await) for call in calls) else None


def _put_there(module: Module, node: ast.expr, scope: Scope, calls: list[ast.Call]) -> list[Made] | None:
    """What opens the session that an application keeps in some place, where its methods make that worth asking."""
    asked = any(isinstance(call.func, ast.Attribute) and call.func.attr in _SPEAKING for call in calls)
    return put_sessions(module, node, scope) if asked else None


def _from_decorators(module: Module, code: ast.AST, name: str) -> list[Lent]:
    """What the decorators of a function pass to a parameter: sessions that they open, and close afterwards."""
    decorators = code.decorator_list if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
    return [one for decorator in decorators for one, place in arriving(module, code, decorator) if place == name]  # type: ignore[arg-type]


def _bound_here(scope: Scope, name: str) -> bool:
    """Whether the code itself puts something into the variable, which then is followed from there."""
    first = name.partition(".")[0]
    own = (BindingKind.PARAMETER, BindingKind.IMPORT)
    return any(b.kind not in own for b in scope.bindings.get(first, ()))


def _of_a_context(module: Module, node: ast.expr, scope: Scope) -> bool:
    """Whether an expression is a field of what each request has for itself, where anybody may put anything."""
    names = module.names.qualify(node.value, scope) if isinstance(node, ast.Attribute) else ()
    found = [module.calls.vocabulary.meaning(name) for name in names]
    return bool(found) and all(one is not None and one.role is Role.CONTEXT_LOCAL for one in found)


def _is_given(scope: Scope, name: str) -> bool:
    """Whether a path is a parameter without annotation, or a field of a parameter."""
    first, _, field = name.partition(".")
    return any(
        b.kind is BindingKind.PARAMETER and (bool(field) or getattr(b.node, "annotation", None) is None)
        for b in scope.bindings.get(first, ())
    )
