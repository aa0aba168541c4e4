"""Programs that grow in one way each: what ``growth.py`` measures against their size.

A shape gives the files of a project of a size, in which something is always wrong: one session at least stays open when
a statement raises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    Files = Iterator[tuple[str, str]]
    """The names of files and their texts."""

HEAD = "from shop.db import SessionLocal\n\n\n"
DB = "from sqlalchemy.orm import sessionmaker\n\nSessionLocal = sessionmaker()\n"


def _module(body: str) -> Files:
    """A project with one module beside the one that has the factory."""
    yield "shop/__init__.py", ""
    yield "shop/db.py", DB
    yield "shop/grown.py", HEAD + body


def _function(lines: Iterator[str] | list[str], parameters: str = "query") -> str:
    """A function that opens a session and closes it after some lines."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"def work({parameters}):\n    session = SessionLocal()\n{body}    session.close()\n"


def statements(size: int) -> Files:
    """One function of so many statements between the opening of a session and its end."""
    kinds = ("total = query({})", "session.execute(query, {})", "found = [total, {}]", "total += {}")
    return _module(_function(kinds[number % 4].format(number) for number in range(size)))


def questions(size: int) -> Files:
    """One function that asks so many questions, each by the same two variables: the statement, and what came of it."""
    turn = "statement = update(Order).where(Order.id == {0}); found = session.execute(statement); query(found, {0})"
    text = _function((turn.format(number) for number in range(size)), "query, Order")
    return _module("from sqlalchemy import update\n\n\n" + text)


def branches(size: int) -> Files:
    """One function with so many ``if`` one after the other, each with a test of its own."""
    return _module(_function(f"if query.a{number}: session.execute(query)" for number in range(size)))


def flags(size: int) -> Files:
    """The same, but each test is of a variable of its own, which the analysis may remember."""
    return _module(
        _function(
            (f"if flag{number}: session.execute(query)" for number in range(size)),
            "query, " + ", ".join(f"flag{number}" for number in range(size)),
        )
    )


def closing_branches(size: int) -> Files:
    """So many ``if``, and in each the session is closed and another one opened."""
    turns = (f"if query.a{n}: session.close(); session = SessionLocal()" for n in range(size))
    return _module(_function([*turns, "session.execute(query)"]))


def returning_branches(size: int) -> Files:
    """So many ways out, each of which closes the session."""
    ways = (f"if query.a{n}: session.close(); return {n}" for n in range(size))
    return _module(_function(["session.execute(query)", *ways]))


def alternatives(size: int) -> Files:
    """One chain of so many ``elif``."""
    chain = [f"{'el' if n else ''}if query == {n}: session.execute(query)" for n in range(size)]
    return _module(_function(chain))


def loops(size: int) -> Files:
    """So many loops one after the other."""
    return _module(_function(f"for row in session.execute({n}): query(row)" for n in range(size)))


def tries(size: int) -> Files:
    """So many ``try`` one after the other, whose errors are caught."""
    lines = []
    for number in range(size):
        lines += ["try:", f"    session.execute({number})", "except ValueError:", "    session.rollback()"]
    return _module(_function(lines))


def _nested(size: int, opening: str, closing: tuple[str, ...]) -> Files:
    deep = [f"{'    ' * level}{opening.format(level)}" for level in range(size)]
    after = [f"{'    ' * level}{line.format(level)}" for level in reversed(range(size)) for line in closing]
    return _module(_function([*deep, f"{'    ' * size}session.execute(query)", *after]))


def nested_ifs(size: int) -> Files:
    """So many ``if`` in each other."""
    return _nested(size, "if query.a{}:", ())


def nested_loops(size: int) -> Files:
    """So many loops in each other."""
    return _nested(size, "for row{0} in query({0}):", ())


def nested_tries(size: int) -> Files:
    """So many ``try`` in each other, each with a handler that may raise itself."""
    return _nested(size, "try:", ("except query.Error{}:", "    query({})"))


def nested_finallies(size: int) -> Files:
    """So many ``try`` in each other, each with a ``finally`` that may raise itself."""
    return _nested(size, "try:", ("finally:", "    query({})"))


def nested_withs(size: int) -> Files:
    """So many ``with`` in each other."""
    return _nested(size, "with query({}):", ())


def sessions_at_once(size: int) -> Files:
    """One function in which so many sessions are open at once."""
    opened = (f"    s{number} = SessionLocal()\n    s{number}.execute(query)\n" for number in range(size))
    closed = (f"    s{number}.close()\n" for number in range(size))
    return _module("def work(query):\n" + "".join([*opened, *closed]))


def sessions_in_turn(size: int) -> Files:
    """One function that opens, uses and closes so many sessions, one after the other."""
    lines = (f"    s{n} = SessionLocal()\n    s{n}.execute(query)\n    s{n}.close()\n" for n in range(size))
    return _module("def work(query):\n" + "".join(lines))


def fallbacks(size: int) -> Files:
    """One function that makes a session by what one variable stands for, which so many lines bind anew."""
    lines = ("    make = make or SessionLocal\n" for _ in range(size))
    session = "    session = make()\n    session.execute(query)\n    session.close()\n"
    return _module("def work(query, make=None):\n" + "".join(lines) + session)


def functions(size: int) -> Files:
    """One module of so many functions with a session each."""
    return _module(
        "".join(f"{_function(['session.execute(query)'])}\n\n".replace("work", f"work{n}") for n in range(size))
    )


def methods(size: int) -> Files:
    """One class of so many methods that use the session that it holds, and none that closes it."""
    head = "class Shop:\n    def __init__(self):\n        self.session = SessionLocal()\n\n"
    lines = (f"    def work{n}(self, query):\n        self.session.execute(query)\n\n" for n in range(size))
    return _module(head + "".join(lines) + "def run(query):\n    shop = Shop()\n    shop.work0(query)\n")


def chain(size: int) -> Files:
    """So many functions of one module, each of which hands a session to the next; the last does not close it."""
    links = (f"def step{n}(session, query):\n    step{n + 1}(session, query)\n\n\n" for n in range(size))
    last = f"def step{size}(session, query):\n    session.execute(query)\n\n\n"
    return _module("".join(links) + last + _function(["step0(session, query)"]))


def opening_chain(size: int) -> Files:
    """So many functions of one module, each of which returns the session that the next opens."""
    links = (f"def make{n}():\n    return make{n + 1}()\n\n\n" for n in range(size))
    last = f"def make{size}():\n    return SessionLocal()\n\n\n"
    body = "def work(query):\n    session = make0()\n    session.execute(query)\n    session.close()\n"
    return _module("".join(links) + last + body)


def chain_of_modules(size: int) -> Files:
    """The same over so many modules: each imports the next one's function."""
    yield "shop/__init__.py", ""
    yield "shop/db.py", DB
    step = "from shop.step{} import make as following\n\n\ndef make():\n    return following()\n"
    for n in range(size):
        yield f"shop/step{n}.py", step.format(n + 1)
    yield f"shop/step{size}.py", HEAD + "def make():\n    return SessionLocal()\n"
    body = "def work(query):\n    session = make()\n    session.execute(query)\n    session.close()\n"
    yield "shop/grown.py", "from shop.step0 import make\n\n\n" + body


def cycle(size: int) -> Files:
    """So many modules in a ring: each imports the next one's functions, and the last those of the first."""
    yield "shop/__init__.py", ""
    yield "shop/db.py", DB
    for n in range(size):
        yield f"shop/ring{n}.py", RING.format(following=f"ring{(n + 1) % size}")


RING = """\
from shop import {following}
from shop.db import SessionLocal


def make(depth):
    return {following}.make(depth - 1) if depth else SessionLocal()


def work(query):
    session = {following}.make(3)
    session.execute(query)
    session.close()
"""


def callers(size: int) -> Files:
    """One function that uses the session that it is given, and so many modules that call it with one."""
    yield "shop/__init__.py", ""
    yield "shop/db.py", DB
    yield "shop/helper.py", "def use(session, query):\n    return session.execute(query)\n"
    for n in range(size):
        yield f"shop/caller{n}.py", "from shop.helper import use\n" + HEAD + _function(["use(session, query)"])


def lines(size: int) -> Files:
    """A project of so many lines: files of about 250, in packages of 25, mixed as in published programs.

    Of a hundred files six open sessions, one of which forgets to close one, twenty are handed them, and the others
    have nothing to do with any.
    """
    yield "shop/__init__.py", ""
    yield "shop/db.py", DB
    for number in range(max(1, size // LINES_OF_A_FILE)):
        package, name = f"shop/part{number // 25}", f"module{number}"
        if number % 25 == 0:
            yield f"{package}/__init__.py", ""
        yield f"{package}/{name}.py", _file(number)


LINES_OF_A_FILE = 250


def _file(number: int) -> str:
    """One file of a large project."""
    kind = number % 100
    other = number - 1 if number % 25 else number
    parts = ["import json\nimport logging\n"]
    if number % 25:
        parts.append(f"from shop.part{number // 25}.module{other} import load{other}, Record{other}\n")
    if kind < OPENING:
        parts.append("from shop.db import SessionLocal\n")
    elif kind < OPENING + HANDED:
        parts.append("from sqlalchemy.orm import Session\n")
    parts.append(f"\nlog = logging.getLogger(__name__)\n\n\n{_record(number, other)}\n\n")
    if kind < OPENING:
        parts += [OPENS.format(n=n, number=number) for n in range(6)]
        parts += [FORGETS] * (kind == 0)
    elif kind < OPENING + HANDED:
        parts += [USES.format(n=n, number=number) for n in range(6)]
    made, count = "".join(parts), 0
    while made.count("\n") < LINES_OF_A_FILE:
        made += PLAIN[(number + count) % len(PLAIN)].format(n=count)
        count += 1
    return made


OPENING, HANDED = 6, 20


def _record(number: int, other: int) -> str:
    base = f"(Record{other})" if number % 25 else ""
    return (
        f"class Record{number}{base}:\n    fields = ('name', 'price')\n\n    def __init__(self, name, price):\n"
        "        self.name = name\n        self.price = price\n\n"
        "    def described(self):\n        return f'{self.name}: {self.price}'\n\n\n"
        f"def load{number}(path):\n    with open(path) as file:\n"
        f"        return [Record{number}(**row) for row in json.load(file)]\n"
    )


OPENS = """
def save{n}(rows):
    session = SessionLocal()
    try:
        for row in rows:
            session.add(Record{number}(**row))
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()

"""
FORGETS = """
def count(query):
    session = SessionLocal()
    return session.execute(query).scalar()

"""
USES = """
def find{n}(session: Session, name, limit=10):
    query = session.query(Record{number}).filter_by(name=name)
    if limit:
        query = query.limit(limit)
    found = query.all()
    log.info('%d found', len(found))
    return found

"""
PLAIN = (
    """
def total{n}(rows, rate=0.2):
    result = 0
    for row in rows:
        if row.price is None or row.price < 0:
            log.warning('%s has no price', row.name)
            continue
        result += row.price * (1 + rate)
    return result

""",
    """
class Basket{n}:
    def __init__(self, limit):
        self.limit = limit
        self.rows = []

    def put(self, row):
        if len(self.rows) >= self.limit:
            raise ValueError('too many')
        self.rows.append(row)
        return self

    @property
    def names(self):
        return sorted({{row.name for row in self.rows}})

""",
    """
def parsed{n}(text, default=None):
    try:
        found = json.loads(text)
    except ValueError:
        return default
    while isinstance(found, list) and found:
        found = found[0]
    return {{key.lower(): value for key, value in found.items()}} if found else default

""",
)
