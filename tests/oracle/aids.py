"""What a program may be surrounded by: functions and classes of its own that open, use, close and pass on sessions.

Each draws its definition and says how a program reads that uses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.oracle.program import Block, Clause, Statement, simple
from tests.oracle.wild import HANDLERS, Pen, Place

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWERS = ("c1", "c2", "c3", "True", "False")
"""What a program passes where a function asks for a condition."""

INSIDE = {r"\bc(\d)\b": r"p\1", "for item in items:": "while probe():"}
"""What reads differently in a function that is not ``program``."""


@dataclass(frozen=True)
class Aid:
    """Something a program may use.

    :param definition: the statement that defines it, and what it needs itself.
    :param words: statements of one line that use it on the session ``{s}``, and how often.
    :param closes: statements that may stand where ``{s}.close()`` does.
    :param opens: statements that may stand where ``{s} = Session()`` does.
    :param scopes: headers that may stand where ``with Session() as {s}:`` does.
    :param alone: the body of a program that shows what it does with sessions of its own.
    """

    definition: Block
    words: dict[str, float] = field(default_factory=dict)
    closes: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    alone: tuple[Block, ...] = ()


def defined(header: str, body: Block, *above: str) -> Statement:
    """A definition, below its decorators."""
    decorators: tuple[Clause, ...] = tuple((line, ()) for line in above)
    return (*decorators, (header, body))


def inside(block: Block) -> Block:
    """A block as it reads in a function whose parameters are ``p1``, ``p2`` and ``p3``."""
    return tuple(tuple((adapted(header), inside(body)) for header, body in statement) for statement in block)


def adapted(header: str) -> str:
    """One line of it."""
    for old, new in INSIDE.items():
        header = re.sub(old, new, header)
    return header


def body(pen: Pen, most: int = 4) -> Block:
    """Some lines over the session ``it``."""
    return inside(pen.block(pen.random.randint(1, most), Place(names=("it",))))


def returning(block: Block, last: str) -> Block:
    """A block in which every ``return`` is this one."""
    return tuple(
        tuple((last if header.startswith("return") else header, returning(inner, last)) for header, inner in statement)
        for statement in block
    )


def given(pen: Pen) -> str:
    """Three answers."""
    return ", ".join(pen.random.choice(ANSWERS) for _ in range(3))


def tried(first: Block, last: str) -> Statement:
    """``try … finally``."""
    return ("try:", first), ("finally:", (simple(last),))


def leave_open(pen: Pen) -> Aid:
    """A function that does something with the session it is given."""
    definition = defined("def tend(it, p1, p2, p3):", body(pen))
    return Aid((definition,), {f"tend({{s}}, {given(pen)})": 3})


def end(pen: Pen) -> Aid:
    """A function that closes the session it is given, at the end, in a ``finally``, or under a condition."""
    ways: dict[Block, float] = {
        (*body(pen, 3), simple("it.close()")): 3,
        (tried(body(pen, 3), "it.close()"),): 3,
        (*body(pen, 2), (("if p1:", (simple("it.close()"),)),)): 1,
        (*body(pen, 2), (("if not p1:", (simple("return"),)),), simple("it.close()")): 1,
        ((("if it is not None:", (simple("it.close()"),)),),): 1,
    }
    last = pen.random.choices(list(ways), list(ways.values()))[0]
    first = f"end_it({{s}}, {given(pen)})"
    definitions: Block = (defined("def end_it(it, p1, p2, p3):", last),)
    if pen.random.random() < 0.3:
        again = f"end_it(it, {pen.random.choice(('p1', 'not p1', 'True'))}, True, False)"
        definitions = (*definitions, defined("def finish_it(it, p1):", (simple(again),)))
        first = f"finish_it({{s}}, {pen.random.choice(ANSWERS)})"
    return Aid(definitions, {first: 1}, closes=(first,))


def pass_on(pen: Pen) -> Aid:
    """A function that returns the session it is given."""
    definition = defined("def lend(it, p1, p2, p3):", (*returning(body(pen, 3), "return it"), simple("return it")))
    use = f"lend({{s}}, {given(pen)})"
    return Aid((definition,), {f"{{s}} = {use}": 2, f"{use}.execute(q)": 1}, closes=(f"{use}.close()",))


def open_one(pen: Pen) -> Aid:
    """A function that opens a session and returns it, alone or as a part of a tuple, always or at times."""
    work = body(pen, 2) if pen.random.random() < 0.6 else ()
    safe = (("try:", work), ("except Exception:", (simple("it.close()"), simple("raise"))))
    used: Block = (safe,) if work and pen.random.random() < 0.5 else work
    start: Block = (simple("it = Session()"), *used)
    ways = {
        "{s} = open_one(%s)": (*start, simple("return it")),
        "{s}, _ = open_one(%s)": (*start, simple("return it, 1")),
        "_, {s} = open_one(%s)": (*start, simple("return 1, it")),
        "{s} = open_one( %s)": ((("if p1:", (simple("return None"),)),), *start, simple("return it")),
    }
    use = pen.random.choice(list(ways))
    definition = defined("def open_one(p1, p2, p3):", ways[use])
    alone: Block = (simple("return open_one(c1, c2, c3)"),)
    return Aid((definition,), opens=(use % given(pen),), alone=(alone,))


def ensure(pen: Pen) -> Aid:
    """A function that opens a session where it is given none, and closes that one only."""
    flag: Block = (
        simple("own = it is None"),
        (("if own:", (simple("it = Session()"),)),),
    )
    other: Block = (
        simple("own = False"),
        (("if it is None:", (simple("it = Session()"), simple("own = True"))),),
    )
    close: Block = ((("if own:", (simple("it.close()"),)),),)
    work = returning(body(pen, 3), "return")
    kept: Block = ((("try:", work), ("finally:", close)),) if pen.random.random() < 0.7 else (*work, *close)
    definition = defined("def ensure(it, p1, p2, p3):", (*pen.random.choice((flag, other)), *kept))
    alone = (simple("ensure(given, c1, c2, c3)"),)
    return Aid(
        (definition,),
        {f"ensure({{s}}, {given(pen)})": 2, f"ensure(given, {given(pen)})": 1, f"ensure(None, {given(pen)})": 1},
        alone=(alone, (simple("ensure(None, c1, c2, c3)"),)),
    )


def provide(pen: Pen) -> Aid:
    """A function that returns the session that it is given, or a new one."""
    ways: tuple[Block, ...] = (
        ((("if it is None:", (simple("it = Session()"),)),), simple("return it")),
        (simple("return it or Session()"),),
        ((("if it is not None:", (simple("return it"),)),), simple("return Session()")),
    )
    definition = defined("def provide(it=None):", pen.random.choice(ways))
    return Aid((definition,), opens=("{s} = provide()", "{s} = provide(None)", "{s} = provide(it=None)"))


def scope(pen: Pen) -> Aid:
    """A context manager made of a generator: it closes what it opened, or forgets to, at the end or when it fails."""
    handed = simple("yield it")
    commit = simple("it.commit()")
    close = simple("it.close()")
    undo = (pen.among(HANDLERS), (simple("it.rollback()"), simple("raise")))
    ways: dict[Block, float] = {
        ((("try:", (handed,)), ("finally:", (close,))),): 2,
        ((("try:", (handed, commit)), ("finally:", (close,))),): 2,
        ((("try:", (handed, commit)), undo, ("finally:", (close,))),): 3,
        (handed, close): 1,
        (handed, commit, close): 1,
        (handed, commit): 1,
        ((("try:", (handed, commit)), undo),): 1,
        ((("try:", (handed, commit)), undo, ("else:", (close,))),): 1,
        ((("try:", (handed,)), ("except Exception:", (close, simple("raise"))), ("else:", (commit, close))),): 1,
    }
    way = pen.random.choices(list(ways), list(ways.values()))[0]
    definition = defined("def scope():", (simple("it = Session()"), *way), "@contextmanager")
    alone = ((("with scope() as session:", (simple("session.execute(q)"), simple("work()"))),),)
    return Aid((definition,), scopes=("with scope() as {s}:",), alone=(alone,))


def owner(pen: Pen) -> Aid:
    """A class that opens a session and is a context manager."""
    close = (simple("self.it.close()"),)
    opens = simple("self.it = Session()")
    first = defined("def __init__(self):", (opens,))
    enter: Block = (simple("return self.it"),)
    if pen.random.random() < 0.5:
        first, enter = defined("def __init__(self):", (simple("self.it = None"),)), (opens, *enter)
    methods = [first, defined("def __enter__(self):", enter)]
    if pen.random.random() < 0.5:
        methods.append(defined("def finish(self):", close))
        close = (simple("self.finish()"),)
    if pen.random.random() < 0.4:
        close = (tried((simple("self.it.commit()"),), close[0][0][0]),)
    methods.append(defined("def __exit__(self, *_):", close))
    return Aid((defined("class Owner:", tuple(methods)),), scopes=("with Owner() as {s}:",))


def worker(pen: Pen) -> Aid:
    """A class whose methods are given the session, one perhaps by way of another."""
    methods = [defined("def end_now(self, it, p1, p2, p3):", (*body(pen, 2), simple("it.close()")))]
    methods.append(defined("def tend(self, it, p1, p2, p3):", body(pen, 3)))
    use = f"Worker().end_now({{s}}, {given(pen)})"
    if pen.random.random() < 0.5:
        methods.append(defined("def end_through(self, it):", (simple("self.end_now(it, True, False, True)"),)))
        use = "Worker().end_through({s})"
    return Aid((defined("class Worker:", tuple(methods)),), {f"Worker().tend({{s}}, {given(pen)})": 2}, closes=(use,))


AIDS: dict[Callable[[Pen], Aid], float] = {
    leave_open: 3, end: 4, pass_on: 2, open_one: 4, provide: 1, ensure: 2, scope: 3, owner: 2, worker: 2,
}  # fmt: skip
OPENERS = (open_one, ensure, scope)
"""Those that open sessions which they may forget themselves."""
