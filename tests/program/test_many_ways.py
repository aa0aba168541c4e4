"""Functions with more ways than can be followed one by one, and what is said of them nevertheless."""

from __future__ import annotations

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
