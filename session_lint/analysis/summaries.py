"""What calling a function of the module does, worked out once a function and kept.

A summary is a set of outcomes, one for each way out that differs: completed or raised, the session's state,
what was returned, and under which outcomes of tests on the parameters. Summaries are made on demand, callees first.
A function that is met again while its own summary is being made gets what is known so far, from nothing
upwards, until nothing changes any more.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.analysis import guards
from session_lint.analysis.effects import alike
from session_lint.analysis.family import is_abstract, written_below
from session_lint.analysis.holding import Hold
from session_lint.analysis.resolving import resolve
from session_lint.analysis.results import RESULT, telling
from session_lint.analysis.state import ANY, NOTHING, Fact, Mark, Raised, Site, SiteKind, State
from session_lint.flow import SolverLimit
from session_lint.python.nodes import own_of
from session_lint.python.remembered import remembered
from session_lint.python.scopes import parameters
from session_lint.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

    from session_lint.analysis.module import Module
    from session_lint.python.scopes import FunctionNode

_ROUNDS = 12
_LARGE = 150
"""How many blocks a function has of which nobody asks under which conditions it ends."""
_MOST = 4000
"""How many summaries one module may cost before the rest of its functions count as unknown."""

_KEPT = (
    "exposed",
    "commit",
    "split",
    "ended",
    "committed",
    "closed",
    "lost",
    "reopened",
    "taken",
    "failing",
    "raised",
    "failed",
    "stale",
    "active",
)


@dataclass(frozen=True)
class Outcome:
    """One way out of a function.

    :param raised: the exception, or ``None`` where it completed.
    :param state: the session's state there; ``NEW`` where the function left it as it was.
    :param pending: a write of its own that is not committed.
    :param marks: what happened to the session in it.
    :param returned: how the returned value holds the session: ``whole``, ``inside``, an index of a tuple, or empty.
    :param conditions: outcomes of tests on parameters, and on what is returned, under which the way is taken.
    :param touches: whether the outcome speaks of a session at all.
    """

    raised: Raised | None
    state: State = State.NEW
    pending: ast.AST | None = None
    marks: frozenset[Mark] = frozenset()
    returned: object = ""
    conditions: guards.Guards = frozenset()
    touches: bool = False


UNKNOWN = (Outcome(None), Outcome(Raised(ANY, ast.Pass())))
"""A function that cannot be followed: it may complete, it may raise."""
UNKNOWN_BORROWER = (
    Outcome(None, State.ACTIVE, marks=frozenset({Mark("exposed")}), touches=True),
    Outcome(Raised(ANY, ast.Pass()), State.ACTIVE, marks=frozenset({Mark("exposed")}), touches=True),
)

Key = tuple["FunctionNode", str]


class Rising:
    """The summaries of a program that are being made: functions may call each other in a circle across modules.

    :param known: what is known of each so far.
    :param round: which attempt that is, of all that were made.
    :param tentative: summaries that rest on unfinished ones, with the attempts that these were in, and where each is
        kept once these are finished.
    :param consulted: the unfinished ones that the summary at hand has asked about.
    :param last: what those came to that rest on an unfinished one.
    :param moved: whether any of them has changed in the attempt at hand.
    """

    def __init__(self) -> None:
        self.known: dict[Key, tuple[object, ...]] = {}
        self.round: dict[Key, int] = {}
        self.tentative: dict[Key, tuple[tuple[object, ...], dict[Key, int], dict[Key, tuple[object, ...]]]] = {}
        self.consulted: set[Key] = set()
        self.last: dict[Key, tuple[object, ...]] = {}
        self.moved = False
        self.made = 0

    def settle(self, key: Key) -> None:
        """Keep what rests on nothing but a summary that is finished: it has not changed since."""
        for other, (result, rests_on, done) in [*self.tentative.items()] if key in self.consulted else ():
            if rests_on == {key: self.round[key]}:
                done[other] = result
                del self.tentative[other]


class Summaries:
    """The summaries of one module."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._done: dict[Key, tuple[object, ...]] = {}
        self._rising = module.program.rising
        self._comes: dict[ast.AST, bool] = {}
        self._coming: set[ast.AST] = set()
        self._spent = 0

    # questions

    def ways(self, function: FunctionNode, hops: int) -> tuple[Outcome, ...]:
        """How a call may end, as far as sessions of the caller are not concerned.

        :param hops: how many modules further calls are followed; at 0 not even this one.
        """
        meant = self._meant(function)
        if meant is None or is_generator(meant) or hops <= 0:
            return UNKNOWN
        function = meant
        graph = self.module.graph(function)
        if len(graph.blocks) > _LARGE:  # it surely may raise, whatever it is told
            return UNKNOWN if graph.ends else UNKNOWN[1:]
        return self._own(function, hops)[0]

    def fresh(self, function: FunctionNode) -> tuple[tuple[Site, Outcome], ...]:
        """The obligations that a call hands to its caller: a session it returns, a singleton it leaves open."""
        if is_generator(function) or not self.comes_by_one(function) or self.module.is_memoised(function):
            return ()
        return self._own(function, self.module.hops)[1]

    def comes_by_one(self, code: ast.AST) -> bool:
        """Whether a session may come about in a code: it opens one, or something that it calls hands one over."""
        if self.module.opens_one(code) or self.module.touches_singleton(code) or code in self._coming:
            return True  # of functions that call each other the summaries say
        return self.module.asked(self._comes, code, lambda: self._is_handed_one(code))

    def _is_handed_one(self, code: ast.AST) -> bool:
        if not self.module.concerned(code):
            return False
        self._coming.add(code)
        try:
            return any(home.summaries.fresh(function) for home, function in self.module.called(code))
        finally:
            self._coming.discard(code)

    def parameter(
        self, function: FunctionNode, *names: str, closed: bool = False, alone: bool = False
    ) -> tuple[Outcome, ...]:
        """What a call does to the session that is passed as each of ``names``.

        :param closed: whether it has been closed before; a rollback does not open it again.
        :param alone: whether only what is done to the session counts: how other calls end is not asked.
        """
        meant = self._meant(function)
        if meant is None or is_generator(meant):
            return UNKNOWN_BORROWER
        function = meant
        passed = [arg for arg in parameters(function) if arg.arg in names]
        if not passed or any(arg in (function.args.vararg, function.args.kwarg) for arg in passed):
            return UNKNOWN_BORROWER
        site = self.module.site(SiteKind.PARAMETER, passed[0], function)
        state = State.CLOSED if closed else State.NEW
        known = guards.Guards().union(*map(guards.present, names))
        start = NOTHING._replace(site=site, names=frozenset(names), state=state, guards=known)
        key = f"={' '.join(sorted(names))} {state.value}{' alone' * alone}"
        hops = 0 if alone else self.module.hops
        return self._ask((function, key), lambda: self._solve_for(function, start, hops), UNKNOWN_BORROWER)  # type: ignore[return-value]

    def inner(self, function: FunctionNode, start: Fact, *, alone: bool = False) -> tuple[Outcome, ...]:
        """What calling a nested function, or a method, does to a session that it knows by name.

        :param start: what it knows when it is called: the session's names in it, and how tests came out around it.
        :param alone: whether only what it does to the session counts, as for :meth:`parameter`.
        """
        meant = self._meant(function)
        if meant is None:
            return UNKNOWN_BORROWER
        function = meant
        site = self.module.site(SiteKind.PARAMETER, function, function)
        start = start._replace(site=site)
        hops = 0 if alone else self.module.hops
        key = f"^{sorted(map(str, start.names))} {sorted(start.guards)} {start.state.value} {hops}"
        return self._ask((function, key), lambda: self._solve_for(function, start, hops), UNKNOWN_BORROWER)  # type: ignore[return-value]

    def singleton(self, function: FunctionNode, key: str) -> tuple[Outcome, ...]:
        """What a call does to the open singleton of getter ``key``."""
        if is_generator(function) or not self.module.touches_singleton(function):
            return self.ways(function, self.module.hops)
        site = self.module.site(SiteKind.PARAMETER, function.args, function, key=key)
        start = NOTHING._replace(site=site, names=frozenset({("singleton", key)}))
        return self._ask((function, f"@{key}"), lambda: self._solve_for(function, start, self.module.hops), UNKNOWN)  # type: ignore[return-value]

    def _meant(self, function: FunctionNode) -> FunctionNode | None:
        """The function that runs when one is called: of an abstract method, the only one below it, if that is known."""
        return written_below(self.module, function) if is_abstract(self.module.names, function) else function

    # making them

    def _ask(self, key: Key, solve: object, unknown: tuple[object, ...]) -> tuple[object, ...]:
        rising = self._rising
        if key in self._done:
            return self._done[key]
        if key in rising.known:
            rising.consulted.add(key)
            return rising.known[key]
        if self._spent > _MOST:
            return unknown
        if (known := self._as_before(key)) is not None:
            return known
        outer, rising.consulted = rising.consulted, set()
        result, settled = self.module.pending.settled(
            lambda: self.module.pending.ask(
                self._done,
                key,
                lambda: self._rise(key, solve, unknown),
                unless=lambda: any(k in rising.known for k in rising.consulted),
            )
        )
        rests_on = {k: rising.round[k] for k in rising.consulted if k in rising.known}
        if settled and rests_on:
            rising.tentative[key] = result, rests_on, self._done
        rising.consulted = outer | rests_on.keys()
        return result

    def _as_before(self, key: Key) -> tuple[object, ...] | None:
        """A summary that was made on the ground of unfinished ones, where these have not changed since."""
        rising = self._rising
        result, rests_on, _ = rising.tentative.get(key, (None, {}, None))
        if result is None or any(rising.round.get(k) != made for k, made in rests_on.items()):
            return None
        rising.consulted |= rests_on.keys()
        return result

    def _rise(self, key: Key, solve: object, unknown: tuple[object, ...]) -> tuple[object, ...]:
        """Work a summary out, from nothing upwards: again and again, where it rests on itself.

        In a circle that is part of a larger one only the outermost summary goes round again; the others go on from
        where they were. Were each to go round by itself each time, circles of circles would take for ever.
        """
        rising = self._rising
        before = rising.moved
        rising.known[key] = rising.last.get(key, ())
        try:
            for _ in range(_ROUNDS):
                self._spent += 1
                rising.made += 1
                rising.round[key] = rising.made
                rising.moved = False
                result: tuple[object, ...] = solve()  # type: ignore[operator]
                moved = rising.moved or (key in rising.consulted and result != rising.known[key])
                if any(other != key and other in rising.known for other in rising.consulted):
                    rising.last[key] = result
                    before = before or moved
                    return result
                if not moved:
                    rising.settle(key)
                    return result
                rising.known[key] = result
        except SolverLimit:
            pass
        finally:
            del rising.known[key], rising.round[key]
            rising.moved = before
            if not rising.known:
                rising.last.clear()
                rising.tentative.clear()
        return unknown

    def _own(self, function: FunctionNode, hops: int) -> tuple[tuple[Outcome, ...], tuple[tuple[Site, Outcome], ...]]:
        """How a function ends by itself, and what it hands to its caller."""
        found = self._ask((function, f"{hops}"), lambda: self._solve_own(function, hops), (UNKNOWN, ()))
        return found or ((), ())  # type: ignore[return-value]

    def _solve_own(self, function: FunctionNode, hops: int) -> tuple[object, ...]:
        ways: list[Outcome] = []
        fresh: list[tuple[Site, Outcome]] = []
        for entry in guards.entries(function):
            for fact in self.module.solve(function, NOTHING.with_guards(entry), hops).exits:
                if fact.site is None:
                    ways.append(
                        Outcome(
                            fact.flying,
                            conditions=_conditions(function, fact) | entry,
                        )
                    )
                elif _passes_on(fact):
                    outcome = self._outcome(function, fact)
                    fresh.append((fact.site, replace(outcome, conditions=outcome.conditions | entry)))
        sites = dict.fromkeys(site for site, _ in fresh)
        opened = ((site, one) for site in sites for one in _distinct(o for s, o in fresh if s is site))
        return _distinct(ways), tuple(opened)

    def _solve_for(self, function: FunctionNode, start: Fact, hops: int) -> tuple[object, ...]:
        solved = self.module.solve(function, start, hops) if hops else self.module.alone(function, start)
        outcomes = telling(self._outcome(function, fact) for fact in solved.exits if fact.site is start.site)
        if hops > 0:
            return _distinct(outcomes)
        shorter = (self._shorter(one, function) for outcome in outcomes for one in _of_one_kind(outcome))
        return _by_kinds(_distinct(shorter, alike))

    def _shorter(self, outcome: Outcome, function: FunctionNode) -> Outcome:
        """An outcome without what tells ways apart that come to the same for a session which somebody else owns.

        Which clauses did not catch a failure of the session says which of the caller's may meet it.
        """
        marks = frozenset(
            Mark(m.what) if m.what in _ONCE else m for m in outcome.marks if m.what not in ("commit", "split")
        )
        raised = outcome.raised
        if raised is not None and raised.passed:
            failing = any(m.what in _FAILING for m in marks)
            passed = frozenset(filter(self.module.exceptions.of_database, raised.passed) if failing else ())
            raised = raised._replace(passed=passed)
        return replace(outcome, raised=raised, marks=marks, pending=outcome.pending and function)

    def _outcome(self, function: FunctionNode, fact: Fact) -> Outcome:
        return Outcome(
            raised=fact.flying,
            state=fact.state,
            pending=fact.pending,
            marks=frozenset(m for m in fact.marks if m.what in _KEPT),
            returned=_how_returned(fact),
            conditions=_conditions(function, fact),
            touches=True,
        )


def _conditions(function: FunctionNode, fact: Fact) -> guards.Guards:
    """Under what a way is taken that ends in a fact: outcomes of tests on parameters, and on what is returned."""
    return guards.of_parameters(function, fact.guards, *[RESULT] * (fact.flying is None))


@remembered
def is_generator(function: ast.AST) -> bool:
    """Whether calling a function only makes a generator."""
    return bool(own_of(function, ast.Yield, ast.YieldFrom))


def _passes_on(fact: Fact) -> bool:
    assert fact.site is not None
    if fact.site.kind is SiteKind.SINGLETON:
        return fact.state is not State.GIVEN
    if fact.state is State.GIVEN:
        return False
    if fact.state is State.CLOSED:
        return returned_closed(fact)
    return (fact.site.kind is SiteKind.OWNED and fact.flying is None and bool(_how_returned(fact))) or _how_returned(
        fact
    ) == 0


def returned_closed(fact: Fact) -> bool:
    """Whether a session is closed by hand as it is returned, so that its next use opens it anew: in a ``finally``.

    One that leaves a ``with`` block is told of where it does (SES303).
    """
    if fact.site is None or fact.site.kind is not SiteKind.OWNED or fact.state is not State.CLOSED:
        return False
    if fact.flying is not None or ("returned", Hold.WHOLE.value) not in fact.names:
        return False
    return not any(isinstance(mark.node, ast.withitem) for mark in fact.marked("closed"))


def _how_returned(fact: Fact) -> object:
    return next((n[1] for n in fact.names if isinstance(n, tuple) and n[0] == "returned"), "")


_ONCE = ("ended", "closed", "lost", "reopened", "taken", "failing", "raised")
"""Marks of which it is enough to know that there is one."""
_FAILING = ("failing", "asking")
"""Marks of a failure on its way."""


def for_owner(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes for a session that the caller may end itself: nobody asks who else has committed it."""
    return _distinct(replace(one, marks=_of_owner(one.marks)) for one in outcomes)


def _of_owner(marks: frozenset[Mark]) -> frozenset[Mark]:
    return frozenset(Mark("ended") if m.what == "ended" else m for m in marks if m.what not in ("commit", "split"))


def _distinct(outcomes: Iterable[Outcome], counts: Callable[[Mark], Hashable] | None = None) -> tuple[Outcome, ...]:
    """The outcomes that differ in more than where an exception was raised, and in which of two tests came out how.

    :param counts: what counts of a mark, where that is not all of it.
    """
    found: dict[object, list[Outcome]] = {}
    for outcome in outcomes:
        kind = outcome.raised and (outcome.raised.kinds, outcome.raised.undoing, outcome.raised.passed)
        marks = outcome.marks if counts is None else frozenset(map(counts, outcome.marks))
        same = found.setdefault((kind, outcome.state, outcome.pending, marks, outcome.returned), [])
        same.append(outcome)
    return tuple(
        replace(same[0], conditions=conditions)
        for same in found.values()
        for conditions in resolve(one.conditions for one in same)
    )


def _of_one_kind(outcome: Outcome) -> Iterator[Outcome]:
    """An outcome, once for each class of its exception."""
    raised = outcome.raised
    if raised is None or not raised.also:
        yield outcome
        return
    for kind in sorted(raised.kinds):
        yield replace(outcome, raised=raised.of(frozenset({kind})))


def _by_kinds(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes, of which those that differ only in the class of the exception are one."""
    found: dict[object, list[Outcome]] = {}
    for one in outcomes:
        rest = (one.state, one.pending, one.marks, one.returned, one.conditions, one.touches)
        found.setdefault((one.raised and (one.raised.undoing, one.raised.passed), rest), []).append(one)
    return tuple(one if len(same) == 1 else _of_all_kinds(same) for same in found.values() for one in same[:1])


def _of_all_kinds(same: list[Outcome]) -> Outcome:
    first = same[0]
    if first.raised is None:
        return first
    return replace(first, raised=first.raised.of(frozenset(one.raised.type for one in same if one.raised is not None)))
