"""The plugin for pytest, in a pytest of its own."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.forked import module

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///it.db")
kept = []

def use(session):
    session.execute(text("select 1"))
    return session

"""

LEAKS = """
def test_held():
    kept.append(use(Session(engine)))

def test_forgotten():
    use(Session(engine))

def test_connection():
    kept.append(engine.connect())

def test_failing():
    session = use(Session(engine))
    assert session is None

@pytest.fixture
def leaking():
    return use(Session(engine))

def test_fixture(leaking):
    pass
"""

CLEAN = """
def test_closed():
    with Session(engine) as session:
        use(session)

def test_unused():
    Session(engine)

@pytest.fixture
def closing():
    session = Session(engine)
    yield session
    session.close()

def test_fixture(closing):
    use(closing)

@pytest.fixture(scope="module")
def shared():
    session = Session(engine)
    use(session)
    yield session
    session.close()

def test_first(shared):
    use(shared)

def test_second(shared):
    use(shared)
"""

GENERATOR = """
@pytest.fixture
def leaking():
    session = Session(engine)
    yield use(session)

def test_it(leaking):
    pass
"""

AFTERWARDS = """
def test_it():
    with sessionmaker(engine).begin() as session:
        use(session)
    kept.append(use(session))
"""

MISTAKE = """
def test_commit():
    with sessionmaker(engine).begin() as session:
        use(session).commit()
"""


def run(folder: Path, text: str, *arguments: str, **environment: str) -> tuple[dict[str, int], str]:
    """How many tests ended how, and the output."""
    (folder / "test_it.py").write_text(HEAD + text, "utf-8")
    ours = ("PYTEST_", "SESSION_", "CI", "BUILD_NUMBER")  # by the last two pytest tells everything twice
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = ("pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), *arguments)
    done = module(*command, imported=("pytest", "sqlalchemy.orm"), cwd=folder, environment={**kept, **environment})
    output = done.stdout.decode()
    last = output.strip().splitlines()[-1]
    counts = re.findall(r"(\d+) (passed|failed|error|warning)", last)
    return {word: int(number) for number, word in counts}, output


def test_what_is_left_open_fails(tmp_path: Path) -> None:
    """Each with the line that opened it, and with the code."""
    counts, output = run(tmp_path, LEAKS, "--session-guard")
    assert counts == {"passed": 4, "failed": 1, "error": 5}
    for line in ("kept.append(use(Session(engine)))", "kept.append(engine.connect())", "return use(Session(engine))"):
        assert f"    {line}\n" in output
    assert output.count("SES101 a session was not closed\n") == 3
    assert output.count("SES102 a session was not closed after an error\n") == 1
    assert output.count("a connection was not given back\n") == 1


def test_what_is_closed_in_time_passes(tmp_path: Path) -> None:
    """And what a fixture holds for several tests is its own affair."""
    assert run(tmp_path, CLEAN, "--session-guard")[0] == {"passed": 5}


@pytest.mark.parametrize(
    ("arguments", "settings", "environment", "on"),
    [
        ([], "", {}, False),
        ([], "", {"SESSION_GUARD": "0"}, False),
        ([], "", {"SESSION_GUARD": "1"}, True),
        ([], "session_guard = true", {}, True),
        ([], "session_guard = false", {}, False),
        (["--session-guard"], "", {}, True),
    ],
)
def test_it_is_off_until_it_is_asked_for(
    tmp_path: Path, arguments: list[str], settings: str, environment: dict[str, str], *, on: bool
) -> None:
    """By the command line, the settings or the environment."""
    (tmp_path / "pytest.ini").write_text(f"[pytest]\n{settings}\n", "utf-8")
    assert ("error" in run(tmp_path, LEAKS, *arguments, **environment)[0]) == on


def test_another_mistake_is_a_warning(tmp_path: Path) -> None:
    """Of the test that made it; or an error, for who wants that."""
    counts, output = run(tmp_path, MISTAKE, "--session-guard")
    assert counts == {"passed": 1, "warning": 1}
    assert "SES301 commit() in a scope that commits by itself" in output
    assert run(tmp_path, MISTAKE, "--session-guard", "-W", "error")[0] == {"passed": 1, "error": 1}


def test_a_fixture_that_closes_nothing(tmp_path: Path) -> None:
    """It is named, and not pytest, which has run it."""
    counts, output = run(tmp_path, GENERATOR, "--session-guard")
    assert counts == {"passed": 1, "error": 1}
    assert "    session = Session(engine)\n" in output
    assert "fixtures.py" not in output


def test_what_is_left_open_by_another_mistake_fails(tmp_path: Path) -> None:
    """The mistake is a warning, what it leaves is not."""
    assert run(tmp_path, AFTERWARDS, "--session-guard")[0] == {"passed": 1, "error": 1, "warning": 1}


def test_what_nobody_wants_to_hear(tmp_path: Path) -> None:
    """By the settings."""
    (tmp_path / "pytest.ini").write_text("[pytest]\nsession_guard_ignore = SES101 SES301\n", "utf-8")
    counts, _ = run(tmp_path, LEAKS + MISTAKE, "--session-guard")
    assert counts == {"passed": 5, "failed": 1, "error": 2}


def test_with_workers(tmp_path: Path) -> None:
    """The same with pytest-xdist."""
    counts, _ = run(tmp_path, LEAKS + MISTAKE, "--session-guard", "-n", "2")
    assert (counts["error"], counts["failed"], counts["warning"]) == (5, 1, 1)


def test_off_it_imports_nothing(tmp_path: Path) -> None:
    """Whoever has the linter installed for other reasons pays nothing."""
    text = "import sys\n\ndef test_it():\n    assert 'session_lint.guard' not in sys.modules\n"
    assert run(tmp_path, text)[0] == {"passed": 1}
