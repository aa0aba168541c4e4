"""What follows from a node of a syntax tree alone, worked out once; forgotten with the trees of a run."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from functools import _lru_cache_wrapper

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")
_caches: list[_lru_cache_wrapper[object]] = []
MOST = 7_000
"""How many answers of one kind are kept while a run goes on to another file: few of them are asked for there."""


def remembered(work: Callable[P, T]) -> Callable[P, T]:
    """A function whose answers are kept for a while: they hold on to the trees they are about."""
    return recently_remembered(None)(work)


def recently_remembered(most: int | None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The same of as many answers as were asked for last; ``None`` for all."""

    def decorate(work: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(maxsize=most)(work)
        _caches.append(cast("_lru_cache_wrapper[object]", kept))
        return cast("Callable[P, T]", kept)

    return decorate


def forget_nodes() -> None:
    """Let go of all trees."""
    for cache in _caches:
        cache.cache_clear()


def forget_some() -> None:
    """Let go of the answers of which there are many: a run is done with a file."""
    for cache in _caches:
        if cache.cache_info().currsize > MOST:
            cache.cache_clear()


@remembered
def one_object(found: frozenset[V]) -> frozenset[V]:
    """A set, the same object for all that are equal: a program has millions of them, most of one name."""
    return found
