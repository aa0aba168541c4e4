"""What a session gets along with an object counts as given to it: closing lets everybody see that who has it."""

from __future__ import annotations

from textwrap import indent

import pytest

from session_lint.finding import Applicability, Fix
from tests.linting import lint

MODELS = """from sqlalchemy import Column, ForeignKey, Integer, String
from sqlalchemy.orm import relationship, sessionmaker

S = sessionmaker()


class User(Base):
    id = Column(Integer, primary_key=True)
    name = Column(String)
    addresses = relationship("Address", back_populates="user")


class Address(Base):
    id = Column(Integer, primary_key=True)
    email = Column(String)
    user = relationship("User", back_populates="addresses")


class Named(Base):
    id = Column(Integer, primary_key=True)
    name = Column(String)
    owner = relationship("User")

    def __init__(self, name, owner=None):
        self.name = name if name else ""
        self.owner = owner


def link(user, address):
    user.addresses.append(address)


class Service:
    def __init__(self, session):
        self.session = session

    def save(self, user):
        self.session.add(user)


def f(x, y, address):
    session = S()
"""


def fix_of(body: str) -> Fix:
    """The fix of the one leak in a function that does something with its parameters."""
    finding = next(f for f in lint(f"{MODELS}{indent(body, '    ')}    session.commit()\n") if f.code == "SES101")
    assert finding.fix is not None
    return finding.fix


GIVEN = {
    "what an object is made of": "session.add(User(name=x, addresses=[address]))\n",
    "what an object that was made before is made of": "user = User(addresses=[address])\nsession.add(user)\n",
    "what is appended": "session.get(User, 1).addresses.append(address)\n",
    "what is appended to a variable's collection": "found = session.get(User, 1).addresses\nfound.append(address)\n",
    "what a field is set to": "user = session.get(User, 1)\nuser.addresses = [address]\n",
    "what a slice is set to": "user = session.get(User, 1)\nuser.addresses[:] = x\n",
    "what a helper appends": "link(session.get(User, 1), address)\n",
    "what a service adds": "Service(session).save(address)\n",
    "what an `__init__` puts into a relationship": "session.add(Named('a', owner=x))\n",
    "what a mapping may hold": "session.add(User(**x))\n",
    "what a class that nobody can read is made of": "session.add(Unread(x))\n",
}
PLAIN = {
    "columns": "session.add(Address(email=x))\nuser = session.get(User, 1)\nuser.name = y\n",
    "columns of objects in a loop": "for user in session.query(User):\n    user.name = x\n",
    "a column that an `__init__` sets": "session.add(Named(x))\n",
    "plain values": "session.add(Unread(str(x), f'{y}', 3, x == y))\n",
    "a list that is the block's own": "found = []\nfor user in session.query(User):\n    found.append(user.name)\n",
    "new objects": "session.add(User(addresses=[Address(email=x)]))\n",
}


@pytest.mark.parametrize("body", GIVEN.values(), ids=GIVEN)
def test_others_may_have_it(body: str) -> None:
    """Then closing detaches it for them."""
    fix = fix_of(body)
    assert fix.applicability is Applicability.UNSAFE
    assert "which others may have" in fix.reason


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_values_know_of_no_session(body: str) -> None:
    """So nobody sees them change."""
    assert fix_of(body).applicability is Applicability.SAFE


@pytest.mark.parametrize(
    "body",
    [
        "new = Address()\nsession.add(User(addresses=[new]))\nsession.commit()\nreturn new\n",
        "new = Address()\nsession.get(User, 1).addresses.append(new)\nsession.commit()\nreturn new\n",
        "new = Address()\nlink(session.get(User, 1), new)\nsession.commit()\nreturn new\n",
    ],
)
def test_what_came_along_is_not_returned(body: str) -> None:
    """It would be detached."""
    fix = fix_of(body)
    assert fix.applicability is Applicability.UNSAFE
    assert "returns" in fix.reason


@pytest.mark.parametrize(
    ("annotation", "safe"),
    [("", False), (": str", True), (": int | None", True), (": Optional[str]", True), (": User", False)],
)
def test_a_type_tells_that_a_parameter_is_plain(annotation: str, safe: bool) -> None:
    """As far as it is one of plain values."""
    text = MODELS.replace("def f(x,", f"def f(x{annotation},") + "    session.add(Unread(x))\n    session.commit()\n"
    fix = next(f for f in lint(text) if f.code == "SES101").fix
    assert fix is not None
    assert (fix.applicability is Applicability.SAFE) is safe


@pytest.mark.parametrize(
    ("returns", "safe"), [("", False), (" -> str", True), (" -> dict", False), (" -> User", False)]
)
def test_a_type_tells_that_a_function_of_the_project_gives_something_plain(returns: str, safe: bool) -> None:
    """As far as it is one of plain values."""
    written = f"def written(x){returns}:\n    return store(x)\n\n\n"
    text = f"{written}{MODELS}    session.add(Unread(written(x)))\n    session.commit()\n"
    fix = next(f for f in lint(text) if f.code == "SES101").fix
    assert fix is not None
    assert (fix.applicability is Applicability.SAFE) is safe
