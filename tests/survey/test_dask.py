"""Surveys on a real scheduler whose workers are processes of their own, and are killed in the middle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from session_lint import __version__
from session_lint.survey import work
from tests.faces.inside import CLEAN, LEAK, said
from tests.survey.fleet import FLEET, NUMBER, checked, rows, write
from tests.survey.workers import ROOT, TRACE, WATCHED, Dask, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes that are killed")

FILES = "SELECT count(*), count(DISTINCT path) FROM files"
HELD = {"held": {"setup.py": "", "a.py": LEAK, "held.py": LEAK}}


@pytest.fixture(name="dask", scope="module")
def _dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    with running(tmp_path_factory.mktemp("dask")) as dask:
        yield dask


def words(folder: Path, *arguments: str) -> list[str]:
    """A survey of a folder, which leaves results and a report beside it."""
    return ["survey", str(folder), "--output", f"{folder}.sqlite3", "--report", f"json:{folder}.json", *arguments]


def begun(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A survey that is under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "session_lint", *words(folder, *arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def found(folder: Path) -> list[dict[str, Any]]:
    """The findings of a survey, as `check` writes them."""
    told: list[dict[str, Any]] = json.loads(Path(f"{folder}.json").read_text("utf-8"))
    return told


def loses_nothing(run: subprocess.Popen[str], folder: Path, dask: Dask, capsys: pytest.CaptureFixture[str]) -> None:
    """Kill the worker that is in the middle of a file: the survey is whole, and each file is there once."""
    held = folder / "held" / "held.py"
    os.kill(dask.worker_at(held), signal.SIGKILL)
    held.with_name("go").touch()
    _, errors = run.communicate(timeout=300)
    assert (1, "") == (run.returncode, errors)
    assert [(NUMBER + 3, NUMBER + 3)] == rows(Path(f"{folder}.sqlite3"), FILES)
    assert checked(capsys, folder, {**FLEET, **HELD}) == found(folder)


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path, dask: Dask, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, **HELD})
    run = begun(folder, "--scheduler", dask.address)
    loses_nothing(run, folder, dask, capsys)
    assert 2 == len({pid for pid, name in dask.traced() if name == folder / "held" / "held.py"})


def test_a_file_that_kills_workers_is_named_and_hides_no_other(
    tmp_path: Path, dask: Dask, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, "deadly": {"setup.py": "", "a.py": LEAK, "deadly.py": LEAK}})
    done = said(capsys, *words(folder, "--scheduler", dask.address))
    assert (1, "") == (done.code, done.err)
    assert "2 files could not be analysed" in done.out
    assert [(NUMBER + 3, NUMBER + 3)] == rows(Path(f"{folder}.sqlite3"), FILES)
    told = [one for one in found(folder) if "deadly" in one["filename"]]
    assert ["SES101", "SES900"] == [one["code"] for one in told]
    assert "file not analysed: internal error: the process that analysed it has died" == told[1]["message"]
    assert checked(capsys, folder) == [one for one in found(folder) if one not in told]


def test_an_interrupted_survey_goes_on_where_it_stopped(
    tmp_path: Path, dask: Dask, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, **HELD, "zoo": {"setup.py": "", "z.py": CLEAN}})
    run = begun(folder, "--scheduler", dask.address)
    held = folder / "held" / "held.py"
    dask.worker_at(held)
    dask.worker_at(folder / "zoo" / "z.py")
    os.killpg(run.pid, signal.SIGINT)
    out, errors = run.communicate(timeout=300)
    assert (130, "") == (run.returncode, out)
    assert " projects done so far, the same command goes on from there\n" == errors[-59:]
    done = {name for (name,) in rows(Path(f"{folder}.sqlite3"), "SELECT path FROM files")}
    assert done
    before = len(dask.traced())
    held.with_name("go").touch()
    assert 1 == said(capsys, *words(folder, "--scheduler", dask.address)).code
    assert set() == done & {str(name) for _, name in dask.traced()[before:]}
    assert [(NUMBER + 5, NUMBER + 5)] == rows(Path(f"{folder}.sqlite3"), FILES)


def test_workers_must_be_the_same_tool(
    tmp_path: Path, dask: Dask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "fleet", HELD)
    monkeypatch.setattr(work, "__version__", "0.0.1")
    done = said(capsys, *words(folder, "--scheduler", dask.address))
    assert (2, "") == (done.code, done.out)
    assert " cannot do this survey: it has session-lint " in done.err
    assert ", and this is session-lint 0.0.1 on Python " in done.err


def test_a_worker_without_it_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = tmp_path / "without.py"
    without.write_text("import sys\nsys.modules['session_lint'] = None\n")
    with running(tmp_path, workers=1, preload=without) as dask:
        done = said(capsys, *words(write(tmp_path / "fleet", HELD), "--scheduler", dask.address))
    told = f"cannot do this survey: it has no session-lint {__version__}: install it there\n"
    assert (2, "", told) == (done.code, done.out, done.err[-len(told) :])


def test_the_scheduler_may_end_before_the_survey(tmp_path: Path) -> None:
    folder = write(tmp_path / "fleet", HELD)
    with running(tmp_path, workers=1) as dask:
        run = begun(folder, "--scheduler", dask.address)
        dask.worker_at(folder / "held" / "held.py")
    _, errors = run.communicate(timeout=300)
    left = "0 projects done so far, the same command goes on from there"
    assert (2, f"session-lint: the scheduler is gone; {left}\n") == (run.returncode, errors)


def test_own_workers_are_started_and_one_of_them_is_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "fleet", {**FLEET, **HELD})
    dask = Dask("", tmp_path / "trace")
    monkeypatch.setenv(TRACE, str(dask.trace))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", str(WATCHED))
    run = begun(folder, "--workers", "2")
    loses_nothing(run, folder, dask, capsys)
