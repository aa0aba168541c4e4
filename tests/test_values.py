"""Classes of values are what the library's dataclasses would be."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from session_lint.finding import Location, Step
from session_lint.settings import Settings
from session_lint.values import dataclass, field, replace


def classes(decorate: Any, field: Any) -> dict[str, Any]:  # noqa: ANN401  (the library's, or ours)
    @decorate(frozen=True)
    class Frozen:
        """A class."""

        first: int
        second: str = "two"
        third: tuple[int, ...] = field(default=(), repr=False)
        fourth: list[int] = field(default_factory=list, compare=False)

    @decorate
    class Free:
        first: int
        second: dict[str, int] = field(default_factory=dict)

        def __post_init__(self) -> None:
            self.first += 1

    @decorate(frozen=True, eq=False)
    class Same:
        first: int

    @decorate(frozen=True, eq=False, slots=True)
    class Slotted:
        """A class."""

        first: int
        second: str = "two"
        third: list[int] = field(default_factory=list, repr=False)

        @property
        def doubled(self) -> int:
            return self.first * 2

    @decorate(eq=False, slots=True)
    class Loose:
        first: int = 1

    return {"frozen": Frozen, "free": Free, "same": Same, "slotted": Slotted, "loose": Loose}


OURS, THEIRS = classes(dataclass, field), classes(dataclasses.dataclass, dataclasses.field)


def outcome(ask: Any, of: dict[str, Any]) -> Any:  # noqa: ANN401
    """What something gives, or the class of what it raises."""
    try:
        return ask(**of)
    except (AttributeError, TypeError) as error:
        return type(error)


@pytest.mark.parametrize(
    "ask",
    [
        lambda frozen, **_: repr(frozen(1)),
        lambda slotted, **_: repr(slotted(1)).rpartition(".")[2],
        lambda slotted, **_: [(one.first, one.second, one.third, one.doubled) for one in [slotted(1), slotted(2, "b")]],
        lambda slotted, **_: slotted(1).third is slotted(1).third,
        lambda slotted, **_: slotted(1) == slotted(1),
        lambda slotted, **_: slotted(),
        lambda slotted, **_: slotted(1, fifth=2),
        lambda slotted, **_: vars(slotted(1)),
        lambda slotted, **_: setattr(slotted(1), "first", 2),
        lambda slotted, **_: slotted.__slots__,
        lambda loose, **_: setattr(loose(), "first", 2),
        lambda loose, **_: setattr(loose(), "other", 2),
        lambda frozen, **_: vars(frozen(1, third=(3,), second="b")),
        lambda frozen, **_: frozen(1, "b") == frozen(1, second="b", fourth=[1]),
        lambda frozen, **_: frozen(1, "b") == frozen(2, "b"),
        lambda frozen, **_: frozen(1) == (1, "two", (), []),
        lambda frozen, **_: hash(frozen(1, "b", (2,))) == hash(frozen(1, "b", (2,), [7])),
        lambda frozen, **_: frozen(1).fourth is frozen(1).fourth,
        lambda frozen, **_: frozen(),
        lambda frozen, **_: frozen(1, 2, 3, 4, 5),
        lambda frozen, **_: frozen(1, first=1),
        lambda frozen, **_: frozen(1, fifth=1),
        lambda frozen, **_: setattr(frozen(1), "first", 2),
        lambda frozen, **_: delattr(frozen(1), "first"),
        lambda frozen, **_: (frozen.second, frozen.third, hasattr(frozen, "fourth"), frozen.__match_args__),
        lambda frozen, **_: vars(dataclasses.replace(frozen(1), second="b")),
        lambda frozen, **_: vars(replace(frozen(1), second="b")),
        lambda frozen, **_: replace(frozen(1), fifth="b"),
        lambda frozen, **_: dataclasses.asdict(frozen(1)),
        lambda frozen, **_: [(f.name, f.repr, f.compare, f.type) for f in dataclasses.fields(frozen)],
        lambda frozen, **_: copy.copy(frozen(1)) == frozen(1),
        lambda free, **_: vars(free(1)),
        lambda free, **_: hash(free(1)),
        lambda free, **_: free(1) == free(1),
        lambda free, **_: repr(free(1, {"a": 1})),
        lambda same, **_: same(1) == same(1),
        lambda same, **_: isinstance(hash(same(1)), int),
        lambda same, **_: dataclasses.is_dataclass(same),
    ],
)
def test_they_do_what_the_librarys_do(ask: Any) -> None:  # noqa: ANN401
    assert outcome(ask, THEIRS) == outcome(ask, OURS)


def test_they_cross_process_borders() -> None:
    step = Step("a.py", Location(1, 2), "opened here", Location(1, 9))
    again = pickle.loads(pickle.dumps((step, Settings())))  # noqa: S301  (it was written here)
    assert (step, Settings()) == again
    assert Location(1, 9) == again[0].end_location


def test_they_sort() -> None:
    assert [Location(2, 1), Location(2, 3), Location(1, 1, 2)] == sorted(
        [Location(1, 1, 2), Location(2, 3), Location(2, 1)]
    )
