"""The judge's conditions: with all of them no trap changes a program; without any one of them some trap does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability
from session_lint.fixes import CannotFix, conditions, judge, rewritten, target
from session_lint.source import Source
from tests.fixes.test_same_program import safe
from tests.fixes.traps import FORMS, TRAPS
from tests.linting import lint

if TYPE_CHECKING:
    from tests.fixes.world import World

Without = Callable[[pytest.MonkeyPatch], None]


def condition(name: str) -> Without:
    """The judge without one of its conditions."""

    def without(patch: pytest.MonkeyPatch) -> None:
        for group in ("WITH", "SCOPE"):
            kept = tuple(c for c in getattr(conditions, group) if c.__name__ != name)
            patch.setattr(conditions, group, kept)
        if name == "beyond":
            patch.setattr(judge, "seen_closing", lambda *_: "")

    return without


def holding(name: str) -> Without:
    """The choice of the scope with one of its tests always passed."""
    return lambda patch: patch.setattr(target, name, lambda *_: True)


def every_close(patch: pytest.MonkeyPatch) -> None:
    """The judge that drops every close by hand from a ``with`` that closes."""
    patch.setattr(judge, "left_over", lambda case: iter(case.closes))


MUTATIONS: dict[str, Without] = {
    **{
        name: condition(name)
        for name in (
            *("uncommitted", "after_commit", "closed_before", "swallowed", "beyond", "expired"),
            *("captured", "steered", "of_known_kind", "run_through", "bound_once", "only_closed", "entered", "new"),
        )
    },
    "left_over": every_close,
    **{name: holding(name) for name in ("takes_nothing", "same_factory")},
}


def changed(world: World, text: str) -> list[str]:
    """What the safe fixes of a text change in what it does."""
    found = []
    for finding in safe(text):
        assert finding.fix is not None
        try:
            after = rewritten(Source("module.py", text), finding.fix)
            found += world.differences(text, after)
        except CannotFix:
            continue
        except (SyntaxError, NameError, TypeError, AttributeError) as error:  # what a mutant writes may not run at all
            found.append(str(error))
    return found


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_no_trap_is_walked_into(world: World, text: str) -> None:
    """Whatever is offered as safe does the same."""
    assert changed(world, text) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_condition_is_needed(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, a fix that is called safe changes what some trap does, and the harness sees that."""
    MUTATIONS[name](monkeypatch)
    assert any(changed(world, text) for text in TRAPS[name].values())


def test_there_is_a_mutation_for_each_condition() -> None:
    """A new condition needs a trap that shows what it is for."""
    told = {c.__name__ for c in (*conditions.WITH, *conditions.SCOPE)}
    assert told <= MUTATIONS.keys()
    assert MUTATIONS.keys() == TRAPS.keys()


def test_an_unsafe_fix_says_why() -> None:
    """In words the author can act on."""
    found = [f for text in FORMS.values() for f in lint(text) if f.fix is not None]
    unsafe = [f.fix for f in found if f.fix is not None and f.fix.applicability is not Applicability.SAFE]
    assert unsafe
    assert all(fix.reason for fix in unsafe)
