"""How the command ends: at once, with all that was asked of it done."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LEAK = """\
from database.session import SessionLocal


def count(query):
    session = SessionLocal()
    return session.execute(query)
"""
AROUND = """\
import atexit, os, sys, threading
atexit.register(print, "asked for at the end")
{before}
sys.argv = ["session-lint", "check", "--no-cache", "-q", "one.py"]
from session_lint.__main__ import script
taken, end = [], os._exit
os._exit = lambda code: (taken.append(code), sys.stdout.flush(), end(code))
try:
    script()
finally:
    print("not at once" if not taken else "at once")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own in a folder with a leak in it."""
    (folder / "pyproject.toml").touch()
    (folder / "one.py").write_text(LEAK, "utf-8")
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_the_report_and_the_status_are_there(tmp_path: Path) -> None:
    """Through a pipe, which is written to only at the end."""
    done = run(tmp_path, "-m", "session_lint", "check", "--output-format", "concise", "one.py")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("one.py:5:15: SES101")
    assert done.stdout.endswith("(1 file checked)\n")


def test_the_store_is_closed(tmp_path: Path) -> None:
    """So that SQLite leaves nothing beside it."""
    for _ in range(2):
        assert run(tmp_path, "-m", "session_lint", "check", "-q", "one.py").returncode == 1
        kept = sorted(path.name for path in (tmp_path / ".session_lint_cache").iterdir())
        assert kept == [".gitignore", "CACHEDIR.TAG", "findings.sqlite3"]


def test_what_others_asked_for_is_done(tmp_path: Path) -> None:
    """And nothing that Python would do beyond that."""
    done = run(tmp_path, "-c", AROUND.format(before=""))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == "asked for at the end"
    assert "at once" not in done.stdout


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("threading.Thread(target=lambda: __import__('time').sleep(3)).start()", id="a thread"),
        pytest.param("sys.settrace(lambda *_: None)", id="a debugger"),
        pytest.param("sys.setprofile(lambda *_: None)", id="a profiler"),
    ],
)
def test_somebody_who_goes_on_or_watches_is_left_alone(tmp_path: Path, before: str) -> None:
    """The process ends as any other does."""
    done = run(tmp_path, "-c", AROUND.format(before=before))
    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == ["not at once", "asked for at the end"]
