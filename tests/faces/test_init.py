"""``session-lint init``: the reference module goes into a project, and over nobody's file."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import session_lint
from session_lint.cli.commands import command

FILES = sorted(path.name for path in (Path(__file__).parents[2] / "database").glob("*.py"))
USE = """
from {name} import scoped_session
from {name}.session import SessionLocal
from sqlalchemy import text

with scoped_session() as session:
    session.execute(text("create table t (x int)"))
    session.execute(text("insert into t values (7)"))
with scoped_session() as session:
    print(session.execute(text("select x from t")).scalar())
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output."""
    result = CliRunner().invoke(command, ["init", *arguments])
    return result.exit_code, result.output


@pytest.mark.parametrize("name", ["database", "storage"])
def test_a_project_without_one(name: str) -> None:
    """It works there, on SQLite, under whatever name, and is clean."""
    code, output = run("--name", name)
    assert code == 0, output
    assert sorted(path.name for path in Path(name).iterdir()) == FILES
    assert f"from {name} import scoped_session" in output
    environment = {"DATABASE_URL": "sqlite:///shop.db", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", USE.format(name=name)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "7\n", done.stderr
    assert CliRunner().invoke(command, ["check", "--no-cache", "."]).exit_code == 0
    texts = [path.read_text() for path in Path(name).glob("*.py")]
    assert name == "database" or not any("database.session" in text for text in texts)


def test_twice() -> None:
    """The second time it says that it is there."""
    run()
    before = Path("database/session.py").stat().st_mtime_ns
    assert run() == (0, "database is there already, and is the same\n")
    assert Path("database/session.py").stat().st_mtime_ns == before


def test_what_is_missing_comes_back() -> None:
    """Half of it is completed."""
    run()
    Path("database/flask.py").unlink()
    assert run()[0] == 0
    assert sorted(path.name for path in Path("database").iterdir()) == FILES


def test_nobodys_file_is_overwritten() -> None:
    """Where one differs, none is written."""
    Path("database").mkdir()
    Path("database/session.py").write_text("mine = 1\n")
    code, output = run()
    assert code == 2
    assert "database/session.py: is there already" in output
    assert [path.name for path in Path("database").iterdir()] == ["session.py"]
    assert Path("database/session.py").read_text() == "mine = 1\n"


def test_diff_writes_nothing() -> None:
    """A patch that makes the same files."""
    code, output = run("--diff")
    assert code == 0
    assert not Path("database").exists()
    subprocess.run(["git", "apply", "-"], input=output, text=True, check=True)
    assert sorted(path.name for path in Path("database").iterdir()) == FILES
    assert run() == (0, "database is there already, and is the same\n")


def older(path: Path) -> None:
    """Make of a copy one of another version, which nobody has changed."""
    _, _, body = path.read_bytes().partition(b"\n")
    body = body.replace(b"def ", b"def  ")
    digest = hashlib.sha256(body).hexdigest()[:12]
    path.write_bytes(f"# session-lint 0.0.1: copied as it is ({digest})\n".encode() + body)


def test_every_file_says_its_version() -> None:
    """In its first line."""
    run()
    first = {path.read_text().split(": ")[0] for path in Path("database").iterdir()}
    assert first == {f"# session-lint {session_lint.__version__}"}


def test_a_copy_of_another_version_is_replaced() -> None:
    """Where nobody changed it."""
    run()
    new = Path("database/session.py").read_bytes()
    older(Path("database/session.py"))
    assert run()[0] == 0
    assert Path("database/session.py").read_bytes() == new


@pytest.mark.parametrize("arguments", [[], ["--diff"]])
def test_a_copy_that_was_changed_stays(arguments: list[str]) -> None:
    """And so does everything else, unless it is asked for."""
    run()
    for name in ("session.py", "flask.py"):
        older(Path("database") / name)
    path = Path("database/session.py")
    path.write_bytes(path.read_bytes() + b"mine = 1\n")
    before = {path: path.read_bytes() for path in Path("database").iterdir()}
    code, output = run(*arguments)
    assert (code, "database/session.py: is there already" in output, "flask" in output) == (2, True, False)
    assert {path: path.read_bytes() for path in Path("database").iterdir()} == before
    assert run("--force")[0] == 0
    assert b"mine = 1" not in path.read_bytes()
    assert run() == (0, "database is there already, and is the same\n")


USES = """
from flask import Flask

from {name} import SessionLocal, get_session, scoped_session

app = Flask(__name__)


def leak(order):
    session = SessionLocal()
    session.add(order)
    session.commit()
    session.close()


def twice(order):
    with scoped_session() as session:
        session.add(order)
        session.commit()


@app.route("/")
def page():
    return str(get_session().connection())


def lost():
    get_session().connection()


if __name__ == "__main__":
    lost()
"""


@pytest.mark.parametrize("name", ["database", "storage"])
def test_the_linter_knows_a_copy_by_its_content(name: str) -> None:
    """Under whatever name; and the fix uses the copy's own scope."""
    run("--name", name)
    Path("app.py").write_text(USES.format(name=name))
    result = CliRunner().invoke(command, ["check", "--no-cache", "--output-format", "json", "--ignore", "SES401", "."])
    found = [(finding["code"], finding["location"]["row"]) for finding in json.loads(result.output)]
    assert found == [("SES102", 10), ("SES301", 19), ("SES501", 24), ("SES201", 28)]
    CliRunner().invoke(command, ["fix", "--no-cache", "--select", "SES102", "app.py"])
    assert "    with scoped_session() as session:\n        session.add(order)\n\n\n" in Path("app.py").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nowhere"], "nowhere"), (["--name", "a b"], "a b"), (["--name", "if"], "if")]
)
def test_mistakes(arguments: list[str], said: str) -> None:
    """A clear error, and nothing written."""
    code, output = run(*arguments)
    assert code == 2
    assert said in output
    assert [path.name for path in Path().iterdir()] == ["pyproject.toml"]


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the file, and no half of it is left."""

    def full(*_: object, **__: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("session_lint.writing.tempfile.mkstemp", full)
    result = CliRunner().invoke(command, ["init"])
    assert "No space left on device" in str(result.exception)
    assert "__init__.py" in str(result.exception)
    assert list(Path("database").iterdir()) == []
