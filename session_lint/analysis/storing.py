"""The transfer of statements and bindings: what names a session gets, and where it is lost or handed over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards, results
from session_lint.analysis.arguments import bind
from session_lint.analysis.holding import VALUES, Hold, closure, held, reachable, rename, slot
from session_lint.analysis.keyed import copies_only, fill, is_dict, is_keyed, put
from session_lint.analysis.reclaiming import keeps_to_itself, takes_back
from session_lint.analysis.state import Fact, Mark, SiteKind, State, give
from session_lint.python.nodes import assigned_at, own_nodes, own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below, fills, parameters
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from session_lint.analysis.module import Module
    from session_lint.flow import Graph, Point
    from session_lint.python.scopes import Scope

_OF_VALUES = ("temp", "in", "item", "bare", "closer")
_COLLECTIONS = (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)


class Storing:
    """The part of the lifecycle that binds, drops and returns.

    :param module: what is known of the module around the code.
    :param graph: the graph of the function or module body.
    :param tells: whether what it returns tells its caller how it has ended.
    """

    def __init__(self, module: Module, graph: Graph, *, tells: bool = False) -> None:
        code = graph.code
        self.module = module
        self.graph = graph
        self.code = code
        self.scope: Scope = module.names.scopes.of[code]
        self.flags = results.flags(code) if tells else frozenset()
        flags = results.flags_beside(code) | self.flags
        self.relevant = guards.relevant(code, lambda: _passed(module, code), flags) | flags
        self.tells = tells
        own = parameters(code) if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else []
        self._parameters = frozenset(arg.arg for arg in own)
        self._class_level = _class_level(code)
        self._overriding = _overriding(code)
        self.sessions = _session_variables(module, code)
        self._public = module.exported if isinstance(code, ast.Module) else frozenset()

    def _statement(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """A new statement: what the last one computed and did not bind is gone."""
        if point.node in self._overriding:
            fact = self._called_off(fact)
        kept = frozenset(n for n in fact.names if not _temporary(n))
        if len(kept) == len(fact.names):
            return (fact,)
        return (self._dropped(fact._replace(names=kept), point.node),)

    def _store(self, point: Point, fact: Fact) -> Iterable[Fact]:
        node, value = point.node, point.value
        if isinstance(value, ast.comprehension):
            return (fact,)  # a comprehension's variable hides nothing outside it
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return (self._define(node, fact),)
        name = _bound_name(node)
        if isinstance(node, ast.alias) and not fills(self.scope, name):
            return (fact,)  # what is imported under the name is what it stands for throughout
        if name:
            return (self._dropped(rename(fact, name, None).with_guards(guards.forget(fact.guards, name)), node),)
        return self._assign(node, value, fact) if isinstance(node, ast.expr) else (fact,)

    def _assign(self, target: ast.expr, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        if isinstance(target, ast.Starred):
            target = target.value
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value, fact)
        if isinstance(value, ast.withitem):
            value = self._entered(value, fact)
        if isinstance(target, ast.Subscript):
            return (self._put(target, value, fact),)
        name = path(target)
        if not name:
            return (give(fact) if held(value, fact) else fact,)
        return self._bind(target, name, value, fact)

    def _put(self, target: ast.Subscript, value: ast.AST | None, fact: Fact) -> Fact:
        """The fact after something was put under a key, or at an index."""
        name, around = slot(target), path(target.value)
        if name and (held(value, fact) or name in fact.names) and is_keyed(self.module, self.code, around):
            found = put(fact, name, value)  # what was known of the dictionary is so no longer
            return self._dropped(found.with_guards(guards.forget(found.guards, around)), target)
        mine = fact.site is not None and fact.site.kind is SiteKind.OWNED and held(value, fact) is Hold.WHOLE
        if mine and keeps_to_itself(self.graph, target, {n for n in fact.names if isinstance(n, str)}):
            return fact
        if mine and copies_only(self.code, target) and (self._has_variable(target) or _is_named(fact)):
            return fact
        return give(fact) if held(value, fact) else fact

    def _has_variable(self, target: ast.Subscript) -> bool:
        """Whether what is put somewhere gets a variable by the same statement: ``options[key] = session = ...``."""
        place = assigned_at(self.module.parents.get(target))
        return place is not None and any(isinstance(t, ast.Name) for t in place.targets)

    def _entered(self, item: ast.withitem, fact: Fact) -> ast.AST | None:
        """What stands for the value of ``with item as name``, where it is a session."""
        if not {("with", item), ("temp", item), ("bare", item.context_expr)}.isdisjoint(fact.names):
            return item
        if held(item.context_expr, fact) is Hold.INSIDE:
            return item.context_expr
        return item if isinstance(item.context_expr, ast.Call) and self._enters_session(item.context_expr) else None

    def _bind(self, target: ast.expr, name: str, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        hold = held(value, fact)
        if hold and is_dict(self.module, value) and is_keyed(self.module, self.code, name):
            filled = self._dropped(fill(fact, name, value), target)  # type: ignore[arg-type]  # a dictionary
            return [filled.with_guards(g) for g in self._learn(name, value, fact)]
        back = self._takes_back(target, name, fact) if hold is Hold.WHOLE else False
        told = ("told", value) in fact.names  # it is somebody else's from the beginning
        if hold and not (back or told) and (self._outlives(target, name) or self._collects(value)):
            given = give(fact)  # of a collection nobody can tell whether all of it is closed in the end
            kept = hold is Hold.WHOLE and not any(isinstance(n, tuple) and n[0] == "with" for n in fact.names)
            within = hold is Hold.INSIDE and isinstance(target, ast.Attribute) and isinstance(value, ast.Call)
            return (given.mark("kept", target) if kept else given.mark("within", target, value) if within else given,)
        bound = rename(fact, name, value)
        fields = [n[2] for n in fact.names if isinstance(n, tuple) and n[0] == "under" and n[1] is value]
        if fields:
            bound = bound._replace(names=bound.names | {f"{name}.{field}" for field in fields})
        if back:
            bound = bound.mark("kept", target)
        if (
            not reachable(bound)
            and isinstance(value, ast.Call)
            and any(held(a, fact) for a in (*value.args, *(k.value for k in value.keywords)))
        ):
            bound = give(fact)  # session = configure(session): what came back may be it
        bound = self._dropped(bound, target)
        return [bound.with_guards(g) for g in self._learn(name, value, fact)]

    def _collects(self, value: ast.AST | None) -> bool:
        return isinstance(value, _COLLECTIONS) or is_dict(self.module, value)

    def _learn(self, name: str, value: ast.AST | None, fact: Fact) -> Iterable[guards.Guards]:
        if name.partition(".")[0] not in self.relevant:
            base = guards.forget(fact.guards, name)
            return (base | guards.present(name) if self._there(value) else base,)
        base = guards.forget(fact.guards, name)
        base = (
            (base - {(guards.BOUND + name, False)}) | {(guards.BOUND + name, True)}
            if (guards.BOUND + name, False) in base
            else base
        )
        if held(value, fact) or self._there(value):
            return (base | guards.present(name),)
        if not isinstance(value, ast.expr):
            return (base,)
        kept = base & {(guards.BOUND + name, True)}
        known = fact.guards - {(guards.BOUND + name, False)}
        copied = path(guards.field_read(value))
        first = copied.partition(".")[0]
        again = first in self.relevant and first in self._parameters
        again = again and (copied == first or copied in guards.fields_asked(self.code))
        ways = guards.given_or_not(copied, known, object_or_none=copied in self.sessions) if again else [known]
        return [g | kept for way in ways for g in guards.learned(name, value, way)]

    def _enters_session(self, call: ast.Call) -> bool:
        """Whether what can be entered of the results of a call are sessions."""
        callee = self.module.calls.callee(call)
        if callee.role is Role.FACTORY:
            return True
        fresh = self.module.at(callee).summaries.fresh(callee.function) if callee.function is not None else ()
        return any(outcome.returned == Hold.WHOLE.value for _, outcome in fresh)

    def _there(self, value: ast.AST | None) -> bool:
        """Whether an expression is an object whatever happens: one that is made here, ``given or Session()``."""
        if isinstance(value, ast.withitem):
            return True
        if isinstance(value, ast.Call):
            return self.module.opens(value)
        if isinstance(value, ast.Name):
            return value.id in _caught(self.code)
        return isinstance(value, ast.BoolOp) and isinstance(value.op, ast.Or) and self._there(value.values[-1])

    def _outlives(self, target: ast.expr, name: str) -> bool:
        """Whether what is bound here lives on after the code: a field, a global, a class attribute, an export."""
        if isinstance(target, ast.Attribute):
            return True
        return name in self.scope.elsewhere or target in self._class_level or name in self._public

    def _takes_back(self, target: ast.expr, name: str, fact: Fact) -> bool:
        """Whether the session that the code has opened, and puts into a field here, is one that it closes itself."""
        if not isinstance(target, ast.Attribute) or fact.site is None or fact.site.kind is not SiteKind.OWNED:
            return False
        return takes_back(self.graph, target, {name, *(n for n in fact.names if isinstance(n, str))})

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        parts: list[ast.expr] = value.elts if pairs else []  # type: ignore[union-attr]
        if {path(part) for part in parts} & {path(element) for element in target.elts} - {""}:
            fact, parts = _taken_first(parts, fact)
        facts: list[Fact] = [fact]
        at, beside = next((n[2] for n in fact.names if isinstance(n, tuple) and n[:2] == ("item", value)), (None, ()))
        for index, element in _flags_first(target.elts, parts):
            part: ast.AST | None = parts[index] if pairs else None
            if at == index and isinstance(element, (ast.Name, ast.Attribute)):
                facts = [f._replace(names=f.names | {("temp", element)}) for f in facts]
                part = element
            told = beside[index] if len(beside) == len(target.elts) else None
            if told is not None and at != index and told is not results.SOMETHING:  # a flag that says whose it is
                part = ast.Constant(*told)
            facts = [g for f in facts for g in self._assign(element, part, f)]
            said = results.place(guards.call_value(value), index) if isinstance(value, ast.expr) else ""
            learnt = {(path(element), truth) for text, truth in fact.guards if text == said}
            if learnt and path(element) in self.relevant:
                facts = [f.with_guards(f.guards | learnt) for f in facts]
            if told is results.SOMETHING and path(element):
                facts = [f.with_guards(f.guards | {(f"{path(element)} is None", False)}) for f in facts]
        return [give(f) if not pairs and held(value, f) is Hold.INSIDE else f for f in facts]

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, fact: Fact) -> Fact:
        if any(held(default, fact) for default in (*node.args.defaults, *node.args.kw_defaults)):
            fact = give(fact)  # the function has it from now on
        kept = rename(fact, node.name, None)
        hold = closure(node, kept)
        if hold is Hold.CLOSER:
            return give(fact) if node.decorator_list else kept._replace(names=kept.names | {("closer", node.name)})
        return kept._replace(names=kept.names | {("in", node.name)}) if hold else self._dropped(kept, node)

    def _delete(self, point: Point, fact: Fact) -> Iterable[Fact]:
        name = path(point.node)
        if not name:
            return (self._put(point.node, None, fact) if isinstance(point.node, ast.Subscript) else fact,)
        return (self._dropped(rename(fact, name, None), point.node),)

    def _dropped(self, fact: Fact, node: ast.AST) -> Fact:
        """The fact, or, where the last name of an open session is gone, the end of its story."""
        site = fact.site
        if site is None or site.kind is not SiteKind.OWNED or reachable(fact) or fact.marked("yielded"):
            return fact
        if fact.state in (State.CLOSED, State.GIVEN):
            return fact
        if fact.marked("kept"):  # only the way to it is lost: the object is there, and has it
            return give(fact)
        return fact._replace(names=frozenset(), guards=frozenset(), marks=fact.marks | {Mark("dropped", node)})

    def _phi(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (_same(fact, point.value, point.node),)

    def _await(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (_same(fact, point.node.value, point.node),)  # type: ignore[attr-defined]

    def _called_off(self, fact: Fact) -> Fact:
        """The fact where a return that was under way is off."""
        names = frozenset(n for n in fact.names if not (isinstance(n, tuple) and n[0] == "returned"))
        return fact._replace(names=names, guards=results.called_off(fact.guards) if self.tells else fact.guards)

    def _return(self, point: Point, fact: Fact) -> Iterable[Fact]:
        earlier = frozenset(n for n in fact.names if isinstance(n, tuple) and n[0] == "returned")
        found = fact._replace(flying=None, names=fact.names - earlier)  # a return in a `finally` overrides
        hold = held(point.value, fact)
        if self.tells and (hold or self._there(point.value)):
            found = found.with_guards(guards.forget(found.guards, results.RESULT) | guards.present(results.RESULT))
        elif self.tells:
            return [found.with_guards(g) for g in results.returning(point.value, found.guards)]  # type: ignore[arg-type]  # an expression
        if hold is Hold.CLOSER:
            return (give(found),)
        if hold is None:
            return (found,)
        how: object = hold.value
        if isinstance(point.value, ast.Tuple):
            at = next((i for i, e in enumerate(point.value.elts) if held(e, fact) is Hold.WHOLE), None)
            how = how if at is None else (at, tuple(results.known(e, fact.guards) for e in point.value.elts))
        return (found._replace(names=found.names | {("returned", how)}),)


def _same(fact: Fact, source: ast.AST | None, result: ast.AST) -> Fact:
    """The fact once ``result`` has the value of ``source``."""
    hold = held(source, fact)
    if hold is None:
        return fact
    return fact._replace(names=fact.names | {("temp" if hold is Hold.WHOLE else "in", result)})


def _taken_first(parts: list[ast.expr], fact: Fact) -> tuple[Fact, list[ast.expr]]:
    """Stand-ins for the values of ``a, b = b, a``: all are there before the first of them gets its new name."""
    values = [_value_of(part) for part in parts]
    kinds = {hold: kind for kind, hold in VALUES}
    names = {(kinds[hold], value) for part, value in zip(parts, values, strict=True) if (hold := held(part, fact))}
    return fact._replace(names=fact.names | names), values


@remembered
def _value_of(node: ast.expr) -> ast.expr:
    """A node without a name of its own, for the value that an expression had."""
    return ast.copy_location(ast.Yield(None), node)


def _temporary(name: object) -> bool:
    return isinstance(name, tuple) and name[0] in _OF_VALUES and isinstance(name[1], ast.AST)


def _bound_name(node: ast.AST) -> str:
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    name = (
        getattr(node, "name", None)
        if isinstance(node, (ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar))
        else None
    )
    return name or (getattr(node, "rest", None) or "")


def _class_level(code: ast.AST) -> frozenset[ast.AST]:
    """The assignment targets that stand in a class body that runs as part of this code."""
    classes = own_of(code, ast.ClassDef)
    return frozenset(
        n for c in classes for n in own_nodes(c) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    )


def _overriding(code: ast.AST) -> frozenset[ast.AST]:
    """The ``break`` and ``continue`` statements that leave a ``finally`` body."""
    todo: list[ast.AST] = [s for n in own_of(code, ast.Try) for s in n.finalbody]
    found: set[ast.AST] = set()
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Break, ast.Continue)):
            found.add(node)
        elif not isinstance(
            node, (ast.For, ast.AsyncFor, ast.While, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        ):
            todo.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def _passed(module: Module, code: ast.AST) -> Iterator[str]:
    """The variables that a code passes to functions that ask for them."""
    for call in own_of(code, ast.Call):
        callee = module.calls.callee(call) if call.args or call.keywords else None
        if callee is not None and callee.function is not None:
            asked = guards.asked(callee.function)
            for name, argument in bind(call, callee.function, bound=callee.bound).items():
                if name in asked and isinstance(argument, ast.expr):
                    yield from {n.id for n in below(argument) if isinstance(n, ast.Name)}


@remembered
def _caught(code: ast.AST) -> frozenset[str]:
    """The variables that hold what a code catches, and nothing else."""
    stored = {n.id for n in own_nodes(code) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    stored |= (
        {arg.arg for arg in parameters(code)} if isinstance(code, (ast.FunctionDef, ast.AsyncFunctionDef)) else set()
    )
    return frozenset({handler.name for handler in own_of(code, ast.ExceptHandler) if handler.name} - stored)


def _session_variables(module: Module, code: ast.AST) -> frozenset[str]:
    """The variables that a code uses for sessions: bound to an opening call, or in its place where they hold one."""
    found: set[str] = set()
    for node in own_of(code, ast.Assign, ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for names, value in _pairs(targets, node.value):
            values = _alternatives(value)
            if any(isinstance(value, ast.Call) and _opens(module, value) for value in values):
                found |= {path(name) for name in (*names, *values)}
    return frozenset(found - {""})


def _opens(module: Module, call: ast.Call) -> bool:
    """Whether a call gives an object: a new one, or what a function returns that has a session to return."""
    callee = module.calls.callee(call)
    if module.opens(call) or callee.function is None or callee.meaning is not None:
        return module.opens(call)
    return module.at(callee).hands_out(callee.function)


def _flags_first(elements: list[ast.expr], parts: list[ast.expr]) -> list[tuple[int, ast.expr]]:
    """The elements of a tuple that gets some parts, first those whose part asks about what another element binds.

    ``db, own = db or Session(), db is None`` asks about what ``db`` was before.
    """
    names = {path(element) for element in elements}
    tests = [n for n, part in enumerate(parts) if isinstance(part, _TESTS) and names & set(map(path, below(part)))]
    return sorted(enumerate(elements), key=lambda one: one[0] not in tests)


_TESTS = (ast.Compare, ast.UnaryOp)


def _pairs(targets: Sequence[ast.expr], value: ast.expr | None) -> Iterator[tuple[Sequence[ast.expr], ast.expr]]:
    """The targets of an assignment with what they get, each part of a tuple by itself."""
    if isinstance(value, ast.IfExp) and isinstance(value.body, ast.Tuple):
        yield from (pair for side in (value.body, value.orelse) for pair in _pairs(targets, side))
    elif isinstance(value, ast.Tuple):
        for target in targets:
            if isinstance(target, ast.Tuple) and len(target.elts) == len(value.elts):
                yield from (([part], given) for part, given in zip(target.elts, value.elts, strict=True))
    elif value is not None:
        yield targets, value


def _alternatives(value: ast.expr) -> list[ast.expr]:
    """The expressions that one may be the value of."""
    if isinstance(value, ast.BoolOp):
        return [a for v in value.values for a in _alternatives(v)]
    if isinstance(value, ast.IfExp):
        return [*_alternatives(value.body), *_alternatives(value.orelse)]
    return [value.value] if isinstance(value, ast.Await) else [value]


def _is_named(fact: Fact) -> bool:
    """Whether a variable of the code holds the session."""
    return any(isinstance(name, str) and name.isidentifier() for name in fact.names)
