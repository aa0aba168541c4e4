"""What a call does to a fact, when it completes and when it raises."""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING

from session_lint.analysis import effects, guards
from session_lint.analysis.aliases import is_registry_call
from session_lint.analysis.arguments import bind, conditions_met, conditions_met_by_reading, parameters_given
from session_lint.analysis.classes import undone_by_itself
from session_lint.analysis.closures import by_own_method, closed_over
from session_lint.analysis.each import closes_all_given
from session_lint.analysis.everywhere import knows_itself
from session_lint.analysis.flushing import flushes_by_itself
from session_lint.analysis.holding import ASKING, CONNECTION, Hold, arguments, held, is_connection, releasing, root
from session_lint.analysis.keyed import is_dict, taken
from session_lint.analysis.lasting import helpers, lasting
from session_lint.analysis.later import closes_later, is_partial, run_with
from session_lint.analysis.making import is_mapped, made_by_dataclass, only_kept, runs_when_made
from session_lint.analysis.objects import by_holder, by_method, used_here
from session_lint.analysis.publishing import only_shows
from session_lint.analysis.request_context import gives_field
from session_lint.analysis.results import untold
from session_lint.analysis.state import ANY, SQLALCHEMY, Fact, Mark, Raised, SiteKind, State, give, settled
from session_lint.analysis.summaries import Outcome, for_owner, is_generator
from session_lint.analysis.surrounding import CLOSES, is_entered, surrounding
from session_lint.analysis.taking_over import PUTTING, takes_over
from session_lint.analysis.unbound import never_connects
from session_lint.python.nodes import own_of, path
from session_lint.python.remembered import remembered
from session_lint.python.scopes import below
from session_lint.python.words import word
from session_lint.values import replace
from session_lint.vocabulary import Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from session_lint.analysis.calls import Callee
    from session_lint.analysis.module import Module
    from session_lint.analysis.state import Site
    from session_lint.analysis.surrounding import Surrounding
    from session_lint.flow import Code
    from session_lint.vocabulary import Effect

Outcomes = tuple[list[Fact], list[Fact]]
"""The facts after a call that completed, and after one that raised."""


class Calling:
    """The transfer of calls in one code."""

    def __init__(self, module: Module, code: Code, hops: int) -> None:
        self.module = module
        self.code = code
        self.hops = hops
        self.telling: frozenset[str] | None = None
        """The variables of which it is remembered what a callee's outcome says of them; ``None`` where all are."""
        self._required = guards.required(code)
        self._owners: dict[int, tuple[Iterable[Outcome], tuple[Outcome, ...]]] = {}
        self._last: tuple[ast.Call, Fact, Outcomes] | None = None

    def outcomes(self, call: ast.Call, fact: Fact) -> Outcomes:
        """What may hold after a call."""
        if self._last is not None and self._last[0] is call and self._last[1] is fact:
            return self._last[2]
        if settled(fact):
            result = self._uninvolved(call, self.module.calls.callee(call), fact)
        else:
            result = self._outcomes(call, fact)
        self._last = (call, fact, result)
        return result

    def _outcomes(self, call: ast.Call, fact: Fact) -> Outcomes:
        callee = self.module.calls.callee(call)
        if fact.site is None:
            return self._opens(call, callee, fact)
        own = self._own_method(call, fact)
        if own is not None:
            return own
        inner = self._by_its_own_name(call, callee, fact)
        if inner is not None:
            return self._by_summary(call, callee, fact, inner)
        called = self._called(call, callee, fact)
        if called is not None:
            return called
        if fact.site.kind is SiteKind.SINGLETON or fact.site.key:
            found = self._singleton(call, callee, fact)
            if found is not None:
                return found
        if any(held(argument, fact) for argument in arguments(call)):
            return self._passed(call, callee, fact)
        if callee.raises and fact.marked("kept"):  # whatever runs there may find it in the field
            fact = _borrowed(fact, call)
        return self._uninvolved(call, callee, fact)

    def _by_its_own_name(self, call: ast.Call, callee: Callee, fact: Fact) -> Iterable[Outcome] | None:
        """What a function does to a session that it knows without being given it."""
        alone = self.hops == 0
        inner = closed_over(self.module, self.code, call, callee, fact, alone=alone)
        if inner is None:
            inner = by_own_method(self.module, self.code, call, callee, fact, alone=alone)
        given = inner is not None or any(held(argument, fact) for argument in arguments(call))
        return inner if given else knows_itself(self.module, self.code, callee, fact, alone=alone)

    def _called(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes | None:
        """What a call does whose callee is, holds or closes the session, or closes all of them."""
        hold = held(call.func, fact)
        if hold is Hold.CLOSER or callee.role is Role.CLOSES_ALL or _removes(call, fact):
            return [effects.close(fact, call)], []
        if hold is Hold.WHOLE and (is_registry_call(self.module, call) or gives_field(self.module, call)):
            return [fact._replace(names=fact.names | {("temp", call)})], []
        if hold is Hold.INSIDE and callee.function is not None:  # a closure over the session
            return self._uninvolved(call, callee, _borrowed(fact, call))
        return None

    # a way without an obligation: one may begin

    def _opens(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        if callee.role is Role.FACTORY:
            if never_connects(self.module, call):
                return self._uninvolved(call, callee, fact)
            over = self.module.over_connection(call)
            site = self.module.site(SiteKind.OWNED, call, self.code, borrowed=over, lazy=callee.lazy)
            known = frozenset({("temp", call), *filter(None, [callee.kept])})
            return [fact, fact._replace(site=site, names=known, marks=frozenset())], []
        if callee.role is Role.SINGLETON and callee.meaning is not None:
            return self._opens_singleton(call, self.module.key(callee), fact)
        if callee.role is Role.CLOSER and callee.meaning is not None:
            marks = frozenset(m for m in fact.marks if m.key != callee.meaning.closes)
            return [fact.with_marks(marks)], []
        if callee.function is not None:
            return self._calls_function(call, callee, fact)
        return self._uninvolved(call, callee, fact)

    def _opens_singleton(self, call: ast.Call, key: str, fact: Fact) -> Outcomes:
        is_open = Mark("open", key=key)
        if is_open in fact.marks:
            return [fact], []
        site = self.module.site(SiteKind.SINGLETON, call, self.code, key=key)
        born = fact._replace(site=site, names=frozenset({("temp", call)}), marks=frozenset())
        return [fact.with_marks(fact.marks | {is_open}), born], []

    def _calls_function(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        assert callee.function is not None
        fresh = self.module.at(callee).summaries.fresh(callee.function)  # before the rest, which rests on it elsewhere
        done, raised = self._uninvolved(call, callee, fact)
        opened = {
            Mark("open", key=s.key) for s, o in fresh if s.key and o.raised is None and o.state is not State.CLOSED
        }
        if opened:
            done = [one.with_marks(one.marks | opened) for one in done]
        for site, outcome in fresh:
            if (Mark("open", key=site.key) in fact.marks and site.key) or site.passes(call):
                continue
            for known in self._met(call, callee, outcome, fact):
                born = self._born(call, site, outcome, known)
                if outcome.raised is None:
                    done.append(born)
                else:
                    raised.append(born.with_flying(outcome.raised))
        return done, raised

    def _born(self, node: ast.expr, site: Site, outcome: Outcome, fact: Fact) -> Fact:
        """The fact of a session that comes out of a function's call."""
        mine = self.module.site(site.kind, node, self.code, key=site.key, via=site)
        still = outcome.state is State.CLOSED
        marks = frozenset(m for m in outcome.marks if still or m.what != "closed")
        names = _returned(node, outcome)
        return fact._replace(site=mine, names=names, state=outcome.state, pending=outcome.pending, marks=marks)

    def read(self, node: ast.Attribute, fact: Fact) -> list[Fact]:
        """What may hold after a field was read: where a property opens a session, one is open."""
        found = self.module.property_read(node, self.code) if fact.site is None else None
        if found is None:
            return [fact]
        home, function = found
        opened = [(s, o) for s, o in home.summaries.fresh(function) if s.kind is SiteKind.OWNED and not s.passes(node)]
        born = [
            self._born(node, site, outcome, known)
            for site, outcome in opened
            if outcome.raised is None
            for known in conditions_met_by_reading(node, function, outcome.conditions, fact)
        ]
        return [fact, *born]

    def _met(self, call: ast.Call, callee: Callee, outcome: Outcome, fact: Fact) -> Iterable[Fact]:
        return conditions_met(call, callee, outcome.conditions, fact, self._required, self.telling)

    # the session is not part of the call

    def _uninvolved(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        if fact.pending is not None and any(is_connection(argument, fact) for argument in arguments(call)):
            fact = fact._replace(pending=None).mark("exposed")  # who has the connection may commit
        if callee.role is Role.NO_RETURN and callee.meaning is not None:
            kind = callee.meaning.raises
            return [], [fact.with_flying(Raised(kind, call))] if kind else []
        if callee.function is not None:
            if only_makes(self.code, call, callee.function):
                return [fact], []
            return self._by_summary(call, callee, fact, self._ways(call, callee))
        kind = callee.raises
        if callee.effect is not None:  # a method of another session
            quiet = not callee.effect.raises or (_undoes(callee.effect) and fact.caught)
            kind = "" if quiet else SQLALCHEMY
        if callee.owner is not None and kind:
            kind = self._constructor_raises(call, callee, fact)
        if _reads_keywords(call, self.code):
            kind = ""
        return [fact], [fact.with_flying(Raised(kind, call, _undoes(callee.effect)))] if kind else []

    def _ways(self, call: ast.Call, callee: Callee) -> Iterable[Outcome]:
        """How a function ends by itself, or with another session; one that is too many modules away is not followed."""
        home, function = self.module.at(callee), callee.function
        assert function is not None
        for name, argument in bind(call, function, bound=callee.bound).items() if self.hops > 1 else ():
            if isinstance(argument, ast.Name) and self.module.calls.is_session(argument, self.module.calls.scope(call)):
                ended = map(untold, home.summaries.parameter(function, name))
                return [Outcome(o.raised, conditions=o.conditions) for o in ended]
        return home.summaries.ways(function, self.hops if home is self.module else self.hops - 1)

    def _constructor_raises(self, call: ast.Call, callee: Callee, fact: Fact) -> str:
        init = self.module.initialiser(callee)
        if init is None:
            assert callee.owner is not None
            assert callee.home is not None
            # what a dictionary has, nobody knows; while the session is new, nothing is held that a wrong key could leak
            named = fact.state is State.NEW or not any(keyword.arg is None for keyword in call.keywords)
            return "" if self._plain(callee) or (named and is_mapped(callee.home, callee.owner)) else ANY
        home, function = init
        hops = self.hops if home is self.module else self.hops - 1
        return ANY if any(way.raised for way in home.summaries.ways(function, hops)) else ""

    def _plain(self, callee: Callee) -> bool:
        """Whether nothing of a class that has no ``__init__`` runs when an object of it is made."""
        assert callee.owner is not None
        assert callee.home is not None
        owner, home = callee.owner, callee.home
        data = all(made_by_dataclass(home, decorator, owner) for decorator in owner.decorator_list)
        return data and not (owner.bases or owner.keywords or runs_when_made(owner))

    def _by_summary(self, call: ast.Call, callee: Callee, fact: Fact, outcomes: Iterable[Outcome]) -> Outcomes:
        done: list[Fact] = []
        raised: list[Fact] = []
        later = callee.function is not None and only_makes(self.code, call, callee.function)
        mine = fact.site is not None and effects.free(fact)
        met: dict[guards.Guards, list[Fact]] = {}
        spared: frozenset[ast.AST | None] = frozenset()
        if fact.marked("failed"):
            outcomes = outcomes if isinstance(outcomes, tuple) else [*outcomes]
            spared = self._given_back(call, fact, outcomes)
        outcomes = [*(self._for_owner(outcomes) if mine else outcomes)]
        added = _added(fact, outcomes, call)
        for outcome in outcomes:
            if outcome.raised is not None and outcome.raised.undoing and fact.caught:
                continue
            under = outcome.conditions
            if under not in met:
                met[under] = list(self._met(call, callee, outcome, fact))
            for known in met[under]:
                after = _after(known, outcome, call, spared) if outcome.touches else known
                if outcome.raised is None:
                    done.append(after)
                else:
                    if added and _asks(outcome) and flushes_by_itself(self.module, known, call):
                        after = after.mark("failing", call, added)
                    raised.append(after.with_flying(outcome.raised._replace(node=call)))
        if later:  # it has not begun, and nobody here sees it end
            return list(dict.fromkeys(done)) or [fact], []
        return list(dict.fromkeys(done)), list(dict.fromkeys(raised))

    def _given_back(self, call: ast.Call, fact: Fact, outcomes: Iterable[Outcome]) -> frozenset[ast.AST | None]:
        """The clauses around a call that give their error back, where the function called may leave the session alone.

        It tells of the error, and asks the session only where it cannot do without.
        """
        if not any(one.raised is None and one.touches and one.state is State.NEW for one in outcomes):
            return frozenset()
        clauses = {m.node for m in fact.marked("failed") if isinstance(m.node, ast.ExceptHandler)}
        giving = {one for one in clauses if isinstance(one.body[-1], ast.Raise)}
        return frozenset(one for one in giving if any(node is call for node in below(one)))

    def _for_owner(self, outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
        """The outcomes as far as they count for a session that the code may end itself."""
        if not isinstance(outcomes, tuple):  # they are not those of a summary, which is asked for again
            return for_owner(outcomes)
        known = self._owners.get(id(outcomes))
        if known is None:
            known = self._owners[id(outcomes)] = (outcomes, for_owner(outcomes))  # which keeps them, and what they are
        return known[1]

    # a method of the session, of a query made from it, or of a dictionary that has it under a key

    def _own_method(self, call: ast.Call, fact: Fact) -> Outcomes | None:
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr in ASKING
            and (asked := taken(call, fact)) is not None
        ):
            return [asked], []
        own = own_effect(self.module, call, fact)
        if own is not None and own[1] == ["run_sync"]:
            return self._run_sync(call, own[0], fact)
        if own is not None:
            return self._method(call, own[0], fact, own[1])
        start, methods = root(call, fact)
        if held(start, fact) is Hold.INSIDE and isinstance(call.func, ast.Attribute) and len(methods) == 1:
            return self._wrapper(call, methods[0], fact)
        return None

    def _run_sync(self, call: ast.Call, effect: Effect, fact: Fact) -> Outcomes:
        """A function that an asynchronous session calls with its blocking self."""
        made = run_with(call, root(call, fact)[0])  # type: ignore[arg-type]  # what a method is called on
        if made is not None:
            self.module.calls.stands_in(made, call)
            callee = self.module.calls.callee(made)
            if callee.function is not None:
                return self._by_summary(call, callee, fact, self._of_parameter(made, callee, fact))
        return self._method(call, effect, fact, ["run_sync"])

    def _method(self, call: ast.Call, effect: Effect, fact: Fact, methods: list[str]) -> Outcomes:
        after = effects.apply(fact, effect, call)
        if len(methods) == 1 and methods[0] in ("__enter__", "__aenter__"):
            after = after._replace(names=after.names | {("temp", call)})
        if not effect.raises or (_undoes(effect) and fact.caught):
            return [after], []
        kind = SQLALCHEMY if effects.knows(methods) else ANY
        before = effects.without_queries(fact) if effect.effect == "commit" else fact
        failed = effects.operate(before, call) if effect.effect in ("write", "read", "flush", "commit") else fact
        # A rollback that fails ends the transaction, too, and gives the connection back: so in 1.4, 2.0 and 2.1.
        if effect.effect != "read" or fact.pending is None or flushes_by_itself(self.module, fact, call):
            failed = after if _undoes(effect) else effects.fail(failed, effect, call, fact)
        if effect.effect == "read" and methods != _CONNECTING and self._reads_may_fail and not failed.marked("failing"):
            failed = failed.unmark("asking").mark("asking", call)
        if failed.marked("failing") and self._undone_by_itself(methods, fact):
            failed = effects.recovered(failed)
        return [after], [failed.with_flying(Raised(kind, call, _undoes(effect)))]

    def _undone_by_itself(self, methods: list[str], fact: Fact) -> bool:
        """Whether the session's own class has rolled back what a method of it could not do."""
        mine = fact.site is not None and fact.site.kind is SiteKind.OWNED
        return mine and len(methods) == 1 and undone_by_itself(self.module, fact.site.node, methods[0])  # type: ignore[union-attr]

    @cached_property
    def _reads_may_fail(self) -> bool:
        """Whether a clause of the code is there for errors of the database and for no others, or keeps a loop going.

        Or whether such a loop of the module calls it.
        """
        scope, listed = self.module.names.scopes.of[self.code], self.module.exceptions.listed
        kinds = (kind for one in own_of(self.code, ast.ExceptHandler) for kind in listed(one.type, scope))
        if any(map(self.module.exceptions.of_reads, kinds)) or lasting(self.code):
            return True
        return getattr(self.code, "name", "") in helpers(self.module.names.scopes.module.node)

    def _wrapper(self, call: ast.Call, method: str, fact: Fact) -> Outcomes:
        """A method of an object that holds the session: where it cannot be followed, one named so may close it."""
        callee = self.module.calls.callee(call)
        followed = by_method(self.module, call, callee, fact, alone=self.hops == 0)
        if followed is not None:
            return self._by_summary(call, callee, fact, followed)
        if releasing(method):
            return [effects.close(fact, call)], []
        used = _kept(effects.recovered(fact))
        used = used._replace(state=State.ACTIVE) if fact.state is not State.CLOSED else used
        return [used], [used.with_flying(Raised(ANY, call))]

    # the one session of the process

    def _singleton(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes | None:
        assert fact.site is not None
        key = fact.site.key
        if fact.state is State.CLOSED:
            return (
                None
                if any(held(argument, fact) for argument in arguments(call))
                else self._uninvolved(call, callee, fact)
            )
        if callee.role is Role.SINGLETON and self.module.key(callee) == key:
            return [fact._replace(names=fact.names | {("temp", call)})], []
        if callee.role is Role.CLOSER and callee.meaning is not None and callee.meaning.closes == key:
            return [effects.close(fact, call)], []
        if any(held(argument, fact) for argument in arguments(call)):
            return None
        if callee.role is Role.TAKES and any(self.module.closer_of(a, self.code) == key for a in arguments(call)):
            return [fact._replace(state=State.GIVEN, pending=None)], []
        if callee.function is not None:
            outcomes = self.module.at(callee).summaries.singleton(callee.function, key)
            return self._by_summary(call, callee, fact, outcomes)
        if callee.meaning is None and callee.own:
            return self._uninvolved(call, callee, fact._replace(pending=None))  # it may commit the same session
        return None

    # the session is an argument

    def _passed(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        holds = [h for a in arguments(call) if (h := held(a, fact))]
        if is_partial(callee.names) and closes_later(self.module, call, fact):
            return [fact._replace(names=fact.names | {("closer", call)})], []
        if callee.role in _OF_ARGUMENTS:
            return [self._by_role(call, callee, fact)], []
        if Hold.CLOSER in holds or (callee.name in PUTTING and callee.function is None):
            given = give(fact)
            return self._raising(callee, call, given.mark("taken") if Hold.CLOSER in holds else given)
        if callee.name == "__init__" and callee.function is None:  # the base class keeps it, for all one can see
            return self._raising(callee, call, give(fact))
        if is_entered(self.module, call) and (around := self._around(call, callee, fact)) is not None:
            return around
        if callee.function is not None:
            return self._to_function(call, callee, fact)
        if callee.owner is not None and not self._stores(call, callee, fact):
            return self._raising(callee, call, _borrowed(fact, call))
        return self._to_unread(call, callee, fact)

    def _to_unread(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        if callee.constructor:
            wrapped = self._wrapped(call, callee, fact)
            before = give(fact) if _is_nobodys(fact) else wrapped  # a session that has done nothing goes with a failure
            return self._raising(callee, call, wrapped._replace(names=wrapped.names | {("in", call)}), before=before)
        if releasing(callee.name):
            return [effects.close(fact, call)], []
        if _is_nobodys(fact):
            return self._raising(callee, call, give(fact))
        return self._raising(callee, call, _borrowed(fact, call))

    def _around(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes | None:
        """What holds once a context manager was made that does something to the session at the end of its ``with``."""
        end: Surrounding | None = None
        if callee.function is not None:
            names = parameters_given(self.module, call, callee.function, fact, bound=callee.bound)
            end = surrounding(self.module, callee, names[0]) if len(names) == 1 else None
        elif callee.owner is None and callee.meaning is None and not callee.constructor:
            if not releasing(callee.name):  # nobody knows whether it closes it
                return self._raising(callee, call, give(fact))
            end = CLOSES
        return None if end is None else ([fact._replace(names=fact.names | {("around", call, end)})], [])

    def _to_function(self, call: ast.Call, callee: Callee, fact: Fact) -> Outcomes:
        if closes_all_given(call, callee, fact) or takes_over(self.module, call, callee, fact):
            return self._by_summary(call, callee, give(fact), self._ways(call, callee))
        inside = by_holder(self.module, call, callee, fact, alone=self.hops == 0)
        if inside is not None and fact.state is not State.CLOSED:
            return self._by_summary(call, callee, fact, inside)
        outcomes = self._of_parameter(call, callee, fact)
        if _is_nobodys(fact):  # who has it of those that cannot be read has it for good
            outcomes = [_kept_inside(outcome) for outcome in outcomes]
        return self._by_summary(call, callee, fact, outcomes)

    def _by_role(self, call: ast.Call, callee: Callee, fact: Fact) -> Fact:
        if callee.role is Role.TAKES:
            left = closes_later(self.module, call, fact) is False or only_shows(callee, self.code, fact)
            return _borrowed(fact, call) if left else give(fact).mark("taken")
        if callee.role is Role.CLOSING:
            return fact._replace(names=fact.names | {("temp", call)})
        if callee.role is Role.TRANSPARENT:
            return fact._replace(names=fact.names | {("bare", call)})
        if callee.role is Role.SAME and any(held(a, fact) is Hold.WHOLE for a in arguments(call)):
            return fact._replace(names=fact.names | {("temp", call)})
        if is_dict(self.module, call):
            return fact._replace(names=fact.names | {("in", call)})
        return fact

    def _raising(self, callee: Callee, call: ast.Call, after: Fact, before: Fact | None = None) -> Outcomes:
        kind = self._constructor_raises(call, callee, after) if callee.owner is not None else callee.raises
        return [after], [(before or after).with_flying(Raised(kind, call))] if kind else []

    def _of_parameter(self, call: ast.Call, callee: Callee, fact: Fact) -> Iterable[Outcome]:
        assert callee.function is not None
        names = parameters_given(self.module, call, callee.function, fact, bound=callee.bound)
        if not names:
            return self._ways(call, callee)
        summaries = self.module.at(callee).summaries
        closed = fact.state is State.CLOSED
        return summaries.parameter(callee.function, *names, closed=closed, alone=self.hops == 0)

    def _stores(self, call: ast.Call, callee: Callee, fact: Fact) -> bool:
        """Whether a class of the project keeps the session that its constructor gets."""
        init = self.module.initialiser(callee)
        if init is None:
            return True
        home, function = init
        for name, argument in bind(call, function, bound=True).items():
            if argument is not None and held(argument, fact) is Hold.WHOLE:
                return any(o.state is State.GIVEN for o in home.summaries.parameter(function, name))
        return True

    def _wrapped(self, call: ast.Call, callee: Callee, fact: Fact) -> Fact:
        """The fact once an object was made that got the session."""
        if not self._only_keeps(call, callee, fact):
            return _borrowed(fact, call)
        return fact if used_here(self.module, self.code, call, fact) else _kept(fact)

    def _only_keeps(self, call: ast.Call, callee: Callee, fact: Fact) -> bool:
        """Whether a class of the project puts the session that its constructor gets into fields, and no more."""
        if callee.owner is None:
            return False
        init = self.module.initialiser(callee)
        if init is None:
            return self._plain(callee)
        passed = bind(call, init[1], bound=True).items()
        return all(only_kept(init[1], name) for name, a in passed if a is not None and held(a, fact))


def own_effect(module: Module, call: ast.Call, fact: Fact) -> tuple[Effect, list[str]] | None:
    """What a call does that is one of the session's own methods, or of a query's, and the chain of methods."""
    start, methods = root(call, fact)
    if not methods:
        return None
    whole = held(start, fact) is Hold.WHOLE
    if whole and methods[0] == CONNECTION and methods[1:] and methods[1] in _SENDING:
        methods = methods[1:]  # session.connection().execute(statement)
    elif not whole and methods[0] in _SENDING:
        whole = ("connection", path(start)) in fact.names
    if whole:
        scope = module.calls.scope(call)
        return effects.effect_of(methods, call, lambda node: module.calls.writes(node, scope)), methods
    if effects.from_query(start, fact):
        return effects.query_effect(methods[-1]), ["query", *methods]
    return None


_SENDING = ("execute", "scalar", "scalars", "commit", "rollback")
"""What a connection does to the transaction of its session just as the session does."""


def only_makes(code: ast.AST, call: ast.Call, function: ast.AST) -> bool:
    """Whether a call of a coroutine function only makes the coroutine, which something else runs: a task, later.

    What a decorator has made of one may run it at once.
    """
    if not isinstance(function, ast.AsyncFunctionDef) or is_generator(function) or call in _driven(code):
        return False
    return all(path(decorator) in ("staticmethod", "classmethod") for decorator in function.decorator_list)


@remembered
def _driven(code: ast.AST) -> frozenset[ast.AST]:
    """The calls of a code that are run to their end before it goes on, or by whoever called it."""
    returned = [n.value for n in own_of(code, ast.Return) if n.value is not None]
    awaited = [*returned, *(n.value for n in own_of(code, ast.Await))]
    runners = [n for n in own_of(code, ast.Call) if word(n.func) in _RUNNERS]
    return frozenset(n for one in (*awaited, *runners) for n in below(one) if isinstance(n, ast.Call))


_RUNNERS = frozenset(["run", "run_until_complete", "async_to_sync"])
"""What runs a coroutine that it is given, and waits for its end."""


def _is_nobodys(fact: Fact) -> bool:
    """Whether a session goes by no name of the code: it was made for a call."""
    return all(isinstance(n, tuple) and n[0] in ("temp", "in") and isinstance(n[1], ast.AST) for n in fact.names)


def _kept_inside(outcome: Outcome) -> Outcome:
    exposed = any(mark.what == "exposed" for mark in outcome.marks)
    kept = exposed and outcome.state is not State.CLOSED and not outcome.returned
    return replace(outcome, state=State.GIVEN) if kept else outcome


def _kept(fact: Fact) -> Fact:
    """An object has it that has not used it yet; through that, what was written may be committed."""
    return fact if fact.state is State.CLOSED else fact._replace(pending=None).mark("exposed")


_OF_ARGUMENTS = (Role.TAKES, Role.NO_RAISE, Role.CLOSING, Role.TRANSPARENT, Role.SAME)
"""What a call is to what it is given."""


def _removes(call: ast.Call, fact: Fact) -> bool:
    """Whether what a session was opened by is told to remove it: ``self.make_session.remove()``, as a registry is."""
    made = fact.site.node if fact.site is not None and fact.site.kind is SiteKind.OWNED else None
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "remove" or call.args or call.keywords:
        return False
    by = path(made.func) if isinstance(made, ast.Call) else ""
    return bool(by) and path(call.func.value) == by


def _undoes(effect: Effect | None) -> bool:
    """Whether it is a rollback: it does not raise while an exception is handled."""
    return effect is not None and effect.effect == "rollback"


def _reads_keywords(call: ast.Call, code: ast.AST) -> bool:
    """Whether a call looks a name up in the function's own ``**options``, a dict with names for its keys."""
    func, arguments = call.func, getattr(code, "args", None)
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name) or arguments is None:
        return False
    named = arguments.kwarg is not None and arguments.kwarg.arg == func.value.id
    return (
        named
        and func.attr in ("get", "keys", "values", "items")
        and all(isinstance(a, ast.Constant) for a in call.args)
    )


def _returned(call: ast.expr, outcome: Outcome) -> frozenset[object]:
    how = outcome.returned
    if how == Hold.WHOLE.value:
        return frozenset({("temp", call)})
    if how == Hold.INSIDE.value:
        return frozenset({("in", call)})
    return frozenset({("item", call, how)}) if isinstance(how, tuple) else frozenset()


def _added(fact: Fact, outcomes: Iterable[Outcome], call: ast.Call) -> ast.AST | None:
    """What is written and not sent when a function is called: the call itself, where it has done that before."""
    again = fact.pending is not None and any(one.pending is fact.pending for one in outcomes)
    return call if again else fact.pending


def _asks(outcome: Outcome) -> bool:
    """Whether what raises has asked the database for something, which may refuse what was written before the call."""
    asks = outcome.touches and outcome.state is State.ACTIVE and outcome.raised is not None
    return (
        asks
        and SQLALCHEMY in outcome.raised.kinds  # type: ignore[union-attr]  # see above
        and not any(m.what in _SETTLING or m.what in _FAILING for m in outcome.marks)
    )


def _after(fact: Fact, outcome: Outcome, call: ast.Call, spared: frozenset[ast.AST | None]) -> Fact:
    """The caller's fact once the callee has done to the session what its summary says.

    :param spared: the clauses for which that is no further use of a session which has failed.
    """
    names = fact.names | _returned(call, outcome)
    if outcome.state is State.NEW:
        return fact._replace(names=names)
    if outcome.state is State.GIVEN:
        return give(fact).with_marks(fact.marks | outcome.marks)
    settled = any(m.what in _SETTLING for m in outcome.marks)
    checked = any(m.what == "active" for m in outcome.marks)  # it would not have been, after a failure
    fact = effects.recovered(fact) if settled or checked else fact
    fact = fact.unmark("undone") if fact.marked("undone") else fact
    marks = fact.marks
    if outcome.state is State.ACTIVE and (fact.marked("commit") or fact.marked("failed")):
        used = effects.operate(fact, call).marks
        marks = frozenset(m for m in used if m in fact.marks or m.what != "stale" or m.node not in spared)
    pending = outcome.pending or (None if settled or outcome.state is State.CLOSED else fact.pending)
    told = (m for m in outcome.marks if m.what != "active")
    made = {m._replace(node=call) if m.node is None and m.what in _FAILING else m for m in told}
    if effects.free(fact):
        made = {m for m in made if m.what not in _OF_SCOPES}
    return fact._replace(names=names, state=outcome.state, pending=pending, marks=marks | made)


_SETTLING = ("committed", "ended", "closed", "exposed")
"""Marks of what leaves nothing of what was written before."""
_CONNECTING = ["connection"]
"""Where there is no database, there is no transaction that waits for a rollback: measured with 2.1."""
_FAILING = ("failing", "raised")
_OF_SCOPES = ("commit", "split", "ended")
"""Marks of what only a session must not be done to that somebody else ends."""


def _borrowed(fact: Fact, call: ast.Call) -> Fact:
    """Somebody unknown has had the session: a transaction may be open, what was written may be committed."""
    if fact.state is State.CLOSED:
        return fact
    return effects.operate(effects.recovered(fact), call)._replace(pending=None).mark("exposed")
