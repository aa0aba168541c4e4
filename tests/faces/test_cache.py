"""Findings kept between runs: equal, or not at all."""

from __future__ import annotations

import pickle
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from session_lint import cache
from session_lint.cache import FILE, FOLDER, Cache, key_of
from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.settings import Settings

PLAN = (("rows", (1, (2, "a"))), ("name", "session"), ("safe", True), ("nothing", None))
FIX = Fix(Applicability.UNSAFE, "Open the session in a scope", "manual_to_scope", PLAN, "it may write more")
FINDING = Finding(
    code="SES101",
    name="session-not-closed",
    message="session 'séance' is still open",
    filename="a.py",
    location=Location(2, 5),
    end_location=Location(2, 9),
    symbol="f",
    severity=Severity.WARNING,
    trace=(Step("a.py", Location(1, 1), "opened here"),),
    fix=FIX,
    refusal="",
    url="https://example.org",
)
KEY = b"k" * 32


def test_what_comes_back_is_equal(tmp_path: Path) -> None:
    Cache(tmp_path).put(KEY, (FINDING, replace(FINDING, fix=None)))
    Cache(tmp_path).put(b"other", ())
    assert (FINDING, replace(FINDING, fix=None)) == Cache(tmp_path).get(KEY)
    assert () == Cache(tmp_path).get(b"other")
    assert Cache(tmp_path).get(b"unknown") is None


def test_the_folder_is_marked(tmp_path: Path) -> None:
    Cache(tmp_path)
    folder = tmp_path / FOLDER
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert "# made by session-lint\n*\n" == (folder / ".gitignore").read_text()


@pytest.mark.parametrize("value", [["a", "list"], ("a", ["list"]), {1}, object()])
def test_what_would_not_come_back_equal_is_not_kept(tmp_path: Path, value: object) -> None:
    store = Cache(tmp_path)
    store.put(KEY, (replace(FINDING, fix=replace(FIX, plan=(("value", value),))),))
    assert store.get(KEY) is None


def test_everything_that_findings_depend_on_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    keys = [
        key_of(b"x", "a.py", "a", settings),
        key_of(b"y", "a.py", "a", settings),
        key_of(b"x", "b.py", "a", settings),
        key_of(b"x", "a.py", "b", settings),
        key_of(b"", "a.py", "ax", settings),
        key_of(b"x", "a.py", "a", replace(settings, select=("SES1",))),
        key_of(b"x", "a.py", "a", replace(settings, per_file_ignores=(("a", ("SES1",)),))),
    ]
    cache._fixed.cache_clear()
    monkeypatch.setattr(cache, "fingerprint", lambda: "another tool")
    keys.append(key_of(b"x", "a.py", "a", settings))
    cache._fixed.cache_clear()
    assert len(keys) == len(set(keys))


def file_of(root: Path) -> Path:
    """The store's file, with one entry in it."""
    store = Cache(root)
    store.put(KEY, (FINDING,))
    store.close()
    return root / FOLDER / FILE


@pytest.mark.parametrize("data", [b"", b"not a database at all" * 100, pickle.dumps((FINDING,))])
def test_a_damaged_store_is_made_anew(tmp_path: Path, data: bytes) -> None:
    file_of(tmp_path).write_bytes(data)
    store = Cache(tmp_path)
    assert store.get(KEY) is None
    store.put(KEY, (FINDING,))
    assert (FINDING,) == Cache(tmp_path).get(KEY)


def test_a_store_cut_short_is_not_trusted(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 4096)
    store = Cache(tmp_path)
    assert store.get(KEY) is None
    store.put(KEY, (FINDING,))
    again = Cache(tmp_path)
    again.put(KEY, (FINDING,))
    assert (FINDING,) == again.get(KEY)


@pytest.mark.parametrize("content", [b"", b"\x90", pickle.dumps(()), b"\xc1"])
def test_an_entry_that_was_changed_is_not_trusted(tmp_path: Path, content: bytes) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE findings SET content = ?", (content,))
    connection.close()
    assert Cache(tmp_path).get(KEY) is None


def test_an_entry_of_another_key_is_not_trusted(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE findings SET key = ?", (b"another",))
    connection.close()
    assert Cache(tmp_path).get(b"another") is None


def test_somebody_elses_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        connection.execute("CREATE TABLE findings (key TEXT)")
    connection.close()
    Cache(tmp_path).put(KEY, (FINDING,))
    assert (FINDING,) == Cache(tmp_path).get(KEY)


def test_without_a_place_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder would be")
    store = Cache(tmp_path)
    store.put(KEY, (FINDING,))
    assert store.get(KEY) is None
    assert Cache(tmp_path / "no" / "such").get(KEY) is None


def test_links_to_elsewhere_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / FOLDER).symlink_to(elsewhere)
    Cache(tmp_path).put(KEY, (FINDING,))
    assert [] == list(elsewhere.iterdir())


def test_a_locked_store_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PATIENCE", 0.01)
    other = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = Cache(tmp_path)
    store.put(b"new", ())
    assert store.get(b"new") is None
    other.execute("ROLLBACK")
    other.close()
    assert (FINDING,) == Cache(tmp_path).get(KEY)


def test_a_read_only_store_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(tmp_path)

    def read_only(file: Path, **options: object) -> sqlite3.Connection:
        return connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", read_only)
    store = Cache(tmp_path)
    store.put(b"new", ())
    assert store.get(b"new") is None


def test_old_entries_go(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE findings SET day = day - 31")
    connection.close()
    assert Cache(tmp_path).get(KEY) is None


def test_used_entries_stay(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        (today,) = connection.execute("SELECT day FROM findings").fetchone()
        connection.execute("UPDATE findings SET day = day - 29")
    assert (FINDING,) == Cache(tmp_path).get(KEY)
    assert [(today,)] == connection.execute("SELECT day FROM findings").fetchall()
    connection.close()


WRITER = """
import sys
from pathlib import Path
from session_lint.cache import Cache
store = Cache(Path(sys.argv[1]))
for number in range(200):
    store.put(b"%s %d" % (sys.argv[2].encode(), number), ())
"""


def test_processes_share_a_store(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(number)], cwd=Path(cache.__file__).parents[1]) for number in range(4)]
    assert [0, 0, 0, 0] == [writer.wait(60) for writer in writers]
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        assert (800,) == connection.execute("SELECT count(*) FROM findings").fetchone()
    connection.close()
