"""A survey on a real scheduler with workers of its own, which are killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faces.inside import CLEAN, LEAK
from tests.survey.workers import Dask, running
from tests.survey.fleet import FLEET, NUMBER, checked, rows, write

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes that are killed")

FILES = "SELECT count(*), count(DISTINCT path) FROM files"
HELD = {"held": {"setup.py": "", "a.py": LEAK, "held.py": LEAK}}


@pytest.fixture(name="dask", scope="module")
def _dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    with running(tmp_path_factory.mktemp("dask")) as dask:
        yield dask


def command(folder: Path, *arguments: str) -> list[str]:
    """The command line of a survey of a folder, which leaves results and a report beside it."""
    reports = ("--output", f"{folder}.sqlite3", "--report", f"json:{folder}.json")
    return [sys.executable, "-m", "session_lint", "survey", str(folder), *reports, *arguments]


def surveyed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A survey of a folder, to its end."""
    return subprocess.run(command(folder, *arguments), capture_output=True, text=True, check=False, timeout=120)


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A survey that is under way."""
    return subprocess.Popen(
        command(folder, *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def found(folder: Path) -> list[dict[str, object]]:
    """The findings of a survey, as `check` writes them."""
    told: list[dict[str, object]] = json.loads(Path(f"{folder}.json").read_text("utf-8"))
    return told


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path, dask: Dask) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, **HELD})
    run = begun(folder, "--scheduler", dask.address)
    held = folder / "held" / "held.py"
    first = dask.worker_at(held)
    os.kill(first, signal.SIGKILL)
    held.with_name("go").touch()
    _, errors = run.communicate(timeout=120)
    assert (1, "") == (run.returncode, errors)
    assert [(NUMBER + 3, NUMBER + 3)] == rows(Path(f"{folder}.sqlite3"), FILES)
    assert checked(folder, {**FLEET, **HELD}) == found(folder)
    assert 2 == len({pid for pid, name in dask.traced() if name == held})


def test_a_file_that_kills_workers_is_named_and_hides_no_other(tmp_path: Path, dask: Dask) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, "deadly": {"setup.py": "", "a.py": LEAK, "deadly.py": LEAK}})
    done = surveyed(folder, "--scheduler", dask.address)
    assert (1, "") == (done.returncode, done.stderr)
    assert [(NUMBER + 3, NUMBER + 3)] == rows(Path(f"{folder}.sqlite3"), FILES)
    told = [one for one in found(folder) if "deadly" in str(one["filename"])]
    assert ["SES101", "SES900"] == [one["code"] for one in told]
    assert "file not analysed: internal error: the process that analysed it has died" == told[1]["message"]
    assert checked(folder) == [one for one in found(folder) if one not in told]
    assert "2 files could not be analysed" in done.stdout


def test_an_interrupted_survey_goes_on_where_it_stopped(tmp_path: Path, dask: Dask) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, **HELD, "zoo": {"setup.py": "", "z.py": CLEAN}})
    run = begun(folder, "--scheduler", dask.address)
    held = folder / "held" / "held.py"
    dask.worker_at(held)
    dask.worker_at(folder / "zoo" / "z.py")
    os.killpg(run.pid, signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert 130 == run.returncode
    assert "interrupted; " in errors
    assert "the same command goes on from there" in errors
    before = len(dask.traced())
    held.with_name("go").touch()
    assert 1 == surveyed(folder, "--scheduler", dask.address).returncode
    assert {folder / "held" / name for name in ("a.py", "held.py", "setup.py")} >= {
        name for _, name in dask.traced()[before:] if name.parts[-2] in ("held", "api", "shop")
    }
    assert [(NUMBER + 5, NUMBER + 5)] == rows(Path(f"{folder}.sqlite3"), FILES)


def test_the_scheduler_may_end_before_the_survey(tmp_path: Path) -> None:
    folder = write(tmp_path / "fleet", HELD)
    with running(tmp_path, workers=1) as dask:
        run = begun(folder, "--scheduler", dask.address)
        dask.worker_at(folder / "held" / "held.py")
    _, errors = run.communicate(timeout=60)
    assert (
        2,
        "session-lint: the scheduler is gone; 0 projects done so far, the same command goes on from there\n",
    ) == (
        run.returncode,
        errors,
    )


def test_workers_must_be_the_same_tool(tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("from session_lint.survey import work\nwork.__version__ = '0.0.1'\n")
    folder = write(tmp_path / "fleet", HELD)
    with running(tmp_path, workers=1, preload=other) as dask:
        done = surveyed(folder, "--scheduler", dask.address)
        unseen = surveyed(write(tmp_path / "gone", HELD), "--scheduler", dask.address)
    assert (2, "") == (done.returncode, done.stdout)
    assert "cannot do this survey: it has session-lint 0.0.1 on Python " in done.stderr
    assert 2 == unseen.returncode


def test_own_workers_are_started_and_one_of_them_killed(tmp_path: Path) -> None:
    many = {f"many{number}": {"setup.py": "", **{f"m{i}.py": LEAK for i in range(40)}} for number in range(4)}
    folder = write(tmp_path / "fleet", {**FLEET, **many})
    run = begun(folder, "--workers", "2")
    workers: list[int] = []
    while len(workers) < 2:
        assert run.poll() is None
        workers = children(run.pid)
    os.kill(workers[0], signal.SIGKILL)
    _, errors = run.communicate(timeout=120)
    assert (1, "") == (run.returncode, errors)
    assert [(NUMBER + 164, NUMBER + 164)] == rows(Path(f"{folder}.sqlite3"), FILES)
    assert checked(folder, {**FLEET, **many}) == found(folder)


def children(pid: int) -> list[int]:
    """The worker processes of a survey."""
    listed = subprocess.run(["ps", "-ef"], capture_output=True, text=True, check=True).stdout
    rows_ = [line.split(None, 7) for line in listed.splitlines()[1:]]
    return [int(row[1]) for row in rows_ if row[2] == str(pid) and "spawn_main" in row[7]]
