"""Whatever befalls the cache: the report, the exit code and the silence on stderr are those of a run without one."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.cache import Cache
from session_lint.store import APPLICATION, FILE, FOLDER
from tests.faces.test_cache import FINDING
from tests.faces.test_plugin import LOCAL
from tests.forked import session_lint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPENER = """from sqlalchemy.orm import Session


def opened(engine):
    return Session(engine)
"""
USER = """from opener import opened


def load(engine):
    held = opened(engine)
    held.execute("SELECT 1")
    return 1
"""
COMMAND = [sys.executable, "-m", "session_lint", "check", "--output-format=concise"]
Report = tuple[int, str, str]


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A project whose findings need two files, with the store of an earlier run."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "opener.py").write_text(OPENER)
    for number in range(6):
        (project / f"user{number}.py").write_text(USER)
    report(project)
    return project


def report(project: Path, *options: str) -> Report:
    """Exit code, output and complaints of a run."""
    done = session_lint(*COMMAND[3:], *options, cwd=project)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def agrees(project: Path) -> None:
    """Runs with the cache say what a run without it says."""
    plain = report(project, "--no-cache")
    assert (1, "") == (plain[0], plain[2])
    assert 6 == plain[1].count("SES101")
    assert [plain, plain] == [report(project), report(project)]


def kept(project: Path) -> int:
    """How many entries the store has."""
    with contextlib.closing(sqlite3.connect(project / FOLDER / FILE)) as connection:
        tables = ("findings", "notes")
        return sum(int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables)  # noqa: S608


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def scramble(file: Path) -> None:
    data = bytearray(file.read_bytes())
    noise = random.Random(7)
    for _ in range(300):
        data[noise.randrange(100, len(data))] = noise.randrange(256)
    file.write_bytes(data)


def scramble_entries(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for table in ("findings", "notes"):
            connection.execute(f"UPDATE {table} SET content = randomblob(length(content)), used = 'once'")  # noqa: S608


def foreign(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")


def tableless(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("DROP TABLE findings")


def older(file: Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE findings (key BLOB PRIMARY KEY, digest BLOB, content BLOB, day INTEGER)")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute("PRAGMA user_version = 1")


def newer(file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize("befall", [cut, scramble, scramble_entries, foreign, tableless, older, newer, Path.unlink])
def test_a_store_that_is_not_one_is_made_anew(project: Path, befall: Callable[[Path], None]) -> None:
    befall(project / FOLDER / FILE)
    agrees(project)
    report(project)
    assert 9 == kept(project)  # seven files, the words of the project, and those that it could have


def test_random_damage_raises_nothing(tmp_path: Path) -> None:
    keys = [b"%d" % number for number in range(40)]
    store = Cache(tmp_path)
    for key in keys:
        store.put(key, (FINDING,) * 3, {"file": key})
    store.close()
    whole = (tmp_path / FOLDER / FILE).read_bytes()
    noise = random.Random(1)
    for turn in range(0, 300, 3):
        data = bytearray(whole)
        for _ in range(1 + turn):
            data[noise.randrange(0 if turn % 2 else 100, len(data))] = noise.randrange(256)
        if turn % 5 == 0:
            del data[noise.randrange(len(data)) :]
        (tmp_path / FOLDER / FILE).write_bytes(data)
        store = Cache(tmp_path)
        assert {None, (FINDING,) * 3} >= {store.get(key, lambda _, key=key: key) for key in keys}  # type: ignore[misc]
        for key in keys:
            store.put(key, (FINDING,) * 2, {"file": b"again"})
        assert {None, (FINDING,) * 2} >= {store.get(key, lambda _: b"again") for key in keys}
        store.close()
        for name in [FILE, f"{FILE}-wal", f"{FILE}-shm"]:
            (tmp_path / FOLDER / name).unlink(missing_ok=True)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_link(file: Path) -> None:
    shutil.move(file, file.parents[2] / "elsewhere")
    file.symlink_to(file.parents[2] / "elsewhere")


def a_dangling_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parents[2] / "elsewhere")


def no_folder(file: Path) -> None:
    shutil.rmtree(file.parent)
    file.parent.write_text("not a folder")


def a_pipe(file: Path) -> None:
    shutil.rmtree(file.parent)
    os.mkfifo(file.parent)


@pytest.mark.parametrize("befall", [a_folder, a_link, a_dangling_link, no_folder, a_pipe])
def test_what_is_in_the_place_of_a_store_is_left_alone(project: Path, befall: Callable[[Path], None]) -> None:
    befall(project / FOLDER / FILE)
    elsewhere = project.parent / "elsewhere"
    before = elsewhere.exists() and elsewhere.read_bytes()
    agrees(project)
    assert before == (elsewhere.exists() and elsewhere.read_bytes())


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    """A file system of its own on a folder; the test is skipped where there can be none."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.parametrize("left", [0, 4096, 16_384, 40_960])
def test_a_full_disk(project: Path, left: int) -> None:
    folder = project / FOLDER
    shutil.rmtree(folder)
    folder.mkdir()
    with mounted(folder, "size=256k"):
        with (folder / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
            ballast.write(bytes(256 * 1024 - left))
        agrees(project)


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
del sys.argv[1]
sys.argv[0] = "session-lint"
runpy.run_module("session_lint", run_name="__main__")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files have no limit")
@pytest.mark.parametrize("limit", [0, 60, 5000, 20_000])
def test_files_that_may_not_grow(project: Path, limit: int) -> None:
    shutil.rmtree(project / FOLDER)
    plain = report(project, "--no-cache")
    for _ in range(2):
        command = [sys.executable, "-c", LIMITED, str(limit), *COMMAND[3:]]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=60)
        assert plain == (done.returncode, done.stdout, done.stderr)
    agrees(project)


def test_a_folder_that_cannot_be_written_to(project: Path) -> None:
    folder = project / FOLDER
    with mounted(folder, "size=4m"):
        report(project)
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        agrees(project)
    with mounted(folder, "ro"):
        agrees(project)


def test_runs_at_once(project: Path) -> None:
    for number in range(6, 60):
        (project / f"user{number}.py").write_text(USER)
    plain = report(project, "--no-cache")
    lint = [sys.executable, "-m", "flake8", "--select=SES", "-j2"]
    (project / "setup.cfg").write_text(LOCAL)
    for _ in range(3):
        shutil.rmtree(project / FOLDER)
        running = [
            subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for command in (COMMAND, lint, [*COMMAND, "--jobs=2"])
        ]
        one, eight, two = [(*process.communicate(timeout=120), process.returncode) for process in running]
        assert [(plain[1], "", 1)] * 2 == [one, two]
        assert (60, "", 1) == (eight[0].count(" SES101 "), *eight[1:])


WRITER = """
import itertools, sys
from pathlib import Path
from session_lint.cache import Cache
from tests.faces.test_cache import FINDING
store = Cache(Path(sys.argv[1]))
print(flush=True)
for number in itertools.count():
    store.put(b"%d" % (number % 500), (FINDING,) * 20, {"file": b"%d" % (number // 500)})
"""


def test_a_process_killed_while_it_writes(tmp_path: Path) -> None:
    noise = random.Random(3)
    wholes = 0
    for turn in range(20):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            if turn % 4:  # else it may be killed while it makes the store
                assert writer.stdout is not None
                writer.stdout.readline()
            with contextlib.suppress(subprocess.TimeoutExpired):
                writer.wait(noise.uniform(0, 0.05 if turn % 4 else 0.3))
            writer.kill()
        store = Cache(tmp_path)
        answers = [store.get(b"%d" % number, lambda _: b"0") for number in range(500)]
        assert {None, (FINDING,) * 20} >= set(answers)
        store.put(b"afterwards %d" % turn, (FINDING,), {})
        wholes += store.get(b"afterwards %d" % turn, lambda _: b"") == (FINDING,)
        store.close()
    assert 20 == wholes
    with contextlib.closing(sqlite3.connect(tmp_path / FOLDER / FILE)) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()


def test_a_run_killed_on_its_way(project: Path) -> None:
    noise = random.Random(5)
    for _ in range(6):
        shutil.rmtree(project / FOLDER, ignore_errors=True)
        with subprocess.Popen(COMMAND, cwd=project, stdout=subprocess.DEVNULL) as run:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(noise.uniform(0.15, 0.6))
            run.kill()
        assert report(project) == report(project)
    agrees(project)
