"""The global session is closed in a ``finally`` of the entry: where, where not, and that nothing else changes."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from session_lint.finding import Applicability, Finding
from session_lint.fixes import rewritten
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from tests.fixes.world import World

HEAD = "from database.session import get_session\n\n\n"
BOTH = "from database.session import close_global_session, get_session\n\n\n"
OPENED = "session = get_session()\n"
FINALLY = "finally:\n    close_global_session()\n"


def program(body: str, head: str = BOTH) -> str:
    """A function that nobody calls."""
    return f"{head}def program(c1, c2):\n{indent(body, '    ')}"


def found(text: str) -> Finding:
    """The finding about the global session."""
    return next(f for f in lint(text) if f.code in ("SES201", "SES202"))


def mended(text: str) -> str:
    """The text with the fix carried out."""
    fix = found(text).fix
    assert fix is not None
    return rewritten(Source("module.py", text), fix)


def closing(body: str) -> str:
    """A body in the `try` that it should stand in."""
    return f"try:\n{indent(body, '    ')}{FINALLY}"


WORK = "session.add(Row(1))\nwork()\nsession.commit()\n"
SAFE = {
    "never closed": (OPENED + WORK, OPENED + closing(WORK)),
    "closed at the end": (f"{OPENED}{WORK}close_global_session()\n", OPENED + closing(WORK)),
    "more behind": (f"{OPENED}{WORK}close_global_session()\nwork()\n", OPENED + closing(WORK) + "work()\n"),
    "an early return": (
        f"{OPENED}if c1:\n    return 3\n{WORK}",
        OPENED + closing(f"if c1:\n    return 3\n{WORK}"),
    ),
    "opened in an expression": (
        "get_session().add(Row(1))\nget_session().commit()\n",
        closing("get_session().add(Row(1))\nget_session().commit()\n"),
    ),
    "comments": (
        f"{OPENED}# adds\nsession.add(Row(1))  # one\nsession.commit()\n# the end\nclose_global_session()  # done\n",
        OPENED
        + "try:\n    # adds\n    session.add(Row(1))  # one\n    session.commit()\n"
        + "finally:\n    # the end\n    # done\n"
        + "    close_global_session()\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), SAFE.values(), ids=SAFE)
def test_safe(world: World, before: str, after: str) -> None:
    """It is closed whatever happens, and all else is as it was."""
    finding = found(program(before))
    assert finding.fix is not None
    assert finding.fix.applicability is Applicability.SAFE
    assert mended(program(before)) == program(after)
    assert world.differences(program(before), program(after)) == []
    assert world.run(program(after), 2, (False, False)).kept == 0
    assert not [f for f in lint(program(after)) if f.code.startswith("SES2")]


def test_the_closer_is_imported() -> None:
    """Beside the getter."""
    assert mended(program(OPENED + WORK, HEAD)) == program(OPENED + closing(WORK))


def test_a_script() -> None:
    """Behind the guard of a script, or at its top."""
    for guard in ("", "if __name__ == '__main__':\n"):
        body = indent(OPENED + WORK, "    " * bool(guard))
        after = indent(OPENED + closing(WORK), "    " * bool(guard))
        assert mended(f"{BOTH}{guard}{body}") == f"{BOTH}{guard}{after}"


PROJECT = """
from sqlalchemy.orm import sessionmaker

make = sessionmaker()
_session = None


def current():
    global _session
    if _session is None:
        _session = make()
    return _session


def done():
    global _session
    if _session is not None:
        _session.close()
        _session = None


"""


def test_a_closer_of_the_project() -> None:
    """What the module defines itself."""
    body = OPENED.replace("get_session", "current") + WORK
    assert "    finally:\n        done()\n" in mended(program(body, PROJECT))


UNSAFE = {
    "nothing is committed": f"{OPENED}session.add(Row(1))\n",
    "an object is returned": f"{OPENED}return session.get(Row, 1000)\n",
}


@pytest.mark.parametrize("body", UNSAFE.values(), ids=UNSAFE)
def test_unsafe(body: str) -> None:
    """Somebody may see it, and the reason says so."""
    fix = found(program(body)).fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE
    assert fix.reason


REFUSED = {
    "a generator": f"{OPENED}yield 1\nsession.commit()\n",
    "closed in two places": f"{OPENED}if c1:\n    close_global_session()\n    return\n{WORK}close_global_session()\n",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refused(body: str) -> None:
    """With the reason."""
    finding = found(program(body))
    assert finding.fix is None
    assert finding.refusal


def test_definitions_stay_where_they_are() -> None:
    """A module's functions do not go into a `try`."""
    text = f"{BOTH}{OPENED}\n\ndef f():\n    return session.get(Row, 1)\n\n\nf()\n"
    assert found(text).fix is None


def test_empty_lines_and_comments_of_a_module() -> None:
    """The lines stay empty, and the first statement keeps its comment."""
    text = f"{BOTH}session = get_session()\n\n# adds\nsession.add(1)\n\nx = 1 + \\\n    2\nsession.commit()\n"
    assert mended(text) == (
        f"{BOTH}session = get_session()\n\ntry:\n    # adds\n    session.add(1)\n\n    x = 1 + \\\n        2\n"
        "    session.commit()\nfinally:\n    close_global_session()\n"
    )


def test_statements_that_share_a_line() -> None:
    """What moves and what goes has to have a line of its own."""
    finding = found(program(f"{OPENED}session.add(1)\nsession.commit(); close_global_session()\n"))
    assert finding.fix is None
    assert finding.refusal.startswith("line 7 holds more than one statement")


RUN = "def main():\n    session = get_session()\n{}\n\nmain()\n"


def test_a_function_that_closes_is_where_it_is_mended() -> None:
    """Not the module that calls it; a close that stood at its end moves."""
    work = indent(WORK, "    ")
    text = BOTH + RUN.format(f"{work}    close_global_session()  # bye\n    return 1\n")
    fix = found(text).fix
    assert fix is not None
    assert fix.applicability is Applicability.SAFE
    guarded = f"{indent(closing(WORK), '    ')}    return 1\n".replace("finally:\n", "finally:\n        # bye\n")
    assert mended(text) == BOTH + RUN.format(guarded)
    assert not [f for f in lint(mended(text)) if f.code.startswith("SES2")]


def test_a_function_that_closes_and_has_another_caller() -> None:
    """It may go on after an error."""
    more = "\n\ndef again():\n    try:\n        main()\n    except ValueError:\n        pass\n"
    fix = found(BOTH + RUN.format(f"{indent(WORK, '    ')}    close_global_session()\n") + more).fix
    assert fix is not None
    assert fix.applicability is Applicability.UNSAFE


def test_a_function_that_does_not_close_is_left_to_its_caller() -> None:
    """The module closes behind it."""
    text = BOTH + RUN.format(indent(WORK, "    "))
    assert mended(text) == text.replace("\nmain()\n", f"\n{closing('main()' + chr(10))}")
