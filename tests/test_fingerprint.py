"""The mark by which a finding is known again: what it survives, and what it tells apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from session_lint.engine import lint_source
from session_lint.fingerprint import fingerprint
from session_lint.settings import Settings
from session_lint.source import Source

LEAK = """\
from database.session import SessionLocal


def count(query):
    session = SessionLocal(info={'a': 1, 'b': 2})
    return session.execute(query).scalar()
"""
CALL = "info={'a': 1, 'b': 2}"
WRAPPED = "\n        info={\n            'a': 1,\n            'b': 2,\n        },\n    "
COMMIT = """\
from database.session import scoped_session


def save(row):
    with scoped_session() as session:
        session.add(row)
        session.commit()
"""
SWALLOWED = """\
from database.session import scoped_session
from sqlalchemy.exc import IntegrityError


def save(row):
    with scoped_session() as session:
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            pass
"""


def marks(text: str, filename: str = "job.py") -> list[str]:
    """The marks of what is found in a text."""
    source = Source(filename, text)
    return [fingerprint(finding, source) for finding in lint_source(source, Settings(cache=False, whole_project=False))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (LEAK, "import os\n\n\n" + LEAK),
        (LEAK, LEAK.replace("    session =", "    # why\n\n    session =")),
        (LEAK, LEAK.replace("'", '"')),
        (LEAK, LEAK.replace("'a'", "u'a'")),
        (LEAK, LEAK.replace(CALL, WRAPPED)),
        (LEAK, LEAK.replace(CALL, f"\n  {CALL}")),
        (LEAK, LEAK.replace(f"SessionLocal({CALL})", f"(\n        SessionLocal({CALL})\n    )")),
        (LEAK, LEAK.replace("    ", "\t")),
        (LEAK, LEAK.replace("\n", "\r\n")),
        (COMMIT, COMMIT.replace("session.commit()", "session.commit()  # done")),
        (SWALLOWED, SWALLOWED.replace("pass", "print(row)")),
    ],
    ids=[
        *("lines above", "lines between", "quotes", "prefix", "wrapped", "wrapped to the left", "parentheses"),
        *("tabs", "line ends", "comment", "body"),
    ],
)  # fmt: skip
def test_what_it_survives(before: str, after: str) -> None:
    """Moved lines, what a formatter does, a comment, the body below the head that a finding is about."""
    assert (len(marks(before)), before == after) == (1, False)
    assert marks(after) == marks(before)


def test_a_file_may_be_renamed() -> None:
    """The name of the file is no part of it."""
    assert marks(LEAK, "elsewhere.py") == marks(LEAK)


@pytest.mark.parametrize(
    "after",
    [LEAK.replace("count", "number"), LEAK.replace("'b': 2", "'b': 3"), COMMIT],
    ids=["another function", "another call", "another rule"],
)
def test_what_it_tells_apart(after: str) -> None:
    """Another function, other code, another rule."""
    assert len({*marks(LEAK), *marks(after)}) == 2


def test_places_that_cannot_be_read() -> None:
    """A file that is gone, a place behind its end and code that is none still give a mark each time the same."""
    source = Source("job.py", LEAK)
    (finding,) = lint_source(source, Settings(cache=False, whole_project=False))
    far = replace(finding, location=replace(finding.location, row=99), end_location=replace(finding.location, row=99))
    broken = Source("job.py", LEAK.replace("SessionLocal(info", "Session)Local(info"))
    found = [fingerprint(finding, None), fingerprint(far, source), fingerprint(finding, broken)]
    assert [len(mark) for mark in found] == [16, 16, 16]
    assert found == [fingerprint(finding, None), fingerprint(far, source), fingerprint(finding, broken)]
