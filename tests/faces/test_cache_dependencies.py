"""Findings that rest on other files: kept while these stay as they were, for the command and for flake8 alike."""

from __future__ import annotations

import ast
import contextlib
import os
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from session_lint import analysis
from session_lint.engine import forget, lint_file, lint_paths
from session_lint.options import Options
from session_lint.plugin import Plugin
from session_lint.python.project import Project
from session_lint.settings import Settings
from session_lint.store import FILE, FOLDER
from tests.faces.test_plugin import HERE, LEAK, ours

if TYPE_CHECKING:
    from session_lint.analysis import ModuleFacts

OPENER = """from sqlalchemy.orm import Session


def opened(engine):
    return Session(engine)
"""
HARMLESS = """import os


def opened(engine):
    return os.environ[engine]
"""
USER = """from opener import opened


def load(engine):
    held = opened(engine)
    held.execute("SELECT 1")
    return 1
"""
HELPER = """from database.session import get_session


def fetch():
    return get_session().get(1)
"""
CLOSING = """from database.session import close_global_session
from helper import fetch

if __name__ == "__main__":
    try:
        fetch()
    finally:
        close_global_session()
"""
CARELESS = """from helper import fetch

if __name__ == "__main__":
    fetch()
"""
SETTINGS = Settings()
PLAIN = Settings(cache=False)
Said = list[tuple[str, int, str, str]]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").touch()
    monkeypatch.setattr(Plugin, "options", Options())
    forget()


def said(settings: Settings = SETTINGS) -> tuple[Said, list[bool]]:
    """What a run over the folder finds, and which files an earlier run answered for."""
    reports = list(lint_paths(sorted(Path().rglob("*.py")), settings))
    findings = [finding for report in reports for finding in report.findings]
    return [(f.filename, f.location.row, f.code, f.message) for f in findings], [r.cached for r in reports]


def kept() -> int:
    """How many entries the store has."""
    if not Path(FOLDER).exists():
        return 0
    with contextlib.closing(sqlite3.connect(Path(FOLDER, FILE))) as connection:
        return int(connection.execute("SELECT count(*) FROM findings").fetchone()[0])


def flake8(name: str, text: str | None = None) -> list[tuple[int, str]]:
    """Row and code of what the plugin finds in a file.

    :param text: what flake8 has read; what the file holds where it is ``None``.
    """
    text = Path(name).read_text() if text is None else text
    found = Plugin(ast.parse(text), name, text.splitlines(keepends=True)).run()
    return [(row, message.split()[0]) for row, _, message, _ in found]


def test_what_an_import_leads_to_counts() -> None:
    Path("opener.py").write_text(OPENER)
    Path("user.py").write_text(USER)
    leak = ("user.py", 5, "SES101", "session 'held' is still open when line 7 returns")
    runs = [said(), said()]
    Path("opener.py").write_text(HARMLESS)
    runs += [said(), said()]
    Path("opener.py").write_text(OPENER)
    runs += [said()]
    Path("opener.py").unlink()
    runs += [said()]
    assert [
        ([leak], [False, False]),
        ([leak], [True, True]),
        ([], [False, False]),
        ([], [True, True]),
        ([leak], [True, True]),
        ([], [True]),  # as with a file that leads to no session
    ] == runs


def test_who_calls_counts() -> None:
    Path("helper.py").write_text(HELPER)
    runs = []
    for text in (None, CLOSING, CARELESS, CLOSING):
        if text is not None:
            Path("main.py").write_text(text)
        runs.append([message for *_, message in said()[0]])
    assert [
        ["global session is not closed when 'fetch' ends"],
        [],
        ["global session is not closed when main.py ends"],
        [],
    ] == runs
    assert [True, True] == said()[1]


REGISTRY = """from sqlalchemy.orm import scoped_session, sessionmaker

Registry = scoped_session(sessionmaker())


def work():
    Registry.execute("SELECT 1")
"""
CALLING = """from registry import work

work()
"""
STARTING = """from threading import Thread

from registry import work

Thread(target=work).start()
"""


def test_who_starts_a_thread_counts() -> None:
    Path("registry.py").write_text(REGISTRY)
    runs = []
    for text in (CALLING, STARTING, CALLING):
        Path("main.py").write_text(text)
        runs.append([(name, code) for name, _, code, _ in said()[0]])
    assert runs == [[], [("registry.py", "SES704")], []]


def test_a_question_is_asked_once_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("opener.py").write_text(OPENER)
    for number in range(5):
        Path(f"user{number}.py").write_text(USER)
    said()
    asked: Counter[str] = Counter()

    def counting(self: Project, question: str) -> bytes:
        asked[question] += 1
        return answer(self, question)

    answer = Project.answer
    monkeypatch.setattr(Project, "answer", counting)
    assert [True] * 6 == said()[1]
    assert f"file\0{Path.cwd() / 'opener.py'}" in asked
    assert {1} == set(asked.values())


WORLD: dict[str, tuple[str | None, ...]] = {
    "opener.py": (None, OPENER, HARMLESS, "from deeper.inner import opened\n", "def f(:\n"),
    "deeper/inner.py": (None, OPENER, HARMLESS),
    "deeper/__init__.py": (None, "", "from deeper.inner import opened\n"),
    "user.py": (USER, USER.replace("opener", "deeper"), USER.replace("from opener", "from deeper.inner")),
    "helper.py": (None, HELPER, HELPER.replace("fetch", "load"), LEAK),
    "main.py": (None, CLOSING, CARELESS, CARELESS.replace("helper", "relay")),
    "relay.py": (None, "from helper import fetch\n", f"{CLOSING}\n\ndef fetch():\n    pass\n"),
}


@pytest.mark.parametrize("seed", range(4))
def test_kept_findings_are_those_of_a_run_without_a_cache(seed: int) -> None:
    draw = random.Random(seed)
    Path("deeper").mkdir()
    hits = 0
    for _ in range(60):
        name = draw.choice(list(WORLD))
        text = draw.choice(WORLD[name])
        if text is None:
            Path(name).unlink(missing_ok=True)
        else:
            Path(name).write_text(text)
        found, cached = said()
        assert said(PLAIN)[0] == found
        hits += sum(cached)
    assert hits > 60


@pytest.mark.parametrize(
    "data",
    [
        LEAK.encode(),
        LEAK.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + LEAK.encode(),
        b"# coding: latin-1\n# \xe9\n" + LEAK.encode(),
    ],
)
def test_flake8_and_the_command_share_the_work(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a.py").write_bytes(data)
    found = ours()
    assert 1 == len(found)
    assert 1 == kept()

    def refuse(*_: Any) -> ModuleFacts:
        raise AssertionError("analysed again")

    monkeypatch.setattr(analysis, "analyse_file", refuse)
    ((_, row, code, _),), cached = said()
    assert [f"a.py:{row} {code}"] == found
    assert [True] == cached
    lines = data.decode("latin-1").replace("\r", "").removeprefix("ï»¿")
    assert [(row, code)] == flake8("./a.py", lines)


def test_what_is_silenced_is_kept_as_it_was_found() -> None:
    Path("a.py").write_text(LEAK.replace("Session(engine)", "Session(engine)  # noqa: SES101"))
    assert ([], []) == (said()[0], ours())
    assert ["a.py:5 SES101"] == ours("--disable-noqa")
    Path("a.py").write_text(LEAK.replace("Session(engine)", "Session(engine)  # session-lint: ignore"))
    assert ([], [], []) == (ours("--disable-noqa"), said()[0], ours())
    assert [True] == said()[1]


def test_flake8_keeps_findings_with_what_they_rest_on() -> None:
    Path("opener.py").write_text(OPENER)
    Path("user.py").write_text(USER)
    assert ["user.py:5 SES101"] == ours("-j2") == ours()
    assert [True, True] == said()[1]
    Path("opener.py").write_text(OPENER.replace("return Session(engine)", "return engine"))
    assert [] == ours()
    assert [] == said()[0]


def test_flake8_keeps_nothing_where_it_is_told_so() -> None:
    Path("pyproject.toml").write_text("[tool.session-lint]\ncache = false\n")
    Path("a.py").write_text(LEAK)
    assert ["a.py:5 SES101"] == ours()
    assert not Path(FOLDER).exists()


def test_a_library_that_no_file_has_named_before() -> None:
    """As long as none does, nothing is looked for."""
    Path("db.py").write_text("from nowhere import Session\n")
    Path("user.py").write_text(
        "from db import Session\n\n\ndef f():\n    session = Session()\n    session.execute('x')\n"
    )
    assert [] == ours()
    assert [] == ours()
    Path("db.py").write_text("from sqlalchemy.orm import Session\n")
    assert ["user.py:5 SES101"] == ours()
    Path("db.py").write_text("from nowhere import Session\n")
    assert [] == ours()


def test_standard_input_is_not_kept() -> None:
    Path("a.py").write_text("x = 1\n")
    assert ["stdin:5 SES101"] == ours("-", stdin=LEAK)
    assert ["a.py:5 SES101"] == ours("--stdin-display-name=a.py", "-", stdin=LEAK)
    assert ["b.py:5 SES101"] == ours("--stdin-display-name=b.py", "-", stdin=LEAK)
    assert 0 == kept()
    assert [] == ours()
    Path("a.py").write_text(LEAK)
    assert [] == ours("--stdin-display-name=a.py", "-", stdin="x = 1\n")
    assert ["a.py:5 SES101"] == ours("--stdin-display-name=a.py", "-", stdin=LEAK)
    assert ["a.py:5 SES101"] == ours()


def test_a_file_that_changes_after_it_was_read_makes_no_stale_entry() -> None:
    Path("helper.py").write_text(HELPER)
    Path("main.py").write_text(CLOSING)
    read = f"from database.session import get_session\n{CARELESS}"  # before it changed
    assert [] == flake8("main.py", read)
    assert [(5, "SES201")] == flake8("helper.py")
    assert [] == said()[0]
    Path("helper.py").write_text("x = 1\n")
    assert [(5, "SES101")] == flake8("helper.py", LEAK)
    assert [] == said()[0]


def test_flake8s_checks_may_run_more_than_once_in_a_process() -> None:
    Path("opener.py").write_text(OPENER)
    Path("user.py").write_text(USER)
    assert [[], [(5, "SES101")]] == [flake8("opener.py"), flake8("user.py")]
    Path("opener.py").write_text(HARMLESS)
    assert [[], []] == [flake8("opener.py"), flake8("user.py")]


def test_the_same_name_in_two_folders_is_two_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, opener in (("one", OPENER), ("two", HARMLESS)):
        Path(folder).mkdir()
        Path(folder, "opener.py").write_text(opener)
        Path(folder, "user.py").write_text(USER)
    root = Path.cwd()
    found = []
    for folder in ("one", "two"):
        monkeypatch.chdir(root / folder)
        found.append([f.code for f in lint_file(Path("user.py"), Settings(root=root)).findings])
    assert [["SES101"], []] == found


def test_a_run_over_code_without_sessions_imports_no_database() -> None:
    code = """
import sys, ast
from session_lint.plugin import Plugin
assert [] == list(Plugin(ast.parse("x = 1"), "a.py", ["x = 1\\n"]).run())
print(*sorted({"sqlite3", "_sqlite3", "session_lint.cache"} & set(sys.modules)))
"""
    Path("a.py").write_text("x = 1\n")
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    assert "\n" == subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert not Path(FOLDER).exists()
