"""Answers that rest on open questions: what is kept, what is worked out again, and how often."""

from __future__ import annotations

import pytest

from session_lint.python.pending import Pending, once


class Web:
    """Questions that rest on each other: each name's answer is what it reaches.

    :param links: the names that each name asks, in this order.
    """

    def __init__(self, links: dict[str, str]) -> None:
        self.links = links
        self.pending = Pending()
        self.kept: dict[str, frozenset[str]] = {}
        self.worked: list[str] = []

    def reached(self, name: str) -> frozenset[str]:
        """What a name reaches, itself among it."""
        return self.pending.ask_once(self.kept, name, lambda: self._reached(name), frozenset())

    def _reached(self, name: str) -> frozenset[str]:
        self.worked.append(name)
        return frozenset({name}).union(*map(self.reached, self.links[name]))


def test_a_question_is_worked_out_once() -> None:
    """Without a circle every answer is kept."""
    web = Web({"a": "bc", "b": "d", "c": "d", "d": ""})
    assert web.reached("a") == frozenset("abcd")
    assert web.worked == ["a", "b", "d", "c"]
    assert web.kept == {"a": frozenset("abcd"), "b": frozenset("bd"), "c": frozenset("cd"), "d": frozenset("d")}


def test_what_rests_on_an_open_question_does_not_outlive_it() -> None:
    """``b`` was told nothing of ``a``; asked by itself it knows better."""
    web = Web({"a": "b", "b": "a"})
    assert web.reached("a") == frozenset("ab")
    assert web.kept == {"a": frozenset("ab")}
    assert web.reached("b") == frozenset("ab")


def test_what_rests_on_nothing_open_is_kept_in_a_circle() -> None:
    """``c`` is asked within the circle of ``a`` and ``b``, and after one of them was met again."""
    web = Web({"a": "b", "b": "ac", "c": ""})
    assert web.reached("a") == frozenset("abc")
    assert set(web.kept) == {"a", "c"}


def test_a_circle_inside_is_complete() -> None:
    """``b`` and ``c`` rest on each other, not on ``a``: ``b`` is kept, and ``c`` rests on ``b``."""
    web = Web({"a": "b", "b": "c", "c": "b"})
    assert web.reached("a") == frozenset("abc")
    assert set(web.kept) == {"a", "b"}


def test_a_thicket_takes_no_more_than_its_size() -> None:
    """Where everything asks everything, each question is worked out once for each one that is asked from outside."""
    names = [chr(ord("a") + number) for number in range(20)]
    web = Web({name: "".join(names) for name in names})
    assert web.reached("a") == frozenset(names)
    assert sorted(web.worked) == names


class Thing:
    """Has a property that rests on a question."""

    def __init__(self, web: Web) -> None:
        self.web = web
        self.pending = web.pending
        self.times = 0

    @once
    def answer(self) -> frozenset[str]:
        """What ``b`` reaches."""
        self.times += 1
        return self.web.reached("b")


def test_a_property_is_kept_when_it_rests_on_nothing_open() -> None:
    """Whatever else is open when it is asked for."""
    web = Web({"a": "b", "b": "a"})
    thing = Thing(web)

    def asked() -> frozenset[str]:
        return web.reached("a") | thing.answer | thing.answer

    kept: dict[str, frozenset[str]] = {}
    assert web.pending.ask_once(kept, "all", asked, frozenset()) == frozenset("ab")
    assert thing.times == 1
    assert (thing.answer, thing.times) == (frozenset("ab"), 1)


def test_a_property_is_not_kept_when_it_rests_on_something_open() -> None:
    """It is worked out once for the question that it rests on, and again when it is asked for by itself."""
    pending, kept, met = Pending(), dict[str, int](), list[int]()

    class Counted:
        times = 0

        def __init__(self) -> None:
            self.pending = pending

        @once
        def number(self) -> int:
            """How often it was worked out; rests on the question that is called outer."""
            self.times += 1
            return self.times + pending.ask_once(kept, "outer", lambda: 10, 0)

    counted = Counted()
    met.append(pending.ask_once(kept, "outer", lambda: counted.number + counted.number, 0))
    assert (met, counted.times) == ([2], 1)
    assert (counted.number, counted.number, counted.times) == (4, 4, 2)


def test_an_error_leaves_nothing_open() -> None:
    """A question whose answer fails can be asked again."""
    pending, kept = Pending(), dict[str, float]()
    with pytest.raises(ZeroDivisionError):
        pending.ask(kept, "a", lambda: 1 / len(kept))
    with pytest.raises(ZeroDivisionError):
        pending.ask_once(kept, "a", lambda: 1 / len(kept), 0)
    assert not pending.active
    assert pending.ask_once(kept, "a", lambda: 1, 0) == 1
