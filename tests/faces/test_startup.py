"""What a start imports. Time is measured in ``benchmarks/startup.py``; what costs it is held here."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.faces.inside import CLEAN, LEAK

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import sys
before = set(sys.modules)
sys.argv = ["session-lint", *sys.argv[1:]]
from session_lint.__main__ import main
try:
    main()
finally:
    print(*sorted(set(sys.modules) - before), file=sys.stderr)
"""
HEAVY = {
    *("asyncio", "concurrent", "importlib.resources", "jinja2", "json", "libcst", "logging", "multiprocessing"),
    *("rich", "sqlalchemy", "subprocess", "unittest", "watchfiles", "xml", "zipfile"),
    *("session_lint.mend", "session_lint.migration", "session_lint.parallel", "session_lint.writing"),
    *(f"session_lint.cli.{name}" for name in "changed dependents doctor fix git init listing migrate watch".split()),
}


def imported(folder: Path, *arguments: str) -> set[str]:
    """The modules that a run imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.stderr, done.stdout
    return set(done.stderr.split())


def test_the_version_costs_nothing(tmp_path: Path) -> None:
    assert {"session_lint", "session_lint.__main__"} == {
        name for name in imported(tmp_path, "--version") if not sys.modules.get(name) or name.startswith("session_lint")
    }


def test_both_ways_to_ask_for_the_version_say_the_same(tmp_path: Path) -> None:
    """The short cut, and click's own where there is more on the line."""
    said = [
        subprocess.run([sys.executable, "-m", "session_lint", *words], cwd=tmp_path, capture_output=True, check=True)
        for words in (["--version"], ["-V"], ["--version", "check"])
    ]
    assert [said[0].stdout] * 3 == [done.stdout for done in said]


@pytest.mark.parametrize("text", [CLEAN, LEAK])
@pytest.mark.parametrize("times", [1, 2])
def test_a_check_of_one_file_imports_what_it_needs(tmp_path: Path, text: str, times: int) -> None:
    """The first time, and from the cache."""
    (tmp_path / "one.py").write_text(text)
    for _ in range(times):
        assert set() == HEAVY & imported(tmp_path, "check", "one.py")


PLAIN = "def double(number):\n    return number * 2\n"
SLOW = {"click", "dataclasses", "difflib", "inspect", "msgspec", "pkgutil", "shutil", "tempfile", "tokenize", "tomllib"}
"""What a plain command line never imports. Each costs a third of a bare start of Python at least."""
JUDGING = {f"session_lint.{name}" for name in "analysis fixes flow rules.session_not_closed vocabulary.tables".split()}


@pytest.mark.parametrize("options", [[], ["--no-cache"]])
@pytest.mark.parametrize("text", [CLEAN, LEAK, PLAIN])
def test_a_plain_command_line_imports_no_slow_library(tmp_path: Path, text: str, options: list[str]) -> None:
    (tmp_path / "one.py").write_text(text)
    for _ in range(2):
        assert set() == SLOW & imported(tmp_path, "check", *options, "one.py")


@pytest.mark.parametrize("text", [CLEAN, LEAK, PLAIN])
def test_what_was_found_before_is_told_without_the_analysis(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.py").write_text(text)
    imported(tmp_path, "check", "one.py")
    assert set() == (JUDGING | {"ast"}) & imported(tmp_path, "check", "one.py")


def test_without_words_of_sessions_there_is_no_analysis(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN)
    (tmp_path / "leak.py").write_text(LEAK)
    for words in (["--no-cache"], []):
        found = imported(tmp_path, "check", *words, "plain.py")
        assert {"session_lint.vocabulary.tables"} == JUDGING & found


def test_the_help_of_all_commands_imports_none_of_them(tmp_path: Path) -> None:
    found = {name for name in imported(tmp_path, "--help") if name.startswith("session_lint")}
    assert {"session_lint.cli.check", "session_lint.engine", "session_lint.rules"} & found == set()
