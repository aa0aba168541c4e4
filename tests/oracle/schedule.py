"""What happens in one run, and the walk through everything that may happen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FAULTS = 3
"""How many calls may fail in one run: the first, one in what handles it, and one in what handles that."""


@dataclass
class Schedule:
    """The decisions of one run: which calls fail and how, which branches are taken, how often loops turn.

    :param fixed: the decisions to repeat; after them the first of each choice is taken, which is the quiet one.
    """

    fixed: tuple[int, ...] = ()
    taken: list[int] = field(default_factory=list)
    options: list[int] = field(default_factory=list)
    faults: int = 0

    def choose(self, options: int) -> int:
        """One decision, from 0 up to but not including ``options``."""
        at = len(self.taken)
        choice = self.fixed[at] if at < len(self.fixed) else 0
        self.taken.append(choice)
        self.options.append(options)
        return choice

    def fault(self, kinds: tuple[type[Exception], ...]) -> type[Exception] | None:
        """How a call fails now; ``None`` where it does not."""
        if self.faults == FAULTS:
            return None
        choice = self.choose(1 + len(kinds))
        if not choice:
            return None
        self.faults += 1
        return kinds[choice - 1]

    def following(self) -> tuple[int, ...] | None:
        """The decisions of the next run, depth first; ``None`` after the last one."""
        for at in range(len(self.taken) - 1, -1, -1):
            if self.taken[at] + 1 < self.options[at]:
                return (*self.taken[:at], self.taken[at] + 1)
        return None


def schedules(most: int) -> Iterator[Schedule]:
    """One schedule a run, until everything has happened once. Each must be used before the next is asked for.

    :param most: how many runs at most.
    """
    fixed: tuple[int, ...] | None = ()
    for _ in range(most):
        if fixed is None:
            return
        schedule = Schedule(fixed)
        yield schedule
        fixed = schedule.following()
