"""What people install: the wheel in a fresh environment, the flake8 plugin, the pre-commit hooks."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import session_lint
from tests.faces.test_notebooks import notebook

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTION = f"session_lint-{session_lint.__version__}.dist-info"

LEAK = """\
from database.session import SessionLocal


def save(order):
    session = SessionLocal()
    session.add(order)
    session.commit()
    session.close()
"""

MENDED = """\
from database.session import scoped_session


def save(order):
    with scoped_session() as session:
        session.add(order)
"""

# Runs flake8 in this process, then says what of the heavy or unrelated libraries was imported by it.
WATCHED = """
import sys
from flake8.main.cli import main
status = main(["--isolated", "-j1", "--select", "SES", "leak.py"])
print(status, sorted({"click", "libcst", "rich", "sqlalchemy"} & set(sys.modules)))
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program without this project's own environment variables."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**inherited, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(name="wheel", scope="module")
def _wheel(wheels: Path) -> Path:
    """The wheel, built from this tree."""
    (wheel,) = wheels.glob("*.whl")
    return wheel


@pytest.fixture(name="installed", scope="module")
def _installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a fresh environment with the wheel and flake8 in it, without SQLAlchemy."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = (sys.executable, "-m", "pip", "--python", binaries / "python")
    installed = run(*pip, "install", "--quiet", "--no-compile", f"{wheel}[flake8]", cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return binaries


@pytest.fixture(name="leak")
def _leak(tmp_path: Path) -> Path:
    """A folder with one file that has one fault."""
    (tmp_path / "leak.py").write_text(LEAK, "utf-8")
    return tmp_path


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """No top-level ``database``, no tests; the tables, the page, the type marker and the reference module are there."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.startswith(DISTRIBUTION)}
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "session_lint").rglob("*")
        if path.is_file() and path.suffix in {".css", ".html", ".js", ".json", ".py", ".toml", ".typed"}
    }
    reference = {f"session_lint/reference/database/{path.name}" for path in (ROOT / "database").glob("*.py")}
    assert names == package | reference


def test_the_wheel_declares_its_commands(wheel: Path) -> None:
    """One command, one flake8 extension, one plugin for pytest."""
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    with zipfile.ZipFile(wheel) as archive:
        parser.read_string(archive.read(f"{DISTRIBUTION}/entry_points.txt").decode())
        assert f"{DISTRIBUTION}/licenses/LICENSE" in archive.namelist()
    assert {section: dict(parser[section]) for section in parser.sections()} == {
        "console_scripts": {"session-lint": "session_lint.__main__:script"},
        "flake8.extension": {"SES": "session_lint.plugin:Plugin"},
        "pytest11": {"session-lint": "session_lint.pytest_plugin"},
    }


def test_no_package_database_is_installed(installed: Path, tmp_path: Path) -> None:
    """The name stays free for people's own."""
    tried = run(installed / "python", "-c", "import database", cwd=tmp_path)
    assert "ModuleNotFoundError: No module named 'database'" in tried.stderr


def test_the_reference_module_can_be_read(installed: Path, tmp_path: Path) -> None:
    """As text, where the package is installed."""
    read = "import importlib.resources as r; f = r.files('session_lint') / 'reference/database/session.py'"
    shown = run(installed / "python", "-c", f"{read}; print(f.read_text('utf-8'), end='')", cwd=tmp_path)
    assert shown.stdout == (ROOT / "database" / "session.py").read_text("utf-8")


def test_the_command_works(installed: Path, leak: Path) -> None:
    """It needs no SQLAlchemy."""
    checked = run(installed / "session-lint", "check", "--no-cache", "leak.py", cwd=leak)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "leak.py:5:15" in checked.stdout
    assert "SES102" in checked.stdout


def test_the_plugin_works_and_imports_little(installed: Path, leak: Path) -> None:
    """A finding costs flake8 neither libcst nor a command-line library."""
    watched = run(installed / "python", "-c", WATCHED, cwd=leak)
    lines = watched.stdout.splitlines()
    assert (watched.stderr, len(lines), lines[-1]) == ("", 2, "1 []")
    assert lines[0].startswith("leak.py:5:15: SES102 ")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="pre-commit installs hooks from a git repository")
def test_the_hooks_run_on_a_scratch_repository(leak: Path) -> None:
    """``pre-commit try-repo``: the first hook reports, the second one mends, the third one looks at all files."""
    (leak / "work.ipynb").write_bytes(notebook(LEAK))
    run("git", "init", "--quiet", cwd=leak)
    run("git", "add", "leak.py", "work.ipynb", cwd=leak)
    home = str(leak / ".pre-commit")
    tried = run(
        sys.executable,
        "-m",
        "pre_commit",
        "try-repo",
        ROOT,
        "--all-files",
        "--color",
        "never",
        cwd=leak,
        PRE_COMMIT_HOME=home,
        PIP_NO_COMPILE="1",
    )
    verdicts = [line for line in tried.stdout.splitlines() if line.endswith(("Passed", "Failed"))]
    assert [(line.split(".")[0], line.rsplit(".")[-1]) for line in verdicts] == [
        ("session-lint", "Failed"),
        ("session-lint fix", "Failed"),
        ("session-lint (whole project)", "Failed"),
    ], tried.stdout + tried.stderr
    first, _, third = (part.count("work.ipynb:cell 1:") for part in re.split("session-lint.*Failed", tried.stdout)[1:])
    assert (first, third, "leak.py:" in tried.stdout.rpartition("Failed")[2]) == (1, 1, False)
    assert (leak / "leak.py").read_text("utf-8") == MENDED
