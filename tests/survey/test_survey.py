"""What a survey keeps, does again and says, whatever it runs on; here that is threads."""

from __future__ import annotations

import json
import socket
import sqlite3
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import parquet

from session_lint.cli import survey as face
from session_lint.engine import lint_file
from session_lint.errors import UserError
from session_lint.survey import plans, work
from session_lint.survey.projects import projects
from session_lint.survey.results import Results
from tests.faces.inside import CLEAN, LEAK, Said, said
from tests.survey.fleet import NUMBER, checked, rows, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.engine import FileReport
    from session_lint.settings import Settings


@dataclass(frozen=True)
class Pool:
    """Workers that are threads, or processes."""

    executor: Executor
    lost: tuple[type[BaseException], ...] = (MemoryError,)

    def width(self) -> int:
        """Two for each of two."""
        return 4

    def check(self) -> None:
        """They are always there."""


@pytest.fixture(name="begun")
def _begun(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are linted, by threads in the place of a cluster."""
    seen: list[Path] = []

    @contextmanager
    def crew(scheduler: str | None, workers: int, folders: Sequence[str]) -> Iterator[Pool]:
        with ThreadPoolExecutor(2) as pool:
            yield Pool(pool)

    def lint(path: Path, settings: Settings, *, thorough: bool) -> FileReport:
        seen.append(path)
        if path.name == "poison.py":
            raise MemoryError
        return lint_file(path, settings, thorough=thorough)

    monkeypatch.setattr("session_lint.survey.cluster.crew", crew)
    monkeypatch.setattr(work, "lint_file", lint)
    return seen


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: list[Path]) -> Path:
    monkeypatch.chdir(tmp_path)
    return write(tmp_path / "fleet")


def survey(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    return said(capsys, "survey", *arguments)


def test_it_says_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Said(
        1,
        """\
project            files  lines  findings
fleet/api              3     14         2
fleet/torn             2      7         2
fleet/group/own        1      8         1
fleet/shop             4     14         1
fleet/group/clean      3      7         0

3  SES101  session-not-closed
2  SES102  session-not-closed-on-error
1  SES900  file-not-analysed

5 projects, 13 files, 50 lines, 6 findings; 1 file could not be analysed
results: session-lint-survey.sqlite3
""",
        "",
    ) == survey(capsys, "fleet")
    assert 0 == survey(capsys, "fleet", "--exit-zero").code
    assert 0 == survey(capsys, "fleet/group/clean").code


def test_findings_are_those_of_check_project_by_project(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey(capsys, "fleet")
    results = Results(Path(face.FILE))
    try:
        kept = results.findings()
    finally:
        results.close()
    expected = [(one["filename"], one["code"], one["location"]["row"]) for one in checked(capsys, folder)]
    assert expected == [(one.filename, one.code, one.location.row) for one in kept]


def test_the_results_are_a_database(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey(capsys, "fleet")
    by_code = "SELECT code, count(*) FROM findings WHERE severity = 'error' GROUP BY code ORDER BY code"
    assert [("SES101", 3), ("SES102", 2), ("SES900", 1)] == rows(face.FILE, by_code)
    torn = "SELECT files, lines, findings, unanalysed, complete, failure FROM projects WHERE project LIKE '%torn'"
    assert [(2, 7, 2, 1, 1, "")] == rows(face.FILE, torn)


def test_the_results_are_parquet_where_that_is_asked_for(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = survey(capsys, "fleet", "--output", "r.parquet")
    assert done.out.endswith("results: r.parquet, r.files.parquet, r.projects.parquet\n")
    tables = {"r": "SELECT * FROM findings", "r.files": "SELECT * FROM files", "r.projects": "SELECT * FROM projects"}
    for file, query in tables.items():
        kept = [tuple(row.values()) for row in parquet.read_table(f"{file}.parquet").to_pylist()]
        assert sorted(rows(Path("r.parquet.sqlite3"), query)) == sorted(kept)


def test_what_was_done_is_not_done_again(folder: Path, begun: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    first = survey(capsys, "fleet")
    assert NUMBER == len(begun)
    assert first == survey(capsys, "fleet")
    assert NUMBER == len(begun)


@pytest.mark.parametrize(
    ("changed", "text", "again"),
    [
        ("api/api/users.py", CLEAN, {"__init__.py", "orders.py", "users.py"}),
        ("torn/new.py", LEAK, {"bad.py", "good.py", "new.py"}),
        ("group/own/old/jobs.py", "", {"jobs.py"}),
        ("group/own/pyproject.toml", '[tool.session-lint]\nignore = ["SES101"]\nexclude = ["old"]', {"jobs.py"}),
    ],
)
def test_a_project_that_has_changed_is_done_again(
    folder: Path, begun: list[Path], capsys: pytest.CaptureFixture[str], changed: str, text: str, again: set[str]
) -> None:
    survey(capsys, "fleet")
    begun.clear()
    (folder / changed).write_text(text)
    survey(capsys, "fleet")
    assert again == {path.name for path in begun}
    fresh = survey(capsys, "fleet", "--output", "fresh.sqlite3")
    assert fresh.out.replace("fresh.sqlite3", str(face.FILE)) == survey(capsys, "fleet").out


def test_other_options_and_another_tool_are_a_change(
    folder: Path, begun: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    survey(capsys, "fleet")
    assert "SES101" not in survey(capsys, "fleet", "--ignore", "SES101").out
    assert 2 * NUMBER == len(begun)
    monkeypatch.setattr("session_lint.survey.running.fingerprint", lambda: "another")
    survey(capsys, "fleet", "--ignore", "SES101")
    assert 3 * NUMBER == len(begun)


def test_a_survey_that_was_cut_off_goes_on(
    folder: Path, begun: list[Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project of many pieces is no exception: those that were done stay."""
    monkeypatch.setattr(plans, "PIECE", 1)
    put, number = Results.put, 0

    def stop(*arguments: Any, **named: Any) -> None:
        nonlocal number
        number += 1
        if number > 5:
            raise KeyboardInterrupt
        put(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Results, "put", stop)
        done = survey(capsys, "fleet")
    assert 130 == done.code
    assert "interrupted; " in done.err
    assert 5 == len(kept := rows(face.FILE, "SELECT path FROM files"))
    begun.clear()
    assert survey(capsys, "fleet").out.startswith("project ")
    assert {path for (path,) in kept}.isdisjoint(map(str, begun))
    assert [(NUMBER, NUMBER)] == rows(face.FILE, "SELECT count(*), count(DISTINCT path) FROM files")


def test_a_file_that_is_too_much_for_any_worker_is_tried_again_next_time(
    folder: Path, begun: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "torn" / "poison.py").write_text(LEAK)
    assert "2 files could not be analysed" in survey(capsys, "fleet").out
    message = "SELECT message FROM findings WHERE path LIKE '%poison.py'"
    assert [("file not analysed: internal error: the process that analysed it has died",)] == rows(face.FILE, message)
    begun.clear()
    survey(capsys, "fleet")
    assert {"bad.py", "good.py", "poison.py"} == {path.name for path in begun}


def test_it_runs_on_processes_of_the_standard_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def crew(*_: object) -> Iterator[Pool]:
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            yield Pool(pool)

    monkeypatch.setattr("session_lint.survey.cluster.crew", crew)
    folder, file = write(tmp_path / "fleet"), tmp_path / "r.sqlite3"
    done = survey(capsys, str(folder), "--output", str(file), "--report", f"json:{tmp_path / 'found.json'}")
    assert (1, "") == (done.code, done.err)
    assert checked(capsys, folder) == json.loads((tmp_path / "found.json").read_text("utf-8"))


def test_projects_that_are_not_asked_for_are_not_in_the_results(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    survey(capsys, "fleet")
    survey(capsys, "fleet/api", "fleet/torn")
    projects_ = [(str(folder / name),) for name in ("api", "torn")]
    assert projects_ == rows(face.FILE, "SELECT project FROM projects ORDER BY project")
    assert projects_ == rows(face.FILE, "SELECT DISTINCT project FROM files ORDER BY project")


def test_settings_that_cannot_be_followed_are_their_projects_failure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "group" / "own" / "pyproject.toml").write_text('[tool.session-lint]\nselct = ["SES1"]\n')
    done = survey(capsys, "fleet")
    assert 2 == done.code
    assert "failed: fleet/group/own: " in done.out
    assert "selct" in done.out
    assert "5 projects, 12 files, 42 lines, 5 findings; 1 file could not be analysed; 1 project failed" in done.out


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names that are not Unicode")
def test_names_that_are_no_text_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "api" / "api" / b"caf\xe9.py".decode("utf-8", "surrogateescape")).write_text(LEAK)
    first = survey(capsys, "fleet", "--report", "json:found.json")
    assert "5 projects, 14 files" in first.out
    assert "udce9.py" in Path("found.json").read_text("utf-8")
    assert first == survey(capsys, "fleet", "--report", "json:found.json")


def test_a_page_of_all_projects(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == survey(capsys, "fleet", "--report", "survey.html").code
    page = Path("survey.html").read_text("utf-8")
    assert ("<!doctype html>" in page, "fleet/api/api/users.py" in page, "fleet/shop/shop/views.py" in page) == (
        True,
        True,
        True,
    )


def test_what_a_project_is(tmp_path: Path) -> None:
    names = ("repo/.git/config", "a/b/pyproject.toml", "a/c/pkg/__init__.py", "a/d/script.py", "none/data.txt")
    hidden = (".hidden/x.py", "node_modules/x.py", "repo/inner/setup.py")
    for name in (*names, *hidden, "e/plugin/__init__.py", "e/plugin/setup.py", "e/other/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(one.relative_to(tmp_path)) for one in projects([str(tmp_path), str(tmp_path / "a")])]
    assert ["a/b", "a/c", "a/d", "e/other", "e/plugin", "repo"] == [name.replace("\\", "/") for name in found]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere: no such folder"),
        (["fleet/torn/good.py"], "fleet/torn/good.py: not a folder; name the folders of projects"),
        (["empty"], "empty: no project is there: no repository, no pyproject.toml and no Python file"),
        (["fleet/shop/shop", "fleet/shop"], "fleet/shop/shop: lies in the project "),
        (["nothing"], "no Python file is in what was named"),
        (["fleet", "--output", "there/is/none.sqlite3"], "there is no folder"),
        (["fleet", "--output", "text.sqlite3"], "text.sqlite3: not the results of a survey: file is not a database"),
        (["fleet", "--output", "other.sqlite3"], "not the results of a survey: it holds something else"),
        (["fleet", "--output", "locked.sqlite3"], "locked.sqlite3: another program uses it"),
        (["-"], "standard input is no project"),
        (["fleet", "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"], "give one of them"),
        (["fleet", "--report", "xml:found.xml"], "is not FORMAT:PATH"),
        (["fleet", "--report", "no/page.html"], "there is no folder no"),
    ],
)
def test_what_cannot_be_done_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    Path("empty").mkdir()
    write(Path(), {"nothing": {"pyproject.toml": ""}})
    Path("text.sqlite3").write_text("this is a text, and longer than the head of a database would be " * 9)
    other = sqlite3.connect("other.sqlite3")
    other.execute("CREATE TABLE things (name)")
    other.close()
    locked = sqlite3.connect("locked.sqlite3", isolation_level=None)
    locked.execute("BEGIN EXCLUSIVE")
    try:
        done = survey(capsys, *arguments)
    finally:
        locked.close()
    assert (2, "") == (done.code, done.out)
    assert message in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("library", "module", "arguments", "extra"),
    [("distributed", "cluster", [], "dask"), ("pyarrow", "parquet", ["--output", "r.parquet"], "parquet")],
)
def test_an_extra_that_is_missing_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    library: str,
    module: str,
    arguments: list[str],
    extra: str,
) -> None:
    folder = write(tmp_path / "fleet")
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"session_lint.survey.{module}", raising=False)
    done = said(capsys, "survey", str(folder), *arguments)
    assert (2, "") == (done.code, done.out)
    assert f"pip install 'session-lint[{extra}]'" in done.err


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere.invalid:8786", "foo://bar", "tcp://127.0.0.1:x"])
def test_a_scheduler_that_is_not_there_is_said_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    monkeypatch.setattr("session_lint.survey.cluster.TIMEOUT", 1)
    monkeypatch.chdir(tmp_path)
    done = said(capsys, "survey", str(write(tmp_path / "fleet")), "--scheduler", address)
    assert (2, "") == (done.code, done.out)
    assert f"session-lint: --scheduler {address}: no scheduler answers there: " in done.err


def test_what_is_no_scheduler_is_said_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something is there, and never says a word."""
    monkeypatch.setattr("session_lint.survey.cluster.TIMEOUT", 0.5)
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        done = said(capsys, "survey", str(write(tmp_path / "fleet")), "--scheduler", address)
    assert Said(2, "", f"session-lint: --scheduler {address}: what answers there is no scheduler\n") == done


def test_results_are_not_shared(tmp_path: Path) -> None:
    first = Results(tmp_path / "r.sqlite3")
    try:
        with pytest.raises(UserError, match="another program uses it"):
            Results(tmp_path / "r.sqlite3")
    finally:
        first.close()
