"""What the time of a run goes into, where somebody asks: each stage without the stages that it waits for."""

from __future__ import annotations

from functools import wraps
from time import perf_counter
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

P = ParamSpec("P")
T = TypeVar("T")


class _Watch:
    """The stages that are under way, the innermost last, and the seconds that each has taken by itself."""

    def __init__(self) -> None:
        self.on = False
        self.stages: list[str] = []
        self.spent: dict[str, float] = {}
        self.since = 0.0

    def change(self) -> None:
        """Book the time since the last change on the stage that was under way."""
        now = perf_counter()
        if self.stages:
            self.spent[self.stages[-1]] = self.spent.get(self.stages[-1], 0.0) + now - self.since
        self.since = now


_watch = _Watch()


def stage(name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Mark a function as a stage of the work."""

    def marked(work: Callable[P, T]) -> Callable[P, T]:
        @wraps(work)
        def watched(*arguments: P.args, **named: P.kwargs) -> T:
            if not _watch.on:
                return work(*arguments, **named)
            _watch.change()
            _watch.stages.append(name)
            try:
                return work(*arguments, **named)
            finally:
                _watch.change()
                _watch.stages.pop()

        return watched

    return marked


def watch() -> None:
    """Begin to look at the clock, in this process and in those that are forked from it."""
    _watch.on = True


def taken() -> dict[str, float]:
    """The seconds that each stage has taken since this was last asked."""
    spent, _watch.spent = _watch.spent, {}
    return spent


def add(spent: Mapping[str, float]) -> None:
    """Book what another process has spent."""
    for name, seconds in spent.items():
        _watch.spent[name] = _watch.spent.get(name, 0.0) + seconds
