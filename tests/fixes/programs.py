"""Small programs that manage a session by hand, drawn at random; the same in every run."""

from __future__ import annotations

import random
import re
from itertools import count
from textwrap import indent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HELPERS = """

def save(session, key):
    session.add(Row(key))


def find(session):
    return session.get(Row, 1000)


KEPT = []


def keep(row):
    KEPT.append(row)
"""
DOCUMENTED = f"from database.session import SessionLocal\n{HELPERS}"
MADE = (
    "from sqlalchemy.orm import sessionmaker\nfrom world import Watched, engine\n\n"
    f"SessionLocal = sessionmaker(engine, class_=Watched)\n{HELPERS}"
)
SCOPE = """

@contextmanager
def work_with():
    session = SessionLocal()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()
"""
OWN = f"from contextlib import contextmanager\n{MADE}{SCOPE}"
ASYNC = (
    "from sqlalchemy.ext.asyncio import async_sessionmaker\nfrom world import WatchedAsync, async_engine\n\n"
    f"SessionLocal = async_sessionmaker(async_engine, class_=WatchedAsync)\n{HELPERS}"
)
PROGRAM = "\n\ndef program(c1, c2):\n"


def programs(*, asynchronous: bool = True) -> Iterator[str]:
    """Programs without end.

    :param asynchronous: whether some of them are.
    """
    for seed in count():
        rng = random.Random(seed)
        head = rng.choice([DOCUMENTED, DOCUMENTED, MADE, OWN, *([ASYNC] if asynchronous else [])])
        text = head + PROGRAM + indent(_shape(rng), "    ")
        yield awaited(text) if head is ASYNC else text


def awaited(text: str) -> str:
    """The same program with coroutines."""
    text = re.sub(r"(session\.(?:commit|rollback|flush|close|get)\(|(?<!def )find\()", r"await \1", text)
    return re.sub(r"def (find|program)", r"async def \1", text)


def _shape(rng: random.Random) -> str:
    opening = "session = SessionLocal()\n" + (rng.choice(["work()\n", "x = 1\n"]) if rng.random() < 0.15 else "")
    body = _suite(rng, 0, Rows())
    commit = rng.choice(
        ["session.commit()\n"] * 4
        + ["session.commit()\nwork()\n", "session.commit()\nreturn 1\n", "", "if c1:\n    session.commit()\n"]
    )
    close = "session.close()\n"
    kind = rng.randrange(8)
    if kind == 7:
        return f"{opening}{body}{_leaving(rng, 'if c1', Rows(100))}{_leaving(rng, 'elif c2', Rows(200))}{commit}{close}"
    if kind == 0:
        return f"{opening}try:\n{indent(body + commit, '    ')}finally:\n{indent(close, '    ')}" + _tail(rng)
    if kind == 1:
        handler = rng.choice(
            [
                "session.rollback()\nraise\n",
                "session.rollback()\n",
                "raise\n",
                "session.rollback()\nreturn 2\n",
                "pass\n",
            ]
        )
        caught = rng.choice(["Exception", "ValueError", ""])
        start = f"except {caught}:\n".replace(" :", ":")
        return (
            f"{opening}try:\n{indent(body + commit, '    ')}{start}{indent(handler, '    ')}"
            f"finally:\n{indent(close, '    ')}" + _tail(rng)
        )
    if kind == 2:
        return f"{opening}{body}{commit}{close}" + _tail(rng)
    if kind == 3:
        return f"{opening}{body}{commit}"
    if kind == 4:
        ending = indent(commit or "pass\n", "    ")
        handler = "except Exception:\n    session.rollback()\n    raise\n"
        return f"{opening}try:\n{indent(body, '    ')}{handler}else:\n{ending}finally:\n    session.close()\n"
    if kind == 5:
        return f"if c2:\n{indent(f'{opening}{body}{commit}{close}', '    ')}return 5\n"
    return f"{opening}try:\n{indent(body + commit, '    ')}finally:\n    work()\n    session.close()\n"


def _leaving(rng: random.Random, test: str, rows: Rows) -> str:
    """A branch that settles things itself, as a rule, before it leaves."""
    write = rng.choice([f"session.add(Row({rows.next()}))\n", f"save(session, {rows.next()})\n", ""])
    settle = rng.choice(["session.commit()\nsession.close()\n"] * 3 + ["session.close()\n", "session.commit()\n", ""])
    leave = rng.choice(["return 1\n"] * 3 + ["raise ValueError('x')\n", "pass\n"])
    return f"{test}:\n{indent(write + settle + leave, '    ')}"


def _tail(rng: random.Random) -> str:
    return rng.choice(["", "", "return 7\n", "work()\n"])


class Rows:
    """Keys that are not used twice."""

    def __init__(self, first: int = 1) -> None:
        self.keys = count(first)

    def next(self) -> int:
        """A new key."""
        return next(self.keys)


def _suite(rng: random.Random, depth: int, rows: Rows) -> str:
    return "".join(_statement(rng, depth, rows) for _ in range(rng.randint(1, 3)))


def _statement(rng: random.Random, depth: int, rows: Rows) -> str:
    simple: list[Callable[[], str]] = [
        lambda: f"session.add(Row({rows.next()}))\n",
        lambda: f"session.add(Row({rows.next()}))\n",
        lambda: f"save(session, {rows.next()})\n",
        lambda: "work()\n",
        lambda: "session.flush()\n",
        lambda: (
            rng.choice(
                ["session.commit()\n", "session.rollback()\n", "pass\n", "return 3\n", "raise ValueError('x')\n"]
            )
            if rng.random() < 0.4
            else "work()\n"
        ),
        lambda: (
            rng.choice(
                [
                    "row = find(session)\n",
                    "row = session.get(Row, 1000)\n",
                    "row = session.get(Row, 1000)\nrow.value = 5\n",
                    "row = find(session)\nwork()\nrow.value += 1\n",
                    "row = find(session)\nreturn row\n",
                    "row = find(session)\nkeep(row)\n",
                    "rows = [find(session)]\n",
                ]
            )
            if rng.random() < 0.6
            else "work()\n"
        ),
    ]
    if depth > 1 or rng.random() < 0.75:
        return rng.choice(simple)()
    inner = indent(_suite(rng, depth + 1, rows), "    ")
    return rng.choice(
        [
            f"if {rng.choice(['c1', 'c2', 'not c1'])}:\n{inner}",
            f"for _ in range(2):\n{inner}" if "add" not in inner and "save" not in inner else f"if c2:\n{inner}",
            (
                f"try:\n{inner}except {rng.choice(['Exception', 'ValueError'])}:\n"
                f"    {rng.choice(['pass', 'raise', 'session.rollback()', 'return 4'])}\n"
            ),
        ]
    )
