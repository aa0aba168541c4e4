"""Programs that a rewrite would change, one for each condition of the judge; each may be rewritten in no such way.

The name says which condition of ``RULES`` it is about: what a scope would write besides, what comes after the commit,
what is swallowed, what lasts longer than the block, which factory it is, what the name means, and the text around it.
"""

from __future__ import annotations

from textwrap import indent

from tests.fixes.programs import ASYNC, DOCUMENTED, MADE, OWN, PROGRAM, awaited

OPENED = "session = SessionLocal()\n"


def program(body: str, head: str = DOCUMENTED) -> str:
    """The whole text of a program."""
    return head + PROGRAM + indent(body, "    ")


def closing(body: str, opening: str = OPENED) -> str:
    """The documented way by hand: what a scope says better."""
    return f"{opening}try:\n{indent(body, '    ')}finally:\n    session.close()\n"


UNCOMMITTED = {
    "an early return before the commit": closing("session.add(Row(1))\nif c1:\n    return 3\nsession.commit()\n"),
    "a commit under a condition": closing("session.add(Row(1))\nif c1:\n    session.commit()\n"),
    "no commit at all": closing("session.add(Row(1))\n"),
    "a loop that is left": closing(
        "for n in (1, 2):\n    session.add(Row(n))\n    if c1:\n        return n\nsession.commit()\n"
    ),
    "an object that is changed": closing(
        "row = session.get(Row, 1000)\nrow.value = 5\nif c1:\n    return 3\nsession.commit()\n"
    ),
    "a helper that writes": closing("save(session, 1)\nif c1:\n    return 3\nsession.commit()\n"),
}
AFTER_COMMIT = {
    "a call that may fail": closing("session.add(Row(1))\nsession.commit()\nwork()\n"),
    "another write": closing("session.add(Row(1))\nsession.commit()\nsession.add(Row(2))\nsession.commit()\n"),
    "a commit in a loop": closing("for n in (1, 2):\n    session.add(Row(n))\n    session.commit()\n    work()\n"),
    "a read": closing("session.add(Row(1))\nsession.commit()\nsession.get(Row, 1)\nwork()\n"),
    "a return that may fail": closing("session.add(Row(1))\nsession.commit()\nreturn work()\n"),
}
CLOSED_BEFORE = {
    "a branch that closes and returns": (
        "session = SessionLocal()\nif c1:\n    session.add(Row(1))\n    session.commit()\n    session.close()\n"
        "    return 1\nsession.add(Row(2))\nsession.commit()\nsession.close()\n"
    ),
    "a close after which more is written": (
        "session = SessionLocal()\nif c1:\n    session.add(Row(1))\n    session.close()\nsession.add(Row(2))\n"
        "session.commit()\n"
    ),
    "a close that drops what was written": closing(
        "session.add(Row(1))\nif c1:\n    session.close()\nsession.add(Row(2))\nsession.commit()\n"
    ),
    "a close in a condition": closing(
        "session.add(Row(1))\nc1 and session.close()\nsession.add(Row(2))\nsession.commit()\n"
    ),
    "a close that lets go of what is changed then": closing(
        "row = session.get(Row, 1000)\nif c1:\n    session.close()\n"
        "row.value = 5\nsession.add(Row(2))\nsession.commit()\n"
    ),
}
LEFT_OVER = {
    "a close that drops what was written, and more behind it": (
        "session = SessionLocal()\nsession.add(Row(1))\nif c1:\n    work()\n    session.close()\n"
        "session.add(Row(2))\nsession.commit()\nsession.close()\n"
    ),
    "a close in a loop": (
        "session = SessionLocal()\nfor n in (1, 2):\n    session.add(Row(n))\n    if c1:\n        work()\n"
        "        session.close()\n        continue\n    session.commit()\nsession.close()\n"
    ),
    "a close before a `finally` that commits": (
        "session = SessionLocal()\ntry:\n    session.add(Row(1))\n    work()\n    session.close()\n    return 3\n"
        "finally:\n    session.commit()\n    session.close()\n"
    ),
}
SWALLOWED = {
    "a handler that goes on": closing(
        "try:\n    session.add(Row(1))\n    work()\nexcept Exception:\n    return 3\nsession.commit()\n"
    ),
    "a clause of the guard that goes on": (
        f"{OPENED}try:\n    session.add(Row(1))\n    session.flush()\n    work()\n    session.commit()\n"
        "except Exception:\n    pass\nfinally:\n    session.close()\n"
    ),
    "a rollback in the middle": closing("session.add(Row(1))\nsession.flush()\nsession.rollback()\nsession.commit()\n"),
    "another exception": (
        f"{OPENED}try:\n    session.add(Row(1))\n    work()\n    session.commit()\nexcept Exception:\n"
        "    session.rollback()\n    raise ValueError('own') from None\nfinally:\n    session.close()\n"
    ),
}
BEYOND = {
    "an object that is returned from a leak": "session = SessionLocal()\nrow = find(session)\nreturn row\n",
    "an object that it makes": f"row = Row(1)\n{OPENED}session.add(row)\nsession.commit()\nreturn row\n",
    "an object that is kept": "session = SessionLocal()\nkeep(find(session))\n",
    "an object that is kept when something fails": (
        "session = SessionLocal()\nkeep(find(session))\nwork()\nsession.commit()\nsession.close()\n"
    ),
    "a session that is used again": (
        "if c1:\n    session = SessionLocal()\n    session.add(Row(1))\n"
        "if c1:\n    session.commit()\n    session.close()\n"
    ),
    "a session that is returned": "session = SessionLocal()\nsession.add(Row(1))\nreturn finish(session)\n",
    "a session in a closure": (
        "session = SessionLocal()\nKEPT.append(lambda: session.commit())\nsession.add(Row(1))\nsession.commit()\n"
    ),
}
EXPIRED = {
    "an object that is kept when something fails": closing(
        "row = find(session)\nkeep(row)\nwork()\nsession.commit()\n"
    ),
    "an object that is kept when the commit in the `else` fails": (
        f"{OPENED}try:\n    row = find(session)\n    keep(row)\nexcept Exception:\n    session.rollback()\n    raise\n"
        "else:\n    session.commit()\nfinally:\n    session.close()\n"
    ),
    "an object of the caller's": (
        "with SessionLocal(expire_on_commit=False) as other:\n    row = other.get(Row, 1000)\nkeep(row)\n"
        f"{closing('session.add(row)' + chr(10) + 'work()' + chr(10) + 'session.commit()' + chr(10))}"
    ),
    "an object that a handler reads": (
        "try:\n"
        + indent(closing("row = find(session)\nwork()\nsession.commit()\n"), "    ")
        + "except Exception:\n    return row\n"
    ),
}
FACTORY = {
    "arguments": closing(
        "row = find(session)\nsession.commit()\nreturn row\n", "session = SessionLocal(expire_on_commit=False)\n"
    ),
    "no autoflush": closing(
        "session.add(Row(1))\nrow = session.query(Row).filter_by(id=1).first()\nfound = row is None\n"
        "session.commit()\nreturn found\n",
        "session = SessionLocal(autoflush=False)\n",
    ),
}
OTHER_FACTORY = {
    "another database": closing("session.add(Row(1))\nsession.commit()\n", "session = Second()\n"),
}
SECOND = OWN.replace("import Watched, engine", "import Watched, engine, second").replace(
    "\n\n\ndef save", "\nSecond = sessionmaker(second, class_=Watched)\n\n\ndef save", 1
)
COMMITTING = MADE.replace(
    "\n\n\ndef save",
    "\n\n\nclass Committing(Watched):\n"
    "    def __exit__(self, *failed):\n"
    "        if not failed[0]:\n"
    "            self.commit()\n"
    "        super().__exit__(*failed)\n\n\n"
    "Own = sessionmaker(engine, class_=Committing)\n\n\ndef save",
    1,
)
CLASS = {
    "a class that commits": "session = Own()\nsession.add(Row(1))\nsession.flush()\nwork()\nsession.close()\n",
}
REGISTRY = {
    "a registry that is asked in a loop": (
        "Session = scoped_session(SessionLocal)\nfor n in (1, 2):\n    session = Session()\n    session.add(Row(n))\n"
        "Session.commit()\nSession.remove()\n"
    ),
    "a registry": (
        "session = scoped_session(SessionLocal)\nsession.add(Row(1))\nsession.commit()\nwork()\nsession.close()\n"
    ),
}
REGISTERED = MADE.replace("import sessionmaker\n", "import scoped_session, sessionmaker\n", 1)
NAME = {
    "bound again": (
        "session = SessionLocal()\nsession.add(Row(1))\nsession.commit()\nsession = SessionLocal()\n"
        "session.add(Row(2))\nsession.flush()\nsession.close()\n"
    ),
}
NAME["bound before, and used behind"] = (
    "session = None\nif c1:\n    session = SessionLocal()\n    session.add(Row(1))\n    session.commit()\n    work()\n"
    "    session.close()\nif session is not None:\n    session.add(Row(2))\n    session.commit()\n"
)
CHOOSING = (
    MADE
    + """

def pick(session=None):
    return session or SessionLocal()


def perhaps(wanted):
    return SessionLocal() if wanted else None
"""
)
NEW = {
    "one that is the caller's": (
        "outer = SessionLocal()\nouter.add(Row(1))\nif c2:\n    session = pick(outer)\n    session.get(Row, 1000)\n"
        "outer.commit()\nouter.close()\n"
    ),
    "none at all": (
        "session = perhaps(c1)\nif session is None:\n    return 0\nsession.add(Row(1))\nsession.commit()\n"
        "session.close()\n"
    ),
}
GENERATOR = {"what it yields": "session = SessionLocal()\nrow = find(session)\nyield row\nsession.commit()\n"}

CAPTURED = {
    "a function that commits": closing(
        "later = lambda: session.commit()\nsession.add(Row(1))\nlater()\nsession.add(Row(2))\nsession.commit()\n"
    ),
}
STEERED = {
    "a question that `begin` answers otherwise": closing(
        "begun = session.in_transaction()\nsession.add(Row(1))\nsession.commit()\nreturn begun\n"
    ),
}
KIND = {
    "one that nothing is done with": "session = SessionLocal()\nif session.is_active:\n    work()\n",
}
UNKNOWN_KIND = ASYNC.replace(
    "SessionLocal = async_sessionmaker(async_engine, class_=WatchedAsync)",
    "SessionLocal = sessionmaker(async_engine, class_=chosen(WatchedAsync))",
).replace(
    "from sqlalchemy.ext.asyncio import async_sessionmaker\nfrom world import WatchedAsync, async_engine\n",
    "from sqlalchemy.orm import sessionmaker\nfrom world import WatchedAsync, async_engine\n\n\n"
    "def chosen(kind):\n    return [kind][0]\n\n",
)
PLAIN_CODE = program("session = SessionLocal()\nsession.add(Row(1))\n", ASYNC)
"""A coroutine's session where nothing can be awaited."""

TRAPS: dict[str, dict[str, str]] = {
    "uncommitted": {name: program(body) for name, body in UNCOMMITTED.items()},
    "after_commit": {name: program(body) for name, body in AFTER_COMMIT.items()},
    "closed_before": {name: program(body) for name, body in CLOSED_BEFORE.items()},
    "left_over": {name: program(body) for name, body in LEFT_OVER.items()},
    "swallowed": {name: program(body) for name, body in SWALLOWED.items()},
    "beyond": {name: program(body) for name, body in BEYOND.items()},
    "expired": {name: program(body) for name, body in EXPIRED.items()},
    "takes_nothing": {name: program(body) for name, body in FACTORY.items()},
    "same_factory": {name: program(body, SECOND) for name, body in OTHER_FACTORY.items()},
    "only_closed": {name: program(body, COMMITTING) for name, body in CLASS.items()},
    "entered": {name: program(body, REGISTERED) for name, body in REGISTRY.items()},
    "new": {name: program(body, CHOOSING) for name, body in NEW.items()},
    "captured": {name: program(body, MADE) for name, body in CAPTURED.items()},
    "steered": {name: program(body, MADE) for name, body in STEERED.items()},
    "of_known_kind": {name: program(body, UNKNOWN_KIND) for name, body in KIND.items()},
    "run_through": {name: program(body) for name, body in GENERATOR.items()},
    "bound_once": {**{name: program(body) for name, body in NAME.items()}, "plain code": PLAIN_CODE},
}
FORMS = {
    f"{condition}: {name}, {form}": text.replace(DOCUMENTED, head)
    if head is not ASYNC
    else awaited(text.replace(DOCUMENTED, ASYNC))
    for condition, cases in TRAPS.items()
    for name, text in cases.items()
    for form, head in {"documented": DOCUMENTED, "begin": MADE, "own": OWN, "async": ASYNC}.items()
    if head is DOCUMENTED or (text.startswith(DOCUMENTED) and not (head is ASYNC and "query" in text))
}
"""Every trap with every kind of scope in reach."""
