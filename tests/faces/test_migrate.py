"""``session-lint migrate``: the plan, what it writes, what it leaves and says so."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from session_lint.cli.commands import command
from session_lint.engine import forget
from tests.forked import DATABASES, module

ROOT = Path(__file__).parents[2]
HEAD = "from shop.db import Session\n\n\n"
DB = """from contextlib import contextmanager
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker

Session = sessionmaker(create_engine("sqlite://"))


@contextmanager
def work():
    session = Session()
    try:
        yield session
        session.commit()
    except Exception:
        session.rollback()
        raise
    finally:
        session.close()
"""
COMMITS = """def add(x):
    s = Session()
    try:
        s.add(x)
        s.commit()
    finally:
        s.close()
"""
SCOPED = """def add(x):
    with work() as s:
        s.add(x)
"""
READS = """def one(q):
    s = Session()
    try:
        return s.scalar(q)
    finally:
        s.close()
"""
READ = """def one(q):
    with Session() as s:
        return s.scalar(q)
"""
LEAKS = """def leak(q):
    s = Session()
    return s.scalars(q).all()
"""
GENERATES = """def each(q):
    s = Session()
    for x in s.scalars(q):
        yield x
    s.close()
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"pyproject.toml": "", "shop/__init__.py": "", "shop/db.py": DB}.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    forget()
    result = CliRunner().invoke(command, ["migrate", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


def test_all_forms_in_one_go() -> None:
    """The project's scope where the commit is the last thing, a `with` where nothing is committed."""
    Path("shop/jobs.py").write_text(f"{HEAD}{COMMITS}\n\n{READS}")
    code, output, _ = run()
    assert Path("shop/jobs.py").read_text() == f"from shop.db import Session, work\n\n\n{SCOPED}\n\n{READ}"
    assert output.splitlines()[0] == "2 sessions managed by hand in 1 file: 2 safe, 0 unsafe, 0 refused"
    assert "nothing is left to do by hand" in output
    assert code == 0
    assert Path("shop/db.py").read_text() == DB


def test_what_is_left_is_said() -> None:
    """In the plan, in both reports, and by the exit code; the file stays as it is."""
    Path("shop/jobs.py").write_text(f"{HEAD}{LEAKS}\n\n{GENERATES}")
    code, output, _ = run()
    assert code == 1
    assert "2 sessions managed by hand in 1 file: 0 safe, 1 unsafe, 1 refused" in output
    assert Path("shop/jobs.py").read_text() == f"{HEAD}{LEAKS}\n\n{GENERATES}"
    report = json.loads(Path("session-lint-migration.json").read_text())
    assert report["planned"] == {"safe": 0, "unsafe": 1, "refused": 1}
    assert [(site["symbol"], site["verdict"]) for site in report["left"]] == [("leak", "unsafe"), ("each", "refused")]
    assert all(site["reason"] for site in report["left"])
    told = Path("session-lint-migration.md").read_text()
    assert "line 5 in `leak`: unsafe: " in told
    assert "`each`: refused: the code is a generator" in told


def test_unsafe_ones_too() -> None:
    """When they are asked for."""
    Path("shop/jobs.py").write_text(f"{HEAD}{LEAKS}")
    assert run("--unsafe")[0] == 0
    assert "    with Session() as s:\n        return s.scalars(q).all()\n" in Path("shop/jobs.py").read_text()


def test_plan_and_diff_write_nothing() -> None:
    """The diff applies, and gives the same."""
    text = f"{HEAD}{COMMITS}"
    Path("shop/jobs.py").write_text(text)
    assert run("--dry-run")[0] == 0
    assert Path("shop/jobs.py").read_text() == text
    code, output, plan = run("--diff")
    assert code == 0
    assert "1 session managed by hand" in plan
    assert Path("shop/jobs.py").read_text() == text
    assert not list(Path().glob("*migration*"))
    subprocess.run(["git", "apply", "-"], input=output, text=True, check=True)
    assert SCOPED in Path("shop/jobs.py").read_text()
    assert run("--report", "")[1] == "no session is managed by hand\n"


def test_a_scope_to_aim_at() -> None:
    """Where the user says which."""
    Path("shop/scopes.py").write_text("from lib import committing\n\nunit = committing('shop')\n")
    Path("shop/jobs.py").write_text(f"{HEAD}{COMMITS}")
    assert run("--scope", "shop.scopes.unit", "--report", "")[0] == 0
    expected = f"from shop.db import Session\nfrom shop.scopes import unit\n\n\n{SCOPED.replace('work', 'unit')}"
    assert Path("shop/jobs.py").read_text() == expected


def test_bad_files_hide_no_others() -> None:
    """They are named, and the run fails; the others are rewritten."""
    Path("shop/broken.py").write_text("def f(:\n")
    Path("shop/jobs.py").write_text(f"{HEAD}{COMMITS}")
    code, _, errors = run("--report", "")
    assert code == 2
    assert "shop/broken.py" in errors
    assert SCOPED in Path("shop/jobs.py").read_text()
    assert run("nowhere.py")[0] == 2


def test_the_example_project_runs_as_before(tmp_path: Path) -> None:
    """Before and after, each of its programs prints the same, and nothing is left that leaks."""
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples" / "shop", folder / "shop")
    shutil.copytree(ROOT / "database", folder / "database", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text("")
    before = _printed(folder)
    code, output, _ = run(str(folder / "shop"), "--report", "")
    assert code == 0, output
    assert _printed(folder) == before
    forget()
    left = CliRunner().invoke(command, ["check", "--no-cache", "--select", "SES1,SES202", str(folder)])
    assert left.exit_code == 0, left.output


def _printed(folder: Path) -> list[tuple[int, bytes]]:
    """What the programs print that need no arguments of their own, on a fresh database."""
    (folder / "shop.db").unlink(missing_ok=True)
    programs = ["add_products", "checkout 1 2", "payments 1", "restock 100", "stock tea", "nightly_report"]
    found = []
    for program in programs:
        name, *arguments = program.split()
        given = {"DATABASE_URL": "sqlite:///shop.db", "PATH": ""}
        done = module(f"shop.{name}", *arguments, imported=DATABASES, cwd=folder, environment=given)
        found.append((done.returncode, done.stdout))
    return found
