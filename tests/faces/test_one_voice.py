"""The command and flake8 say the same of a project, in whatever number of processes and from whichever folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import session_lint
from tests.faces.test_plugin import LOCAL
from tests.forked import LINTERS, module
from tests.program.test_programs import PROGRAMS

HERE = Path(session_lint.__file__).parents[1]
FLAKE8 = ("flake8", "--select=SES", "--format=%(path)s\t%(row)d\t%(col)d\t%(code)s")
CHECK = ("session_lint", "check", "--output-format=json")
SUBFOLDER = "sales/web"

Told = list[tuple[str, int, int, str]]
"""File, from the root; row, column, and code."""

FILES = {
    "setup.cfg": LOCAL,
    "pyproject.toml": "",
    "sales/__init__.py": "",
    "sales/store/__init__.py": "from sales.store.sessions import Opened, unit, current, end\n",
    "sales/store/sessions.py": """
from contextlib import contextmanager
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

Opened = sessionmaker(create_engine("sqlite://"))
_session = None


@contextmanager
def unit():
    session = Opened()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()


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
    "sales/prices.py": """
def raise_all(session, rows):
    for row in rows:
        session.merge(row)
    session.commit()
""",
    "sales/web/__init__.py": "",
    "sales/web/orders.py": """
from sales.store import Opened, unit
from ..prices import raise_all


def count(statement):
    session = Opened()
    return session.execute(statement).scalar()


def change(rows):
    with unit() as session:
        raise_all(session, rows)
        session.flush()
""",
    "sales/nightly.py": """
from sales.store import current


def main():
    current().execute("DELETE FROM carts")


if __name__ == "__main__":
    main()
""",
}
EXPECTED = [("sales/nightly.py", "SES201"), ("sales/nightly.py", "SES203"), ("sales/prices.py", "SES301"),
            ("sales/web/orders.py", "SES101")]  # fmt: skip


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    """What a program prints in a folder; it has nothing to complain about."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    done = module(*arguments, imported=LINTERS, cwd=folder, environment=environment)
    assert (done.stderr, done.returncode in (0, 1)) == (b"", True)
    return done.stdout.decode()


def flake8(root: Path, folder: str = "", *arguments: str) -> Told:
    """What flake8 says in a folder of a project."""
    lines = [line.split("\t") for line in run(root / folder, *FLAKE8, *arguments, ".").splitlines()]
    return sorted(
        (os.path.normpath(Path(folder, path)), int(row), int(column), code) for path, row, column, code in lines
    )


def check(root: Path, folder: str = "", *arguments: str) -> Told:
    """What the command says in a folder of a project."""
    found = json.loads(run(root / folder, *CHECK, *arguments, "."))
    return sorted(
        (
            os.path.relpath(Path(root, folder, one["filename"]).resolve(), root.resolve()),
            one["location"]["row"],
            one["location"]["column"],
            one["code"],
        )
        for one in found
    )


def every_voice(root: Path, folder: str) -> dict[str, Told]:
    """What is said in a folder, by how it was asked."""
    return {
        "flake8 -j1": flake8(root, folder, "-j1"),
        "flake8 -j2": flake8(root, folder, "-j2"),
        "check without a cache": check(root, folder, "--no-cache"),
        "check in two processes": check(root, folder, "--no-cache", "--jobs=2"),
        "check, filling a cache": check(root, folder),
        "check, with a warm cache": check(root, folder),
        "flake8 with a warm cache": flake8(root, folder, "-j1"),
    }


def test_a_project_is_told_the_same(project: Path) -> None:
    """Each file but that of the factory is told something that another file makes true."""
    voices = every_voice(project, "")
    assert [(path, code) for path, _, _, code in voices["flake8 -j1"]] == EXPECTED
    assert voices == dict.fromkeys(voices, voices["flake8 -j1"])


def test_a_subfolder_is_told_what_the_project_was_told_of_it(project: Path) -> None:
    """The project is that of the files, not that of the folder one happens to stand in."""
    expected = [told for told in check(project, "", "--no-cache") if told[0].startswith(SUBFOLDER)]
    assert [(path, code) for path, _, _, code in expected] == EXPECTED[3:]
    voices = every_voice(project, SUBFOLDER)
    assert voices == dict.fromkeys(voices, expected)


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    """All programs of several files at once, each a project of its own; what cannot be parsed is E999 in flake8."""
    for number, program in enumerate(PROGRAMS):
        for name, text in {**program.files, "pyproject.toml": ""}.items():
            path = tmp_path / f"p{number}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    (tmp_path / "setup.cfg").write_text(LOCAL)
    told = [one for one in check(tmp_path, "", "--no-cache", "--jobs=2") if one[3] != "SES900"]
    assert len(told) > len(PROGRAMS) / 2
    assert told == flake8(tmp_path, "", "-j2")
