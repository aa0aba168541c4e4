"""Answers that are kept, unless they rest on something that is still being worked out.

What a name stands for, or a function means, may rest on others, and those, in the end, on the first one. They are told
"nothing yet"; an answer that was given on such ground must not outlive the question.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Pending:
    """The questions that are being worked out, the outermost first.

    :param met: how often one of them was asked again meanwhile.
    """

    def __init__(self) -> None:
        self.met = 0
        self._stack: dict[object, int] = {}
        self._lowest = sys.maxsize

    def meets(self, key: object) -> bool:
        """Whether a question is being worked out already."""
        if key in self._stack:
            self.met += 1
            self._lowest = min(self._lowest, self._stack[key])
        return key in self._stack

    @property
    def active(self) -> bool:
        """Whether any question is being worked out."""
        return bool(self._stack)

    def work_out(self, key: object, answer: Callable[[], T]) -> tuple[T, bool]:
        """The answer to a question, and whether it is complete: it does not rest on one further out."""
        self._stack[key] = len(self._stack)
        try:
            found = answer()
        finally:
            complete = self._lowest >= self._stack.pop(key)
            if complete:
                self._lowest = sys.maxsize
        return found, complete


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
        met = pending.met
        found = self.work(instance)
        if pending.met == met:
            instance.__dict__[self.name] = found
        return found
