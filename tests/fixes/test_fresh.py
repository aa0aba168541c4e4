"""What opens a session has to give a new one on every way: else there is no fix, and the reason says why."""

from __future__ import annotations

import pytest

from session_lint.finding import Applicability, Finding
from tests.linting import lint

HEAD = """
import threading
from typing import cast
from sqlalchemy.orm import Session, sessionmaker

make = sessionmaker()
_local = threading.local()
_current = None


"""
USE = "def use(session=None):\n    s = get(session)\n    s.add(1)\n    s.commit()\n"
GET = "def get(session=None):\n"
BORROWED = {
    "a parameter": f"{GET}    return session or make()\n",
    "a parameter under a test": f"{GET}    if session is not None:\n        return session\n    return make()\n",
    "a variable of the module": f"{GET}    if _current is not None:\n        return _current\n    return make()\n",
    "a field": f"{GET}    return getattr(_local, 'session', None) or make()\n",
    "a variable": f"{GET}    found = _local.session if session else make()\n    return found\n",
    "another function": f"def other(one):\n    return one or make()\n\n\n{GET}    return other(session)\n",
}
NONE = {
    "said": f"{GET}    if session:\n        return None\n    return make()\n",
    "said nothing": f"{GET}    if session:\n        return\n    return make()\n",
    "at the end": f"{GET}    if session:\n        return make()\n",
    "after an error": f"{GET}    try:\n        return make()\n    except ValueError:\n        print(1)\n",
    "in an expression": f"{GET}    return make() if session else None\n",
}
NEW = {
    "a factory": f"{GET}    return make()\n",
    "one of two": f"{GET}    if session:\n        return make(autoflush=False)\n    else:\n        return make()\n",
    "a variable": f"{GET}    found = make()\n    print(found)\n    return found\n",
    "the class": f"{GET}    return Session()\n",
    "a cast": f"{GET}    return cast(Session, make())\n",
    "another function": f"def other():\n    return make()\n\n\n{GET}    return other()\n",
    "after an error": f"{GET}    try:\n        return make()\n    except ValueError:\n        raise\n",
}


def found(text: str) -> Finding:
    """The finding about the session of `use`."""
    return next(f for f in lint(HEAD + text) if f.symbol == "use" and f.code == "SES101")


@pytest.mark.parametrize("get", BORROWED.values(), ids=BORROWED)
def test_one_that_may_be_somebody_elses(get: str) -> None:
    """Whoever opened it goes on with it."""
    finding = found(f"{get}\n\n{USE}")
    assert finding.fix is None
    assert "may return a session that was open before" in finding.refusal


@pytest.mark.parametrize("get", NONE.values(), ids=NONE)
def test_none(get: str) -> None:
    """It has no `with`."""
    finding = found(f"{get}\n\n{USE}")
    assert finding.fix is None
    assert finding.refusal == "'get' may return None, which has no `with`"


@pytest.mark.parametrize("get", NEW.values(), ids=NEW)
def test_new_on_every_way(get: str) -> None:
    """Nothing speaks against a `with`."""
    finding = found(f"{get}\n\n{USE}")
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.SAFE


def test_a_property() -> None:
    """Reading it runs its body."""
    text = (
        "class Store:\n    def __init__(self, one=None):\n        self.one = one\n\n"
        "    @property\n    def session(self):\n        {}return make()\n\n"
        "    def use(self):\n        s = self.session\n        s.add(1)\n        s.commit()\n"
    )
    either = text.format("if self.one is not None:\n            return self.one\n        ")
    first, second = (next(f for f in lint(HEAD + t) if f.code == "SES101") for t in (either, text.format("")))
    assert "'self.one' (line 18)" in first.refusal
    assert second.fix is not None


@pytest.mark.parametrize("test", ["s is None", "not s", "s is not None and x"])
def test_a_code_that_asks_for_none_gets_none(test: str) -> None:
    """Somebody overrides the method; a session that SQLAlchemy makes is always there."""
    text = "class A:\n    def get(self):\n        return make()\n\n    def use(self, x):\n        s = {}\n"
    text += f"        if {test}:\n            return\n        s.add(1)\n        s.commit()\n"
    first, second = (
        next(f for f in lint(HEAD + text.format(opening)) if f.code == "SES101") for opening in ("self.get()", "make()")
    )
    assert "asks whether there is a session" in first.refusal
    assert second.fix is not None
