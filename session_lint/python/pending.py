"""Answers that are kept, unless they rest on something that is still being worked out.

What a name stands for, or a function means, may rest on others, and those, in the end, on the first one. They are told
"nothing yet"; an answer that was given on such ground must not outlive the question that it rests on. Until that one
is answered it is good enough: to work it out each time it is asked for would take time without bounds.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

T = TypeVar("T")
_NOWHERE = sys.maxsize


class Pending:
    """The questions that are being worked out, the outermost first."""

    def __init__(self) -> None:
        self._places: dict[Hashable, int] = {}
        self._resting: list[list[Hashable]] = []
        self._held: dict[Hashable, tuple[int, Any]] = {}  # answers that rest on a question under way, and its place
        self._lowest = _NOWHERE
        self._deep = 0

    @property
    def active(self) -> bool:
        """Whether any question is being worked out."""
        return bool(self._places)

    def rest_on_innermost(self) -> None:
        """Let what is being worked out just now be good only for the innermost question under way."""
        self._lowest = min(self._lowest, len(self._places) - 1)

    @contextmanager
    def deeper(self, most: int) -> Iterator[bool]:
        """One step further along a chain of questions: whether the chain is not too long yet.

        What is said at the end of one that is too long is good only for the question at its beginning.
        """
        self._deep += 1
        try:
            near = self._deep <= most
            self._lowest = self._lowest if near else min(self._lowest, 0)
            yield near
        finally:
            self._deep -= 1

    def ask(self, kept: dict[Any, T], key: Hashable, answer: Callable[[], T], unless: Callable[[], bool] = bool) -> T:
        """The answer to something that cannot come back to itself, or knows what to say when it does.

        :param kept: where complete answers are kept, by ``key``.
        :param answer: works it out.
        :param unless: whether the answer that was just worked out must not be kept, for another reason.
        """
        if key in kept:
            return kept[key]
        place = (id(kept), key)
        if place in self._held:
            return self._again(place)  # type: ignore[no-any-return]
        found, lowest = self._watched(answer)
        if not unless():
            self._keep(kept, key, found, lowest)
        return found

    def ask_once(self, kept: dict[Any, T], key: Hashable, answer: Callable[[], T], underway: T) -> T:
        """The answer to something that may come back to itself.

        :param kept: where complete answers are kept, by ``key``.
        :param answer: works it out.
        :param underway: what is said meanwhile.
        """
        if key in kept:
            return kept[key]
        place = (id(kept), key)
        if place in self._places:
            self._lowest = min(self._lowest, self._places[place])
            return underway
        if place in self._held:
            return self._again(place)  # type: ignore[no-any-return]
        own = self._places[place] = len(self._places)
        self._resting.append([])
        outer, self._lowest = self._lowest, _NOWHERE
        try:
            found = answer()
        finally:
            del self._places[place]
            for resting in self._resting.pop():
                self._held.pop(resting, None)
            lowest = self._lowest if self._lowest < own else _NOWHERE
            self._lowest = min(outer, lowest)
        self._keep(kept, key, found, lowest)
        return found

    def settled(self, answer: Callable[[], T]) -> tuple[T, bool]:
        """An answer, and whether it rests on nothing under way."""
        found, lowest = self._watched(answer)
        return found, lowest == _NOWHERE

    def _watched(self, answer: Callable[[], T]) -> tuple[T, int]:
        outer, self._lowest = self._lowest, _NOWHERE
        try:
            return answer(), self._lowest
        finally:
            self._lowest = min(outer, self._lowest)

    def _keep(self, kept: dict[Any, T], key: Hashable, found: T, lowest: int) -> None:
        if lowest == _NOWHERE:
            kept[key] = found
        else:
            place = (id(kept), key)
            self._held[place] = (lowest, found)
            self._resting[lowest].append(place)

    def _again(self, place: Hashable) -> Any:  # noqa: ANN401  (as kept)
        lowest, answer = self._held[place]
        self._lowest = min(self._lowest, lowest)
        return answer


class once(Generic[T]):  # noqa: N801  (it is written like cached_property, which it takes the place of)
    """A property that is worked out once, and again where the answer rested on something unfinished.

    The object has the questions under way as ``pending``.
    """

    def __init__(self, work: Callable[[Any], T]) -> None:
        self.work = work
        self.name = work.__name__
        self.__doc__ = work.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: Any, owner: type) -> T: ...  # noqa: ANN401  (any object with ``pending``)
    def __get__(self, instance: Any, owner: type) -> once[T] | T:
        """The answer; the attribute itself once it is complete."""
        if instance is None:
            return self
        pending: Pending = instance.pending
        found: T = pending.ask(instance.__dict__, self.name, lambda: self.work(instance))
        return found
