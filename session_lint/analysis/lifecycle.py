"""The typestate analysis of one function or module body, as a problem for the solver.

Each kind of point has a transfer function here; what a call does is in :mod:`session_lint.analysis.calling`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import effects, guards
from session_lint.analysis.calling import Calling
from session_lint.analysis.holding import Hold, closure, held, reachable, rename
from session_lint.analysis.state import ANY, NOTHING, SQLALCHEMY, Fact, Mark, Raised, Site, SiteKind, State
from session_lint.flow import EdgeKind, PointKind
from session_lint.python.names import own_nodes, path
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from session_lint.analysis.module import Module
    from session_lint.flow import Code, Edge, Point
    from session_lint.python.scopes import Scope


class Lifecycle:
    """The problem: where does each obligation of a code end, and in which state.

    :param module: what is known of the module around it.
    :param code: the function or module body.
    :param start: the fact that holds at its entry.
    """

    def __init__(self, module: Module, code: Code, start: Fact = NOTHING) -> None:
        self.module = module
        self.code = code
        self.scope: Scope = module.names.scopes.of[code]
        self.start = start
        self.calling = Calling(module, code)
        self.relevant = guards.relevant(code)
        self._class_level = _class_level(code)
        self._public = module.exported if isinstance(code, ast.Module) else frozenset()
        self._transfer: dict[PointKind, Callable[[Point, Fact], Iterable[Fact]]] = {
            PointKind.CALL: lambda point, fact: self.calling.outcomes(point.node, fact)[0],  # type: ignore[arg-type]
            PointKind.AWAIT: self._await,
            PointKind.YIELD: self._yield,
            PointKind.ENTER: self._enter,
            PointKind.EXIT: self._exit,
            PointKind.STATEMENT: self._statement,
            PointKind.STORE: self._store,
            PointKind.DELETE: self._delete,
            PointKind.PHI: self._phi,
            PointKind.RETURN: self._return,
        }
        self._raise: dict[PointKind, Callable[[Point, Fact], Iterable[Fact]]] = {
            PointKind.CALL: lambda point, fact: self.calling.outcomes(point.node, fact)[1],  # type: ignore[arg-type]
            PointKind.AWAIT: self._await_raises,
            PointKind.YIELD: self._yield_raises,
            PointKind.EXIT: self._exit_raises,
            PointKind.NEXT: self._next_raises,
            PointKind.RAISE: self._raises,
            PointKind.RERAISE: self._reraises,
        }

    # the solver's protocol

    def entry(self) -> Iterable[Fact]:
        """What holds before the first point."""
        unbound = {(name, False) for name in guards.asked_for_existence(self.code)}
        return [self.start._replace(guards=self.start.guards | unbound)]

    def transfer(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """The facts after a point has completed."""
        handler = self._transfer.get(point.kind)
        if handler is None or (_settled(fact) and point.kind is not PointKind.CALL):
            return (fact,)
        return handler(point, fact)

    def transfer_raise(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """The facts after a point has raised; none where it cannot."""
        handler = self._raise.get(point.kind)
        return () if handler is None else handler(point, fact)

    def follow(self, edge: Edge, fact: Fact) -> Iterable[Fact]:
        """The fact at the far end of an edge, or none where the way is impossible."""
        kind = edge.kind
        if kind in (EdgeKind.TRUE, EdgeKind.FALSE):
            found = self._test(edge.node, kind is EdgeKind.TRUE, fact)  # type: ignore[arg-type]
        elif kind is EdgeKind.CATCH:
            found = self._catch(edge, fact)
        elif kind is EdgeKind.UNCAUGHT:
            found = None if self._surely_caught(edge.source.edges, fact) else fact
        elif kind is EdgeKind.SWALLOW:
            found = fact._replace(flying=None) if self._swallows(edge.node, fact) is not False else None  # type: ignore[arg-type]
        elif kind is EdgeKind.UNWIND:
            found = None if self._swallows(edge.node, fact) else fact  # type: ignore[arg-type]
        else:
            found = fact
        if found is None:
            return ()
        depth = edge.target.depth
        return (found,) if len(found.caught) <= depth else (found._replace(caught=found.caught[:depth]),)

    def group(self, fact: Fact) -> Hashable:
        """Facts of one site share a block's budget."""
        return fact.site

    def widen(self, fact: Fact) -> Fact:
        """The fact without its guards, but for those that decide about closing, and without where its exceptions were raised."""
        kept = frozenset(g for g in fact.guards if guards.variables(g[0]) & guards.around_closing(self.code))
        flying = fact.flying and Raised(fact.flying.type, self.code)
        return fact._replace(guards=kept, flying=flying, caught=tuple(Raised(c.type, self.code) for c in fact.caught))

    # statements, bindings

    def _statement(self, point: Point, fact: Fact) -> Iterable[Fact]:
        """A new statement: what the last one computed and did not bind is gone."""
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
        if name:
            return (self._dropped(rename(fact, name, None)._replace(guards=guards.forget(fact.guards, name)), node),)
        return self._assign(node, value, fact) if isinstance(node, ast.expr) else (fact,)

    def _assign(self, target: ast.expr, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        if isinstance(target, ast.Starred):
            target = target.value
        if isinstance(target, (ast.Tuple, ast.List)):
            return self._unpack(target, value, fact)
        if isinstance(value, ast.withitem):
            value = self._entered(value, fact)
        if isinstance(target, ast.Subscript):
            return (_give(fact) if held(value, fact) else fact,)
        name = path(target)
        if not name:
            return (_give(fact) if held(value, fact) else fact,)
        return self._bind(target, name, value, fact)

    def _bind(self, target: ast.expr, name: str, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        hold = held(value, fact)
        if hold and (self._outlives(target, name) or isinstance(value, _COLLECTIONS)):
            return (_give(fact),)  # of a collection nobody can tell whether all of it is closed in the end
        bound = rename(fact, name, value)
        if not reachable(bound) and isinstance(value, ast.Call) and any(held(a, fact) for a in (*value.args, *(k.value for k in value.keywords))):
            bound = _give(fact)  # session = configure(session): what came back may be it
        bound = self._dropped(bound, target)
        return [bound._replace(guards=g) for g in self._learn(name, value, fact)]

    def _learn(self, name: str, value: ast.AST | None, fact: Fact) -> Iterable[guards.Guards]:
        if name.partition(".")[0] not in self.relevant:
            return (fact.guards,)
        base = guards.forget(fact.guards, name)
        base = (base - {(f"bound {name}", False)}) | {(f"bound {name}", True)} if (f"bound {name}", False) in base else base
        if held(value, fact) or isinstance(value, ast.Call) and self.module.opens(value):
            return (base | {(name, True), (f"{name} is None", False)},)
        if not isinstance(value, ast.expr):
            return (base,)
        kept = base & {(f"bound {name}", True)}
        return [g | kept for g in guards.learned(name, value, fact.guards - {(f"bound {name}", False)})]

    def _outlives(self, target: ast.expr, name: str) -> bool:
        """Whether what is bound here lives on after the code: a field, a global, a class attribute, an export."""
        if isinstance(target, ast.Attribute):
            return True
        return name in self.scope.elsewhere or target in self._class_level or name in self._public

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.AST | None, fact: Fact) -> Iterable[Fact]:
        pairs = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        facts: list[Fact] = [fact]
        for index, element in enumerate(target.elts):
            part: ast.AST | None = value.elts[index] if pairs else None  # type: ignore[union-attr]
            if ("item", value, index) in fact.names and isinstance(element, (ast.Name, ast.Attribute)):
                facts = [f._replace(names=f.names | {("temp", element)}) for f in facts]
                part = element
            facts = [g for f in facts for g in self._assign(element, part, f)]
        return [_give(f) if not pairs and held(value, f) is Hold.INSIDE else f for f in facts]

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, fact: Fact) -> Fact:
        kept = rename(fact, node.name, None)
        hold = closure(node, kept)
        if hold is Hold.CLOSER:
            return _give(fact) if node.decorator_list else kept._replace(names=kept.names | {("closer", node.name)})
        return kept._replace(names=kept.names | {("in", node.name)}) if hold else self._dropped(kept, node)

    def _delete(self, point: Point, fact: Fact) -> Iterable[Fact]:
        name = path(point.node)
        return (self._dropped(rename(fact, name, None), point.node),) if name else (fact,)

    def _dropped(self, fact: Fact, node: ast.AST) -> Fact:
        """The fact, or, where the last name of an open session is gone, the end of its story."""
        site = fact.site
        if site is None or site.kind is not SiteKind.OWNED or reachable(fact) or fact.marked("yielded"):
            return fact
        if fact.state in (State.CLOSED, State.GIVEN):
            return fact
        return fact._replace(names=frozenset(), guards=frozenset(), marks=fact.marks | {Mark("dropped", node)})

    def _phi(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (_same(fact, point.value, point.node),)

    def _await(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (_same(fact, point.node.value, point.node),)  # type: ignore[attr-defined]

    def _return(self, point: Point, fact: Fact) -> Iterable[Fact]:
        found = fact._replace(flying=None)
        hold = held(point.value, fact)
        if hold is Hold.CLOSER:
            return (_give(found),)
        if hold is None:
            return (found,)
        how: object = hold.value
        if isinstance(point.value, ast.Tuple):
            how = next((i for i, e in enumerate(point.value.elts) if held(e, fact) is Hold.WHOLE), how)
        return (found._replace(names=found.names | {("returned", how)}),)

    # with

    def _entered(self, item: ast.withitem, fact: Fact) -> ast.AST | None:
        """What stands for the value of ``with item as name``, where it is the session."""
        if ("with", item) in fact.names or ("bare", item.context_expr) in fact.names:
            return item
        return item.context_expr if held(item.context_expr, fact) is Hold.INSIDE else None

    def _enter(self, point: Point, fact: Fact) -> Iterable[Fact]:
        item: ast.withitem = point.node  # type: ignore[assignment]
        expr = item.context_expr
        if fact.site is None:
            return self._open_scope(item, fact)
        hold = held(expr, fact)
        if hold is Hold.WHOLE:
            return (fact._replace(names=fact.names | {("with", item), ("temp", item)}),)
        if hold is Hold.INSIDE:
            return (_give(fact),)
        if ("bare", expr) in fact.names:
            return (fact._replace(names=fact.names | {("temp", item)}),)
        return (self._begin(item, fact),)

    def _begin(self, item: ast.withitem, fact: Fact) -> Fact:
        calls = [item.context_expr, *self.module.bound_calls(item.context_expr, self.scope)]
        for what, inside in (("transaction", "begun"), ("savepoint", "nested")):
            if any(m.node in calls for m in fact.marked(what)):
                return fact.unmark(what).mark(inside, item)
        return fact

    def _open_scope(self, item: ast.withitem, fact: Fact) -> Iterable[Fact]:
        meaning = self.module.context(item.context_expr, self.scope)
        if meaning is None or meaning.role is not Role.SCOPE:
            return (fact,)
        site = self.module.site(SiteKind.SCOPE, item, self.code, commits=meaning.commits)
        names = frozenset({("with", item), ("temp", item)})
        return (fact, fact._replace(site=site, names=names, marks=frozenset()))

    def _exit(self, point: Point, fact: Fact) -> Iterable[Fact]:
        return (self._left(point.node, fact),)  # type: ignore[arg-type]

    def _left(self, item: ast.withitem, fact: Fact) -> Fact:
        if _settled(fact):
            return fact
        if ("with", item) in fact.names:
            left = fact._replace(names=fact.names - {("with", item), ("temp", item)})
            commits = fact.site is not None and fact.site.kind is SiteKind.SCOPE and fact.site.commits
            return effects.leave(left, item, commits=commits)
        for what in ("begun", "nested"):
            if Mark(what, item) in fact.marks:
                return effects.end_transaction(fact, item, what)
        return fact

    def _exit_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        item: ast.withitem = point.node  # type: ignore[assignment]
        begins = fact.flying is None and self.module.commits_at_exit(item, self.scope)
        return (self._left(item, fact)._replace(flying=Raised(SQLALCHEMY, item.context_expr)),) if begins else ()

    def _swallows(self, item: ast.withitem, fact: Fact) -> bool | None:
        """Whether a context manager ends the exception on its way: surely, never, or perhaps."""
        if fact.flying is None:
            return False
        kinds = self.module.swallowed(item.context_expr, self.scope)
        found = [self.module.exceptions.catches(fact.flying.type, kind) for kind in kinds]
        return True if True in found else None if None in found else False

    # exceptions

    def _yield(self, point: Point, fact: Fact) -> Iterable[Fact]:
        value = point.node.value  # type: ignore[attr-defined]
        if _settled(fact) or not held(value, fact):
            return (fact,)
        given = fact.mark("lent" if self.module.is_context_manager(self.code) else "yielded")
        return (given._replace(state=State.ACTIVE, pending=point.node) if self.module.hands_over(self.code) else given,)

    def _yield_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        kind = ANY if self.module.hands_over(self.code) else "builtins.GeneratorExit"
        (after,) = self._yield(point, fact)
        return (after._replace(flying=Raised(kind, point.node)),)

    def _await_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        if isinstance(point.node.value, ast.Call):  # type: ignore[attr-defined]
            return ()  # the call has raised already, as far as this analysis tells the two apart
        return (fact._replace(flying=Raised(ANY, point.node)),)

    def _next_raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        if fact.site is not None and effects.iterates(point.node.iter, fact):  # type: ignore[attr-defined]
            return (effects.operate(fact, point.node)._replace(flying=Raised(SQLALCHEMY, point.node.iter)),)  # type: ignore[attr-defined]
        return (fact._replace(flying=Raised(ANY, point.node)),) if isinstance(point.node, ast.AsyncFor) else ()

    def _raises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        node = point.node
        if isinstance(node, ast.Assert):
            return (fact._replace(flying=Raised("builtins.AssertionError", node)),)
        return (fact._replace(flying=self._raised(node, fact)),)  # type: ignore[arg-type]

    def _raised(self, node: ast.Raise, fact: Fact) -> Raised:
        again = node.exc is None or isinstance(node.exc, ast.Name) and node.exc.id in self.module.caught_names(self.code)
        if again:
            return Raised(fact.caught[-1].type, node) if fact.caught else Raised(ANY, node)
        return Raised(self.module.exceptions.raised(node.exc, self.scope), node)  # type: ignore[arg-type]

    def _reraises(self, point: Point, fact: Fact) -> Iterable[Fact]:
        flying = fact.caught[-1] if fact.caught else Raised(ANY, point.node)
        return (fact._replace(flying=flying),)

    def _catch(self, edge: Edge, fact: Fact) -> Fact | None:
        flying = fact.flying
        if flying is None:
            return None
        caught = fact.caught[: edge.target.depth - 1]
        names = frozenset(n for n in fact.names if not (isinstance(n, tuple) and n[0] == "returned"))
        if not isinstance(edge.node, ast.ExceptHandler):  # a finally body, on the way of an exception
            return fact._replace(flying=None, caught=(*caught, flying), names=names)
        earlier = edge.source.edges[: edge.source.edges.index(edge)]
        if self._surely_caught(earlier, fact):
            return None
        kinds = self.module.exceptions.listed(edge.node.type, self.scope)
        for kind in kinds:
            found = self.module.exceptions.catches(flying.type, kind)
            if found is not False:
                met = flying if found else Raised(kind or ANY, flying.node)
                return fact._replace(flying=None, caught=(*caught, met), names=names, pending=None)
        return None

    def _surely_caught(self, edges: list[Edge], fact: Fact) -> bool:
        catches = self.module.exceptions.catches
        return fact.flying is not None and any(
            catches(fact.flying.type, kind)
            for edge in edges
            if isinstance(edge.node, ast.ExceptHandler)
            for kind in self.module.exceptions.listed(edge.node.type, self.scope)
        )

    # tests

    def _about_session(self, test: ast.expr, fact: Fact) -> bool | None:
        """The outcome of a test on the session itself, which is never ``None``, always true, and a session."""
        if held(test, fact) is Hold.WHOLE:
            return True
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and held(test.left, fact) is Hold.WHOLE:
            right = test.comparators[0]
            if isinstance(right, ast.Constant) and right.value is None and isinstance(test.ops[0], (ast.Is, ast.Eq, ast.IsNot, ast.NotEq)):
                return isinstance(test.ops[0], (ast.IsNot, ast.NotEq))
        if isinstance(test, ast.Call) and len(test.args) == 2 and held(test.args[0], fact) is Hold.WHOLE:  # noqa: PLR2004
            if path(test.func) == "hasattr":
                return True
            if path(test.func) == "isinstance":
                found = self.module.calls.meaning(self.module.names.qualify(test.args[1], self.scope))
                return True if found is not None and found.role is Role.FACTORY else None
        return None

    def _test(self, test: ast.expr, wanted: bool, fact: Fact) -> Fact | None:  # noqa: FBT001
        known = self._about_session(test, fact)
        if known is None:
            known = guards.outcome(test, fact.guards)
        if known is not None:
            return fact if known is wanted else None
        atom = guards.atom(test)
        if atom is None or not guards.variables(atom[0]) & self.relevant:
            return fact
        assumed = guards.assume(fact.guards, atom[0], atom[1] is wanted)
        return None if assumed is None else fact._replace(guards=assumed)


_COLLECTIONS = (ast.List, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp)


def _settled(fact: Fact) -> bool:
    return fact.state is State.GIVEN or any(m.what == "dropped" for m in fact.marks)


def _give(fact: Fact) -> Fact:
    """The fact of a session that an owner has taken, who outlives the code."""
    if fact.site is not None and fact.site.kind is SiteKind.SINGLETON:
        return fact
    return fact._replace(state=State.GIVEN, names=frozenset(), pending=None)


def _same(fact: Fact, source: ast.AST | None, result: ast.AST) -> Fact:
    """The fact once ``result`` has the value of ``source``."""
    hold = held(source, fact)
    if hold is None:
        return fact
    return fact._replace(names=fact.names | {("temp" if hold is Hold.WHOLE else "in", result)})


def _temporary(name: object) -> bool:
    return isinstance(name, tuple) and name[0] in ("temp", "in", "item", "bare") and isinstance(name[1], ast.AST)


def _bound_name(node: ast.AST) -> str:
    if isinstance(node, ast.alias):
        return node.asname or node.name.partition(".")[0]
    name = getattr(node, "name", None) if isinstance(node, (ast.ClassDef, ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) else None
    return name or (getattr(node, "rest", None) or "")


def _class_level(code: ast.AST) -> frozenset[ast.AST]:
    """The assignment targets that stand in a class body that runs as part of this code."""
    classes = [n for n in own_nodes(code) if isinstance(n, ast.ClassDef)]
    return frozenset(n for c in classes for n in own_nodes(c) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
