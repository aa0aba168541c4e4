"""Runs a program through everything that may happen and says what its sessions came to."""

from __future__ import annotations

import re
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from tests.oracle.program import Block, mentions, module
from tests.oracle.schedule import Schedule, schedules
from tests.oracle.world import (
    Answer,
    Broken,
    Duplicate,
    EndlessError,
    Items,
    Obligation,
    Unforeseen,
    World,
    compiled,
    double_of,
    namespace,
    sessions_among,
)

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 6000
"""How many runs a program may have; one that has more is no small program."""


NAMES = ("session", "other", "own", "done", "stack")
"""The variables of programs."""


class NotJudgedError(Exception):
    """A program that is not fit for a verdict: it is broken by itself, endless, too big, or SES103's business."""


@dataclass
class Site:
    """What the runs showed of the sessions that one line opens. Each proof is the schedule of a run.

    :param open_normally: it ended well, or went on, and a session was open and lost.
    :param closed_normally: it ended well and a session had been closed.
    :param open_on_error: it ended with an exception and a session was open.
    :param pinned_normally: as ``open_normally``, and the session held a connection.
    :param pinned_on_error: as ``open_on_error``, and the session held a connection.
    :param ends: some run with this session ended well.
    """

    open_normally: tuple[int, ...] | None = None
    closed_normally: tuple[int, ...] | None = None
    open_on_error: tuple[int, ...] | None = None
    pinned_normally: tuple[int, ...] | None = None
    pinned_on_error: tuple[int, ...] | None = None
    ends: bool = False

    @property
    def verdict(self) -> str | None:
        """The code that must stand at this line."""
        if self.open_normally is not None:
            return "SES101"
        if self.closed_normally is not None and self.open_on_error is not None:
            return "SES102"
        return None

    @property
    def severity(self) -> str:
        """A session that never holds a connection when it is lost is worth a warning only."""
        pinned = self.pinned_normally if self.verdict == "SES101" else self.pinned_on_error
        return "warning" if pinned is None else "error"

    @property
    def proof(self) -> tuple[int, ...] | None:
        """The run that shows the fault at its worst."""
        runs = (self.pinned_normally, self.open_normally, self.pinned_on_error, self.open_on_error)
        return next((run for run in runs if run is not None), None) if self.verdict else None

    @property
    def ambiguous(self) -> bool:
        """Whether no run with this session ends well: the rules are about those that do."""
        return not self.ends and self.open_on_error is not None

    def learn(self, obligation: Obligation, outcome: BaseException | None, run: tuple[int, ...]) -> None:
        """What one session of one run adds."""
        self.ends |= outcome is None
        is_open = not (obligation.closed or obligation.handed or obligation.kept)
        if is_open and (obligation.dropped or outcome is None):
            self.remember("open_normally", run)
            if obligation.pinned:
                self.remember("pinned_normally", run)
        elif is_open and isinstance(outcome, Exception) and not obligation.undone:
            self.remember("open_on_error", run)
            if obligation.pinned:
                self.remember("pinned_on_error", run)
        elif obligation.closed and outcome is None:
            self.remember("closed_normally", run)

    def remember(self, what: str, run: tuple[int, ...]) -> None:
        """Keep the first proof."""
        if getattr(self, what) is None:
            setattr(self, what, run)


@dataclass
class Trial:
    """A program that can be run.

    :param text: its module.
    :param world: what it meets.
    """

    text: str
    session: Callable[[World], type] = double_of
    world: World = field(init=False)
    program: Callable[..., object] = field(init=False)
    given: type = field(init=False)

    def __post_init__(self) -> None:
        """Execute the module once.

        :raises NotJudgedError: where a loop makes no calls that could be counted, or a name is unbound.
        """
        if re.search(r"while True:\n( +)(?! |work\(\)|session = Session\(\)\n +work\(\))", self.text):
            raise NotJudgedError("a loop that may turn for ever")
        if not all(bound_first(self.text.partition("items):")[2], name) for name in NAMES):
            raise NotJudgedError("used before it is bound")
        self.world = world_of(self.text)
        self.given = self.session(self.world)
        names = namespace(self.world, self.given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "return in finally" is what we came for
            try:
                exec(compiled(self.text), names)  # noqa: S102 - the text is ours
            except NameError as error:
                raise NotJudgedError(str(error)) from None
        self.program = names["program"]

    def run(self, schedule: Schedule) -> BaseException | None:
        """One run.

        :returns: the exception that it ended with.
        :raises NotJudgedError: where the program is broken by itself or does not end.
        """
        world = self.world
        world.begin(schedule)
        given = self.given() if "given" in self.text.partition("items):")[2] and schedule.choose(2) else None
        answers = [Answer(world, name) for name in ("c1", "c2", "c3")]
        outcome: BaseException | None = None
        try:
            result = self.program(*answers, given, Items(world))
        except (NameError, AttributeError, TypeError) as error:
            raise NotJudgedError(str(error)) from None
        except (EndlessError, Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program ends with is its outcome
            world.running = False  # before the traceback lets go of the program's variables
            outcome = error.with_traceback(None)
            outcome.__context__ = outcome.__cause__ = None
        else:
            hand_over(result)
        world.running = False
        if world.endless:
            raise NotJudgedError("endless")
        return outcome


def bound_first(body: str, name: str) -> bool:
    """Whether the first line with a name binds it: a NameError might be caught, and nobody would know."""
    first = next((line for line in body.splitlines() if mentions(line, name)), None)
    return first is None or re.search(rf"\b{name} = |\bas {name}\b", first) is not None


def hand_over(result: object) -> None:
    """A session that is returned, also inside a tuple, is its receiver's."""
    for obligation in sessions_among(result if isinstance(result, tuple) else (result,)):
        obligation.handed = True


def world_of(text: str) -> World:
    """A world whose calls raise what the program's handlers name, and something that none does."""
    named: dict[str, type[Exception]] = {"ValueError": ValueError, "RuntimeError": RuntimeError, "KeyError": KeyError}
    foreign = [kind for name, kind in named.items() if f"except {name}" in text or f"({name}" in text]
    if mentions(text, "SQLAlchemyError"):
        foreign.append(SQLAlchemyError)
    database: tuple[type[Exception], ...] = (Broken,)
    if mentions(text, "IntegrityError"):
        database = (Broken, Duplicate)
        foreign.append(Duplicate)
    return World((*foreign, Unforeseen), database)


def judge(text: str) -> dict[int, Site]:
    """What the sessions of a program come to, by the line that opens them.

    :raises NotJudgedError: where the program is not fit for a verdict.
    """
    trial = Trial(text)
    sites: dict[int, Site] = {}
    runs = 0
    for schedule in schedules(RUNS):
        outcome = trial.run(schedule)
        runs += 1
        for obligation in trial.world.opened:
            if obligation.misused or (obligation.closed and obligation.handed):
                raise NotJudgedError("misused")
            sites.setdefault(obligation.row, Site()).learn(obligation, outcome, tuple(schedule.taken))
    if runs == RUNS:
        raise NotJudgedError("too many runs")
    if any(site.ambiguous for site in sites.values()):
        raise NotJudgedError("never ends well")
    return sites


def story(text: str, run: tuple[int, ...]) -> str:
    """One run, step by step, for the reader of a disagreement."""
    trial = Trial(text)
    trial.world.trail = []
    outcome = trial.run(Schedule(run))
    steps = [f"  line {row}: {words}" for row, words in trial.world.trail]
    ends = "it returns" if outcome is None else f"it ends with {type(outcome).__name__}"
    left = [o.row for o in trial.world.opened if not o.closed and not o.handed]
    return "\n".join([*steps, f"  {ends}; opened and never closed: line {', '.join(map(str, left)) or 'none'}"])


def judged(block: Block) -> tuple[str, dict[int, Site]] | None:
    """A program's module and what it came to, or nothing where it is not fit for a verdict."""
    text = module(block)
    try:
        return text, judge(text)
    except NotJudgedError:
        return None


def main() -> None:
    """Judge a module from standard input, for whoever looks into a disagreement."""
    text = sys.stdin.read()
    for row, site in sorted(judge(text).items()):
        proof = site.proof
        sys.stdout.write(f"line {row}: {site.verdict}\n{story(text, proof) if proof is not None else ''}\n")


if __name__ == "__main__":
    main()
