"""Findings kept between runs: equal, or not at all."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from session_lint import __version__, cache, installation
from session_lint import store as files
from session_lint.cache import DAY, Cache, key_of
from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.frames import packed, unpacked
from session_lint.settings import Settings
from session_lint.store import FILE, FOLDER

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
    trace=(Step("a.py", Location(1, 1), "opened here", Location(1, 4)), Step("b.py", Location(1, 1), "leaves here")),
    fix=FIX,
    refusal="",
    url="https://example.org",
)
KEY = b"k" * 32
NOTHING: dict[str, bytes] = {}


def same(question: str) -> bytes:
    """Stands where an entry rests on no questions: nothing is asked."""
    raise AssertionError(question)


class World(dict[str, bytes]):
    """What each question is answered with."""

    def __call__(self, question: str) -> bytes:
        """Answer a question."""
        return self[question]


def test_what_comes_back_is_equal(tmp_path: Path) -> None:
    Cache(tmp_path).put(KEY, (FINDING, replace(FINDING, fix=None)), NOTHING)
    Cache(tmp_path).put(b"other", (), NOTHING)
    assert (FINDING, replace(FINDING, fix=None)) == Cache(tmp_path).get(KEY, same)
    assert () == Cache(tmp_path).get(b"other", same)
    assert Cache(tmp_path).get(b"unknown", same) is None
    (kept, _) = Cache(tmp_path).get(KEY, same) or ()
    assert [step.end_location for step in kept.trace] == [Location(1, 4), None]  # which equality leaves out


def test_the_folder_is_marked(tmp_path: Path) -> None:
    Cache(tmp_path)
    folder = tmp_path / FOLDER
    assert (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
    assert "# made by session-lint\n*\n" == (folder / ".gitignore").read_text()


@pytest.mark.parametrize("value", [["a", "list"], ("a", ["list"]), {1}, object()])
def test_what_would_not_come_back_equal_is_not_kept(tmp_path: Path, value: object) -> None:
    store = Cache(tmp_path)
    store.put(KEY, (replace(FINDING, fix=replace(FIX, plan=(("value", value),))),), NOTHING)
    assert store.get(KEY, same) is None


def test_everything_that_findings_depend_on_is_in_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings, root = Settings(), Path("root")
    keys = [
        key_of(b"x", "a.py", root, settings),
        key_of(b"y", "a.py", root, settings),
        key_of(b"x", "b.py", root, settings),
        key_of(b"x", "a.py", Path("other"), settings),
        key_of(b"", "a.py", Path("rootx"), settings),
        key_of(b"x", "a.py", root, replace(settings, select=("SES1",))),
        key_of(b"x", "a.py", root, replace(settings, per_file_ignores=(("a", ("SES1",)),))),
    ]
    cache._fixed.cache_clear()
    monkeypatch.setattr(cache, "fingerprint", lambda: "another tool")
    keys.append(key_of(b"x", "a.py", root, settings))
    monkeypatch.chdir(tmp_path)
    keys.append(key_of(b"x", "a.py", root, settings))
    cache._fixed.cache_clear()
    assert len(keys) == len(set(keys))


edition = installation.fingerprint.__wrapped__


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package as it lies in a checkout."""
    package = tmp_path / "tool"
    for name in ("cache.py", "rules/one.py", "words/table.toml", "words/notes.txt"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("1")
    monkeypatch.setattr(installation, "PACKAGE", str(package))
    return package


def test_a_checkout_is_known_by_how_its_sources_look(package: Path) -> None:
    seen = {edition()}
    (package / "words" / "notes.txt").write_text("22")
    assert seen == {edition()}
    for count, name in enumerate(("rules/one.py", "words/table.toml", "rules/two.py"), 2):
        (package / name).write_text("22")
        seen.add(edition())
        assert count == len(seen)


def test_an_installation_is_known_by_its_list_wherever_it_lies(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = edition()
    record = package.parent / f"tool-{__version__}.dist-info" / "RECORD"
    record.parent.mkdir()
    record.write_text(
        "../../../bin/tool,sha256=o,9\ntool/__pycache__/cache.cpython-311.pyc,,\ntool/cache.py,sha256=a,1"
    )
    before = edition()
    assert before != looked
    shutil.copytree(package.parent, package.parent / "elsewhere")
    monkeypatch.setattr(installation, "PACKAGE", str(package.parent / "elsewhere" / "tool"))
    assert before == edition()
    there = package.parent / "elsewhere" / record.parent.name / "RECORD"
    there.write_text(record.read_text().replace("bin/tool", "Scripts/tool.exe").replace("cpython-311", "cpython-312"))
    assert before == edition()
    there.write_text(record.read_text().replace("sha256=a", "sha256=b"))
    assert before != edition()
    there.write_bytes(b"\xff\xfe")
    assert edition() not in (before, "")


@pytest.mark.parametrize("parts", [[], [b""], [b"a", b"", b"\0" * 300]])
def test_strings_come_back_as_they_were(parts: list[bytes]) -> None:
    data = packed(parts)
    assert parts == unpacked(data)
    for end in range(1, len(data)):
        with contextlib.suppress(ValueError):
            assert parts[: len(unpacked(data[:end]))] == unpacked(data[:end]) != parts


@pytest.mark.parametrize("data", [b"\0", b"\0" * 7 + b"\2a", b"\xff" * 20])
def test_what_is_cut_off_is_no_string(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        unpacked(data)


def test_an_entry_counts_while_its_questions_are_answered_the_same(tmp_path: Path) -> None:
    world = World({"file a": b"1", "file \udcff": b"", "word b": b"2"})
    Cache(tmp_path).put(KEY, (FINDING,), world)
    assert (FINDING,) == Cache(tmp_path).get(KEY, world)
    for question in world:
        assert Cache(tmp_path).get(KEY, World({**world, question: b"other"})) is None
    assert (FINDING,) == Cache(tmp_path).get(KEY, World({**world, "more": b""}))


def test_a_question_that_cannot_be_answered_is_not_answered_the_same(tmp_path: Path) -> None:
    def refuse(question: str) -> bytes:
        raise PermissionError(question)

    Cache(tmp_path).put(KEY, (FINDING,), {"file a": b"1"})
    assert Cache(tmp_path).get(KEY, refuse) is None
    assert (FINDING,) == Cache(tmp_path).get(KEY, World({"file a": b"1"}))


def test_the_last_entries_of_a_key_are_kept(tmp_path: Path) -> None:
    store = Cache(tmp_path)

    def kept() -> list[bool]:
        return [store.get(KEY, World({"branch": bytes([number])})) is not None for number in range(5)]

    for number in range(4):
        store.put(KEY, (replace(FINDING, message=str(number)),), {"branch": bytes([number])})
        store.put(b"other", (), {"branch": bytes([number])})
    first = store.get(KEY, World({"branch": b"\x01"}))  # which is now the last one used
    assert (replace(FINDING, message="1"),) == first
    store.put(KEY, (), {"branch": b"\x04"})
    assert [False, True, False, True, True] == kept()


def file_of(root: Path) -> Path:
    """The store's file, with one entry in it."""
    store = Cache(root)
    store.put(KEY, (FINDING,), NOTHING)
    store.close()
    return root / FOLDER / FILE


@pytest.mark.parametrize("data", [b"", b"not a database at all" * 100, pickle.dumps((FINDING,))])
def test_a_damaged_store_is_made_anew(tmp_path: Path, data: bytes) -> None:
    file_of(tmp_path).write_bytes(data)
    store = Cache(tmp_path)
    assert store.get(KEY, same) is None
    store.put(KEY, (FINDING,), NOTHING)
    assert (FINDING,) == Cache(tmp_path).get(KEY, same)


def test_a_store_cut_short_is_not_trusted(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * 4096)
    store = Cache(tmp_path)
    assert store.get(KEY, same) is None
    store.put(KEY, (FINDING,), NOTHING)
    again = Cache(tmp_path)
    again.put(KEY, (FINDING,), NOTHING)
    assert (FINDING,) == again.get(KEY, same)


@pytest.mark.parametrize("column", ["content", "asked", "digest"])
@pytest.mark.parametrize("value", [b"", b"\x90", pickle.dumps(()), b"\xc1", "text", 1])
def test_an_entry_that_was_changed_is_not_trusted(tmp_path: Path, column: str, value: object) -> None:
    world = World({"file a": b"1"})
    Cache(tmp_path).put(KEY, (FINDING,), world)
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        connection.execute(f"UPDATE findings SET {column} = ?", (value,))  # noqa: S608
    connection.close()
    assert Cache(tmp_path).get(KEY, world) is None


def test_an_entry_of_another_key_is_not_trusted(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE findings SET key = ?", (b"another",))
    connection.close()
    assert Cache(tmp_path).get(b"another", same) is None


def test_somebody_elses_database_is_replaced(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        connection.execute("CREATE TABLE findings (key TEXT)")
    connection.close()
    Cache(tmp_path).put(KEY, (FINDING,), NOTHING)
    assert (FINDING,) == Cache(tmp_path).get(KEY, same)


def test_without_a_place_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder would be")
    store = Cache(tmp_path)
    store.put(KEY, (FINDING,), NOTHING)
    assert store.get(KEY, same) is None
    assert Cache(tmp_path / "no" / "such").get(KEY, same) is None


def test_links_to_elsewhere_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / FOLDER).symlink_to(elsewhere)
    Cache(tmp_path).put(KEY, (FINDING,), NOTHING)
    assert [] == list(elsewhere.iterdir())


def test_a_locked_store_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.01)
    other = sqlite3.connect(file_of(tmp_path), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    store = Cache(tmp_path)
    store.put(b"new", (), NOTHING)
    assert store.get(b"new", same) is None
    other.execute("ROLLBACK")
    other.close()
    assert (FINDING,) == Cache(tmp_path).get(KEY, same)


def test_a_read_only_store_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_of(tmp_path)

    def read_only(file: Path, **options: object) -> sqlite3.Connection:
        return connect(f"file:{file}?mode=ro", uri=True, isolation_level=None)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", read_only)
    store = Cache(tmp_path)
    store.put(b"new", (), NOTHING)
    assert store.get(b"new", same) is None


def test_old_entries_go(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE findings SET used = used - ?", (31 * DAY,))
    connection.close()
    assert Cache(tmp_path).get(KEY, same) is None


def test_used_entries_stay(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    with sqlite3.connect(file) as connection:
        (now,) = connection.execute("SELECT used FROM findings").fetchone()
        connection.execute("UPDATE findings SET used = used - ?", (29 * DAY,))
    assert (FINDING,) == Cache(tmp_path).get(KEY, same)
    ((used,),) = connection.execute("SELECT used FROM findings").fetchall()
    assert used >= now
    connection.close()


WRITER = """
import sys
from pathlib import Path
from session_lint.cache import Cache
store = Cache(Path(sys.argv[1]))
for number in range(200):
    store.put(b"%s %d" % (sys.argv[2].encode(), number), (), {})
"""


def test_processes_share_a_store(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, str(number)], cwd=Path(cache.__file__).parents[1]) for number in range(4)]
    assert [0, 0, 0, 0] == [writer.wait(60) for writer in writers]
    with sqlite3.connect(tmp_path / FOLDER / FILE) as connection:
        assert (800,) == connection.execute("SELECT count(*) FROM findings").fetchone()
    connection.close()
