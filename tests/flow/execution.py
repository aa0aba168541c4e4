"""What the interpreter does with a program, whatever each of its events turns out to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Event = tuple[str, Any]


class Ways(NamedTuple):
    """Everything that can happen.

    :param whole: the events of each way that comes to an end, and the end: what was returned or raised.
    :param cut: the first events of each way that goes on.
    """

    whole: set[tuple[tuple[Event, ...], tuple[str, Any]]]
    cut: set[tuple[Event, ...]]


class A(Exception):  # noqa: N818
    """One exception."""


class B(Exception):  # noqa: N818
    """Another."""


class Enough(BaseException):
    """The way is long enough."""


RAISES: dict[str, type[Exception]] = {"A": A, "B": B}


class Value:
    """An answer: whose it is, whether it is true, which number it is."""

    def __init__(self, number: int, choice: object = True) -> None:  # noqa: FBT002
        self.number = number
        self.choice = choice

    def __bool__(self) -> bool:
        return bool(self.choice)

    def __eq__(self, other: object) -> bool:
        return self.choice == other

    __hash__ = object.__hash__


class Run:
    """One execution.

    :param plan: which option to take at each event; the first where it says nothing.
    :param most: how many events there may be.
    :param raises: what an event may raise.
    """

    def __init__(self, plan: list[int], most: int, raises: list[str]) -> None:
        self.plan = plan
        self.most = most
        self.raises = raises
        self.taken: list[tuple[int, int]] = []
        self.events: list[Event] = []
        self.over = False

    def event(self, name: str, *options: object) -> object:
        """Something happens: the option that is taken, unless it is to raise."""
        if self.over or len(self.events) == self.most:
            self.over = True
            raise Enough
        choices = [*options, *self.raises]
        at = len(self.taken)
        index = self.plan[at] if at < len(self.plan) else 0
        self.taken.append((index, len(choices)))
        choice = choices[index]
        self.events.append((name, choice))
        if index >= len(options):
            raise RAISES[str(choice)]
        return choice

    def namespace(self) -> dict[str, Any]:
        """What programs call."""
        return {
            "t": lambda n: self.event(f"call {n}", "ok"),
            "q": lambda n: Value(n, self.event(f"call {n}", True, False)),
            "k": lambda n: Value(n, self.event(f"call {n}", 0, 1, 2)),
            "i": lambda n: Items(self, n),
            "m": lambda n: Manager(self, n),
            "over": lambda: self.over,
            "A": A,
            "B": B,
        }

    def next_plan(self) -> list[int] | None:
        """The plan for the next way, depth first; ``None`` after the last."""
        taken = list(self.taken)
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        return [index for index, _ in taken[:-1]] + [taken[-1][0] + 1] if taken else None


class Items:
    """An iterator whose every step is an event."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number

    def __iter__(self) -> Items:
        return self

    def __next__(self) -> Value:
        if self.run.event(f"next {self.number}", "item", "end") == "end":
            raise StopIteration
        return Value(self.number)


class Manager:
    """A context manager that may swallow an exception."""

    def __init__(self, run: Run, number: int) -> None:
        self.run = run
        self.number = number

    def __enter__(self) -> Value:
        self.run.event(f"enter {self.number}", "ok")
        return Value(self.number)

    def __exit__(self, kind: object, *_: object) -> bool:
        if self.run.over:
            return False
        options = ["ok", "swallow"] if kind else ["ok"]
        return self.run.event(f"exit {self.number}", *options) == "swallow"


def execute(text: str, most: int, raises: list[str]) -> Ways:
    """Every way of at most ``most`` events through a stoppable program."""
    compiled = compile(text, "<program>", "exec")
    found = Ways(set(), set())
    plan: list[int] | None = []
    while plan is not None:
        run = Run(plan, most, raises)
        namespace = run.namespace()
        exec(compiled, namespace)  # noqa: S102  # to execute programs is what this module is for
        end = _end(namespace["f"])
        if run.over:
            found.cut.add(tuple(run.events))
        else:
            found.whole.add((tuple(run.events), end))
        plan = run.next_plan()
    return found


def _end(function: Callable[[], object]) -> tuple[str, Any]:
    try:
        value = function()
    except (Exception, Enough) as error:  # noqa: BLE001  # whatever comes out is what is asked
        return "raise", type(error).__name__
    return "return", value.number if isinstance(value, Value) else None
