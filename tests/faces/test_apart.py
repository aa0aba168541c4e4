"""Work in a process that ends with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import as_completed
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint import engine, parallel
from session_lint.apart import POSSIBLE, apart
from session_lint.engine import FileReport, lint_paths
from session_lint.rules import catalogue
from session_lint.settings import Settings
from tests.faces.test_engine import LEAK, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from session_lint.analysis import ModuleFacts
    from session_lint.finding import Finding

pytestmark = pytest.mark.skipif(not POSSIBLE, reason="processes are not forked here")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()


def test_it_gives_what_the_work_gives_and_leaves_nothing_here() -> None:
    known: list[int] = []

    def work() -> tuple[int, list[int]]:
        known.append(1)
        return os.getpid(), known

    child, told = apart(work)
    assert (child != os.getpid(), told, known) == (True, [1], [])
    with pytest.raises(ProcessLookupError):  # it was waited for
        os.kill(child, 0)


def test_much_is_no_more_than_a_pipe_holds_at_a_time() -> None:
    assert len(apart(lambda: bytes(5_000_000))) == 5_000_000


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_death_is_told(number: signal.Signals) -> None:
    with pytest.raises(ChildProcessError, match="has died"):
        apart(lambda: os.kill(os.getpid(), number))


def test_so_is_an_error() -> None:
    with pytest.raises(ChildProcessError):
        apart(lambda: 1 // 0)


ENDED = """
import os, time
from session_lint.apart import apart

def work():
    print(os.getpid(), flush=True)
    time.sleep(60)

print("once", end=" ")
apart(work)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_process_that_waits_for_it(number: signal.Signals) -> None:
    """Which writes what it had to say once, not once more in the other one."""
    with subprocess.Popen([sys.executable, "-c", ENDED], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        once, child = run.stdout.readline().split()
        run.send_signal(number)
        assert (once, run.wait(10)) == ("once", -number)
    ended(int(child))


def ended(process: int) -> None:
    """A process is gone, or dead with nobody here to wait for it."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it goes on")


def projects(count: int) -> list[Path]:
    """The files of three projects, of which two have many."""
    paths = []
    for name, size in (("a", count), ("b", 3), ("c", count)):
        Path(name).mkdir()
        Path(name, "pyproject.toml").touch()
        for number in range(size):
            Path(name, f"f{number:03}.py").write_text(LEAK, "utf-8")
        paths += sorted(Path(name).glob("*.py"))
    return paths


def test_large_projects_are_linted_so_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reports are those of one process, and the next run finds all in the cache."""
    monkeypatch.setattr(parallel, "MANY", 4)
    paths = projects(5)

    def noted(work: Callable[[], object]) -> object:
        with Path("apart.txt").open("a") as note:
            note.write("once\n")
        return apart(work)

    monkeypatch.setattr(parallel, "apart", noted)
    alone = list(lint_paths(paths, PLAIN, jobs=1))
    assert alone == list(lint_paths(paths, PLAIN, jobs=2))
    assert Path("apart.txt").read_text() == "once\n" * 2
    list(lint_paths(paths, Settings(), jobs=2))
    assert [replace(report, cached=True) for report in alone] == list(lint_paths(paths, Settings(), jobs=2))


def test_a_file_that_kills_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "MANY", 4)
    rules, parent = catalogue(), os.getpid()

    def check(facts: ModuleFacts) -> list[Finding]:
        if facts.source.filename == "c/f003.py" and os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return list(rules["SES101"].check(facts))

    monkeypatch.setattr(engine, "catalogue", lambda: {"SES101": replace(rules["SES101"], check=check)})
    reports = list(lint_paths(projects(5), PLAIN, jobs=2))
    assert ["c/f003.py"] == [r.path for r in reports if r.findings[0].code == "SES900"]
    assert len(reports) == 13


KILLED = """
import os, signal, sys, time
from pathlib import Path
from session_lint import parallel
from session_lint.engine import FileReport, lint_paths
from session_lint.settings import Settings

def lint(share, work):
    with open("processes.txt", "a") as note:
        note.write(f"{os.getpid()} {os.getppid()}\\n")
    time.sleep(60)

parallel.MANY, parallel._lint = 4, lint
list(lint_paths(sorted(Path().glob("*/*.py")), Settings(cache=False), jobs=2))
"""


def test_no_process_of_a_run_that_is_killed_goes_on() -> None:
    projects(5)
    with subprocess.Popen([sys.executable, "-c", KILLED]) as run:
        note = Path("processes.txt")
        for _ in range(200):
            if note.exists() and note.read_text().count("\n") == 2:
                break
            time.sleep(0.05)
        run.kill()
    processes = {int(number) for number in note.read_text().split()} - {run.pid}
    assert len(processes) == 4  # two, and one of each that lints a large project
    for process in processes:
        ended(process)


def test_an_interruption_tells_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a project that is done, though one before it is not."""

    def lint(share: parallel.Share, work: parallel._Work) -> tuple[list[FileReport], dict[str, float]]:
        if share.project.name == "a":
            time.sleep(60)
        return [FileReport(str(path), ()) for path in share.paths], {}

    def interrupted(futures: list[Future[object]]) -> Iterator[Future[object]]:
        for number, done in enumerate(as_completed(futures)):
            yield done
            if number == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "_lint", lint)
    monkeypatch.setattr(parallel, "as_completed", interrupted)
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        told.extend(report.path for report in lint_paths(projects(5), PLAIN, jobs=2))  # as far as it gets
    assert told == [f"b/f{number:03}.py" for number in range(3)] + [f"c/f{number:03}.py" for number in range(5)]
