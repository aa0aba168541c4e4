"""What follows from a node of a syntax tree alone, worked out once; forgotten with the trees of a run."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")
_forgetting: list[Callable[[], None]] = []


def remembered(work: Callable[P, T]) -> Callable[P, T]:
    """A function whose answers are kept until :func:`forget_nodes`: they hold on to the trees they are about."""
    return recently_remembered(None)(work)


def recently_remembered(most: int | None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The same of as many answers as were asked for last; ``None`` for all."""

    def decorate(work: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(maxsize=most)(work)
        _forgetting.append(kept.cache_clear)
        return cast("Callable[P, T]", kept)

    return decorate


def forget_nodes() -> None:
    """Let go of all trees."""
    for forget in _forgetting:
        forget()


@remembered
def one_object(found: frozenset[V]) -> frozenset[V]:
    """A set, the same object for all that are equal: a program has millions of them, most of one name."""
    return found
