"""``session-lint vocabulary``: what is known of a project's own definitions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.forked import session_lint

FILES = {
    "app/__init__.py": "",
    "app/db.py": """from contextlib import contextmanager

from sqlalchemy.orm import Session, scoped_session, sessionmaker

Opened = sessionmaker()
registry = scoped_session(Opened)
_session = None


class Own(Session):
    pass


def get_db():
    session = Opened()
    try:
        yield session
    finally:
        session.close()


def get_db_badly():
    session = Opened()
    yield session
    session.close()


@contextmanager
def unit():
    with Opened.begin() as session:
        yield session


def current():
    global _session
    if _session is None:
        _session = Opened()
    return _session


def end():
    global _session
    if _session is not None:
        _session.close()
        _session = None
""",
    "app/users.py": """from app.db import Opened


def opened():
    return Opened()


class Users:
    def __init__(self):
        self.session = opened()


class Shelf:
    def __init__(self):
        self.opened = Opened()
        self.factory = Opened

    def close(self):
        self.opened.close()


class Lent:
    def __enter__(self):
        self._lent = opened()
        return self._lent

    def __exit__(self, *_):
        self._lent.close()
""",
    "app/plain.py": "def add(a, b):\n    return a + b\n",
}
TEXT = """app/db.py
   5  Opened        factory     stands for sqlalchemy.orm.sessionmaker()
   6  registry      registry    stands for sqlalchemy.orm.scoped_session()
  10  Own           factory     its bases are sessions
  14  get_db        dependency  yields a session; does not commit, closes it
  22  get_db_badly  dependency  yields a session; does not commit, closes it, but not when something raises
  29  unit          scope       yields a session; commits at its end, closes it
  34  current       singleton   keeps one session for the process, in app.db._session
  41  end           closer      closes the session in app.db._session

app/users.py
   4  opened         opener   returns a session that its caller has to close
   8  Users          owner    keeps a session in self.session, which nothing closes
  13  Shelf          owner    keeps a session in self.opened, which something closes, or may
  16  Shelf.factory  factory  stands for sqlalchemy.orm.sessionmaker()
  22  Lent           owner    keeps a session in self._lent, which something closes, or may
  22  Lent           scope    gives a session when it is entered; does not commit, closes it
"""
SETTINGS = """[tool.session-lint.vocabulary.names]
"company.db.work" = { role = "scope", commits = true }
"company.db.make" = { role = "factory" }

[tool.session-lint.vocabulary.aliases]
"old.company" = "company"
"""
SAID = """
said by the settings
  company.db.make  factory
  company.db.work  scope, commits
  old.company      another name for company
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"pyproject.toml": "", **FILES}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def vocabulary(*arguments: str) -> tuple[int, str, str]:
    """Run the command: its exit code, what it prints, what it complains about."""
    done = session_lint("vocabulary", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_all_that_is_defined() -> None:
    """Each definition with its line, its role, and what that rests on; files without any are left out."""
    assert vocabulary() == (0, TEXT, "")


def test_one_file() -> None:
    """The other files of the project are still read."""
    assert vocabulary("app/users.py") == (0, TEXT.partition("\n\n")[2], "")


def test_a_file_by_itself() -> None:
    """What is imported means nothing then."""
    assert vocabulary("--no-project", "app/users.py") == (
        0,
        "Nothing is defined here that has to do with sessions\n",
        "",
    )


def test_nothing_is_defined() -> None:
    """That is said, and is no failure."""
    assert vocabulary("app/plain.py") == (0, "Nothing is defined here that has to do with sessions\n", "")


def test_what_the_settings_say() -> None:
    """It stands at the end, by name."""
    Path("pyproject.toml").write_text(SETTINGS)
    assert vocabulary() == (0, TEXT + SAID, "")


def test_json() -> None:
    """The same for machines."""
    Path("pyproject.toml").write_text(SETTINGS)
    code, text, complaints = vocabulary("--output-format", "json", "app/db.py")
    found = json.loads(text)
    assert (code, len(found), complaints) == (0, 11, "")
    assert found[0] == {
        "filename": str(Path("app/db.py").absolute()),
        "row": 5,
        "name": "Opened",
        "role": "factory",
        "known": "stands for sqlalchemy.orm.sessionmaker()",
    }
    assert found[-2] == {
        "filename": None,
        "row": None,
        "name": "company.db.work",
        "role": "scope",
        "known": "said by the settings",
    }


def test_json_of_nothing() -> None:
    """An empty list."""
    assert vocabulary("--output-format", "json", "app/plain.py") == (0, "[]\n", "")


def test_a_file_that_cannot_be_read_hides_no_other() -> None:
    """Its name, the line and the reason; the exit code says that something is missing."""
    Path("app/broken.py").write_text("from sqlalchemy.orm import Session\ndef opened(:\n")
    code, text, complaints = vocabulary("app")
    assert (code, text) == (2, TEXT)
    assert complaints.startswith("session-lint: app/broken.py:2: ")
    assert complaints.count("\n") == 1


def test_a_path_that_is_not_there() -> None:
    """As ``check`` says it."""
    code, _, complaints = vocabulary("app/db.py", "nowhere")
    assert code == 2
    assert complaints.startswith("session-lint: nowhere: ")
