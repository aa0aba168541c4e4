"""Functions with more ways than can be followed one by one, and what is said of them nevertheless."""

from __future__ import annotations

import ast

from session_lint.analysis import analyse
from session_lint.source import Source
from tests.linting import lint

HEAD = "from sqlalchemy.orm import Session, sessionmaker\n\nSessionLocal = sessionmaker()\n\n\n"


def told(text: str) -> list[tuple[str, int]]:
    """The codes and lines of the findings."""
    return [(finding.code, finding.location.row) for finding in lint(text) if finding.code != "SES104"]


STEP = """\
def step{0}(session: Session):
    try:
        session.flush()
    except ValueError:
        log({0})
    except Exception:
        log()


"""
LAST = """\
    try:
        session.add(item)
        session.flush()
    except Exception:
        log(item)
    session.execute(item)
"""


def test_each_of_many_failures_that_helpers_pass_over() -> None:
    """What becomes of one of them hangs on none of the others."""
    steps = "".join(STEP.format(n) for n in range(16))
    calls = "".join(f"    step{n}(session)\n" for n in range(16))
    text = HEAD + f"{steps}def work(session: Session, item):\n{calls}{LAST}"
    rows = [n for n, line in enumerate(text.splitlines(), 1) if "except Exception" in line]
    assert told(text) == [("SES701", row) for row in rows]


def test_conditions_of_a_helper_that_decide_nothing() -> None:
    """A chain of ``elif`` that completes on each way, asked for at each of many calls, hides no leak."""
    branches = "".join(f"    elif kind == {n}:\n        count({n})\n" for n in range(20))
    chosen = f"def chosen(kind):\n    if kind == 'x':\n        count('x')\n{branches}    else:\n        count()\n\n\n"
    calls = "".join(f"    chosen(kind{n})\n" for n in range(12))
    given = ", ".join(f"kind{n}" for n in range(12))
    last = "    session.execute(kind0)\n    session.close()\n"
    text = HEAD + f"{chosen}def work({given}):\n    session = SessionLocal()\n{calls}{last}"
    row = next(n for n, line in enumerate(text.splitlines(), 1) if "session = SessionLocal()" in line)
    assert told(text) == [("SES102", row)]


def test_many_flags_that_nobody_asks_for_again() -> None:
    """They are forgotten; the one that decides about the close is not."""
    flags = "".join(f"    flag{n} = check({n})\n    if flag{n}:\n        count({n})\n" for n in range(60))
    text = (
        HEAD + "def work(given=None):\n    own = given is None\n    session = given or SessionLocal()\n    try:\n"
        "        session.execute('x')\n" + "".join(f"    {line}\n" for line in flags.splitlines())
    )
    assert told(text + "    finally:\n        if own:\n            session.close()\n") == []
    leak = text + "    finally:\n        if not own:\n            session.close()\n"
    row = next(n for n, line in enumerate(text.splitlines(), 1) if "SessionLocal()" in line and "given or" in line)
    assert told(leak) == [("SES101", row)]


def test_a_long_helper_ends_in_unknown_ways_but_a_loop_without_an_end() -> None:
    """Nobody asks under which conditions it ends; that it never does is seen all the same."""
    branches = "".join(f"        if kind == {n}:\n            count({n})\n" for n in range(100))
    helpers = "".join(f"def {name}(kind):\n    while {test}:\n{branches}\n\n" for name, test in LOOPS)
    using = "".join(USING.format(name) for name, _ in LOOPS)
    text = f"{HEAD}{helpers}{using}"
    row = next(n for n, line in enumerate(text.splitlines(), 1) if line == "def use_once(kind):") + 1
    assert told(text) == [("SES101", row)]


LOOPS = (("once", "kind"), ("forever", "True"))
USING = """\
def use_{0}(kind):
    session = SessionLocal()
    try:
        session.execute(kind)
        {0}(kind)
    except BaseException:
        session.close()
        raise


"""


def test_parameters_of_a_long_function_that_get_another_value() -> None:
    """Only what may get a session, or decides about closing one, is told apart at the start."""
    steps = "".join(f"    count(kind, {n}, {n})\n" for n in range(400))
    text = f"""{HEAD}def work(kind=None, name=None, session=None):
    own = session is None
    if session is None:
        session = SessionLocal()
    if kind is None:
        kind = []
    if name is None:
        name = ''
{steps}    try:
        session.execute(kind)
    finally:
        if own:
            session.close()
"""
    assert [code for code, _ in told(text)] == ["SES102"]


RAISING = """\
class Failed{0}(Exception):
    pass


"""


def test_exceptions_that_nobody_tells_apart_are_one_way_out() -> None:
    """Of a helper that raises many, after each of its writes: what it does to its caller's session hangs on none."""
    classes = "".join(RAISING.format(n) for n in range(40))
    raising = "".join(f"    if kind == {n}:\n        raise Failed{n}\n" for n in range(40))
    text = f"{HEAD}{classes}def save(session: Session, kind):\n    session.flush()\n{raising}\n\n"
    text += "def work(session: Session, kind):\n    try:\n        save(session, kind)\n"
    text += "    except Failed7:\n        log(kind)\n"
    facts = analyse(Source("a.py", text), ast.parse(text), "a")
    work = next(one for one in facts.borrowed if getattr(one.code, "name", "") == "work")
    assert work.solved is not None
    ways = [fact for fact in work.solved.exits if fact.flying is not None]
    assert len(ways) < 6  # there were 41
    assert {kind for fact in ways for kind in fact.flying.kinds} == {  # type: ignore[union-attr]
        "builtins.Exception",
        "sqlalchemy.exc.SQLAlchemyError",
        *(f"a.Failed{n}" for n in range(40) if n != 7),
    }


def test_tests_before_a_helper_waits() -> None:
    """Each of many early ways out that wait, too, is followed once, and so is what comes after it."""
    early = "".join(f"    if kind == {n}:\n        return requests.get({n})\n" for n in range(40))
    nested = early.replace("return requests.get", "return print")
    helper = f"def fetch(kind):\n{early}    return requests.get(kind)\n\n\n"
    helper += f"def look(kind):\n{nested}    return fetch(kind)\n\n\n"
    work = "def work(session: Session, item):\n    session.add(item)\n    session.flush()\n"
    work += "    fetch(item)\n    look(item)\n"
    text = f"import requests\n{HEAD}{helper}{work}    session.commit()\n"
    row = next(n for n, line in enumerate(text.splitlines(), 1) if line == "    fetch(item)")
    assert told(text)[:1] == [("SES703", row)]
