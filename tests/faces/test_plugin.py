"""The flake8 plugin, in real runs of flake8."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import session_lint
from session_lint import plugin
from session_lint.options import Options, per_file
from session_lint.plugin import Plugin
from session_lint.settings import SettingsError
from tests.forked import LINTERS, module

HERE = Path(session_lint.__file__).parents[1]
INSTALLED = [entry for entry in entry_points(group="flake8.extension") if entry.value == "session_lint.plugin:Plugin"]
LOCAL = "" if INSTALLED else "[flake8:local-plugins]\nextension =\n    SES = session_lint.plugin:Plugin\n"
LEAK = """from sqlalchemy.orm import Session


def load(engine):
    session = Session(engine)
    session.execute("SELECT 1")
    return 1
"""
STYLE = """from database.session import SessionLocal


def save(row):
    session = SessionLocal()
    try:
        session.add(row)
        session.commit()
    finally:
        session.close()
"""
SAID = "a.py:5:15: SES101 [*] session 'session' is still open when line 7 returns"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("setup.cfg").write_text(LOCAL)


def flake8(*arguments: str, stdin: str | None = None) -> tuple[int, list[str], str]:
    """Run flake8 in the current folder: its exit code, its lines in order, what it complained about."""
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    given = (stdin or "").encode()
    done = module("flake8", *arguments, imported=LINTERS, stdin=given, environment=environment)
    lines = sorted(line.removeprefix("./") for line in done.stdout.decode().splitlines())
    return done.returncode, lines, done.stderr.decode()


def ours(*arguments: str, stdin: str | None = None) -> list[str]:
    """The codes that flake8 reports of us, with their rows."""
    _, lines, errors = flake8(*arguments, stdin=stdin)
    assert "" == errors
    return [":".join(line.split(":")[:2]) + " " + line.split()[1] for line in lines if " SES" in line]


def test_a_finding_stands_where_the_engine_puts_it() -> None:
    Path("a.py").write_text(LEAK)
    assert (1, [SAID], "") == flake8("--select=SES")


def test_it_runs_in_processes_and_in_order() -> None:
    for number in range(6):
        Path(f"a{number}.py").write_text(LEAK if number % 2 else "x = 1\n")
    assert ["a1.py:5 SES101", "a3.py:5 SES101", "a5.py:5 SES101"] == ours("-j2", "--session-lint-ignore=SES2")


def test_it_reads_standard_input() -> None:
    assert ["stdin:5 SES101"] == ours("-", stdin=LEAK)
    assert ["deep/x.py:5 SES101"] == ours("--stdin-display-name=deep/x.py", "-", stdin=LEAK)


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# noqa", []),
        ("# noqa: SES101", []),
        ("# noqa: E501", ["a.py:5 SES101"]),
        ("# session-lint: ignore[SES101] closed elsewhere", []),
    ],
)
def test_comments_silence(comment: str, expected: list[str]) -> None:
    Path("a.py").write_text(LEAK.replace("(engine)\n    s", f"(engine)  {comment}\n    s"))
    assert expected == ours()


def test_noqa_stays_flake8s() -> None:
    Path("a.py").write_text(LEAK.replace("(engine)\n    s", "(engine)  # noqa\n    s"))
    assert ["a.py:5 SES101"] == ours("--disable-noqa")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], []),
        (["--select=SES"], []),
        (["--extend-select=SES"], []),
        (["--select=SES104"], ["a.py:5 SES104"]),
        (["--extend-select=E,SES104"], ["a.py:5 SES104"]),
        (["--session-lint-extend-select=SES104"], ["a.py:5 SES104"]),
        (["--session-lint-select=SES1"], ["a.py:5 SES104"]),
        (["--session-lint-select=SES1", "--session-lint-ignore=SES104"], []),
        (["--select=SES104", "--extend-ignore=SES104"], []),
        (["--ignore=E501"], []),  # which turns rules that are off by flake8's default on
    ],
)
def test_style_rules_run_when_they_are_named(arguments: list[str], expected: list[str]) -> None:
    Path("a.py").write_text(STYLE)
    assert expected == ours(*arguments)


def test_options_stand_in_flake8s_configuration() -> None:
    Path("a.py").write_text(STYLE)
    Path("setup.cfg").write_text(f"[flake8]\nsession-lint-extend-select = SES104,\n    SES401\n{LOCAL}")
    assert ["a.py:5 SES104"] == ours()


def test_the_nearest_settings_count() -> None:
    for folder, text in (("one", "extend-select = ['SES104']"), ("two", "ignore = ['SES1']"), ("three", "")):
        Path(folder).mkdir()
        Path(folder, "a.py").write_text(LEAK + STYLE)
        Path(folder, "pyproject.toml").write_text(f"[tool.session-lint]\n{text}\n")
    assert ["one/a.py:12 SES104", "one/a.py:5 SES101", "three/a.py:5 SES101"] == ours("--session-lint-ignore=SES401")


@pytest.mark.skipif(not INSTALLED, reason="--isolated ignores local plugins, too")
def test_isolated_reads_no_settings_when_installed() -> None:
    Path("a.py").write_text(LEAK)
    Path("pyproject.toml").write_text("[tool.session-lint]\nignore = ['SES1']\n")
    assert [] == ours()
    assert ["a.py:5 SES101"] == ours("--isolated")


def test_isolated_reads_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text("[tool.session-lint]\nignore = ['SES1']\n")
    assert [] == list(made(LEAK).run())
    monkeypatch.setattr(Plugin, "options", Options(isolated=True))
    assert [(5, 14, SAID.partition(": ")[2], Plugin)] == list(made(LEAK).run())


def test_settings_that_cannot_be_followed_do_not_end_the_run() -> None:
    Path("a.py").write_text(LEAK)
    Path("pyproject.toml").write_text("[tool.session-lint]\nselct = []\n")
    _, lines, errors = flake8("--select=SES,E9")
    assert "" == errors
    assert [line.partition(" SES900 ")[0] for line in lines] == ["a.py:1:1:"]
    assert lines[0].endswith("[tool.session-lint] selct: there is no such key; the nearest is 'select'")
    assert ["a.py:1 SES900"] == ours("--session-lint-select=NONE")


def test_force_exclude_holds() -> None:
    Path("gen").mkdir()
    Path("gen/a.py").write_text(LEAK)
    text = "[tool.session-lint]\nextend-exclude = ['gen']\n"
    Path("pyproject.toml").write_text(text)
    assert ["gen/a.py:5 SES101"] == ours()
    Path("pyproject.toml").write_text(f"{text}force-exclude = true\n")
    assert [] == ours()


def test_bad_files_do_not_hide_the_others() -> None:
    Path("x.py").mkdir()
    Path("x.py/leak.py").write_text(LEAK)
    Path("empty.py").touch()
    Path("syntax.py").write_text("def f(:\n")
    if (3, 11, 4) <= sys.version_info < (3, 12):  # on others flake8 itself falls over it
        Path("null.py").write_bytes(LEAK.encode() + b"\0")
    Path("latin.py").write_bytes(b"x = '\xe9'\n")
    Path("nested.py").write_text("(" * 10_000 + ")" * 10_000)
    Path("bom.py").write_bytes(b"\xef\xbb\xbf" + LEAK.encode())
    Path("crlf.py").write_bytes(LEAK.replace("\n", "\r\n").encode())
    Path("feed.py").write_bytes(b"\x0c\n" + LEAK.encode())
    assert ["bom.py:5 SES101", "crlf.py:5 SES101", "feed.py:6 SES101", "x.py/leak.py:5 SES101"] == ours("-j2")


def test_columns_are_characters() -> None:
    text = LEAK.replace("    session = Session(engine)", "    é = 'é'; session = Session(engine)")
    Path("a.py").write_text(text, "utf-8")
    assert ["a.py:5:24: SES101 session 'session' is still open when line 7 returns"] == flake8("--select=SES")[1]


def made(text: str) -> Plugin:
    """The plugin as flake8 makes it."""
    return Plugin(ast.parse(text), "a.py", text.splitlines(keepends=True))


def test_no_exception_gets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "lint_source", lambda *_, **__: 1 / 0)
    message = "SES900 file not analysed: internal error: ZeroDivisionError: division by zero"
    assert [(1, 0, message, Plugin)] == list(made(LEAK).run())


def test_heavy_libraries_are_not_imported() -> None:
    code = """
import sys, ast
from session_lint.plugin import Plugin
text = open("a.py").read()
assert list(Plugin(ast.parse(text), "a.py", text.splitlines(True)).run())
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"libcst", "sqlalchemy", "rich", "click", "flake8"}))
"""
    Path("a.py").write_text(LEAK)
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    assert "\n" == subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)


def test_the_version_is_shown() -> None:
    assert ("session-lint", session_lint.__version__) == (Plugin.name, Plugin.version)


FLAKE8_FILES = ["setup.cfg", "tox.ini", ".flake8"]


@pytest.mark.parametrize("name", FLAKE8_FILES)
def test_all_options_stand_in_flake8s_files(name: str) -> None:
    Path("setup.cfg").unlink()
    Path("conf").mkdir()
    Path("conf/lint.toml").write_text("extend-select = ['SES104']\nignore = ['SES1']\n")
    for file in ("a.py", "b.py", "c.py"):
        Path(file).write_text(LEAK + STYLE)
    text = """[flake8]
select = SES
session-lint-config = conf/lint.toml
session-lint-extend-select = SES101
session-lint-extend-ignore = SES4
session-lint-no-cache = true
session-lint-no-project = true
session-lint-per-file-ignores =
    b.py: SES101, SES3
    c.*,gone/**: SES1
"""
    Path(name).write_text(f"{text}{LOCAL}")
    assert ["a.py:12 SES104", "a.py:5 SES101", "b.py:12 SES104"] == ours()
    assert not Path("conf/.session_lint_cache").exists()


def test_the_command_line_goes_over_flake8s_file() -> None:
    Path("a.py").write_text(LEAK)
    Path("setup.cfg").write_text(f"[flake8]\nsession-lint-per-file-ignores = a.py:SES1\n{LOCAL}")
    assert [] == ours()
    assert ["a.py:5 SES101"] == ours("--session-lint-per-file-ignores=")
    assert [] == ours("--session-lint-per-file-ignores=*.py:SES101")


def test_the_project_is_not_followed_where_an_option_says_so() -> None:
    Path("db.py").write_text(
        "from sqlalchemy.orm import Session\n\n\ndef opened(engine):\n    return Session(engine)\n"
    )
    Path("a.py").write_text(
        "from db import opened\n\n\ndef f(e):\n    s = opened(e)\n    s.execute('x')\n    return 1\n"
    )
    assert ["a.py:5 SES101"] == ours("a.py")
    assert [] == ours("--session-lint-no-project", "a.py")


def test_findings_are_kept_unless_an_option_says_otherwise() -> None:
    Path("a.py").write_text(LEAK)
    Path("pyproject.toml").write_text("[tool.session-lint]\n")
    assert ["a.py:5 SES101"] == ours("--session-lint-no-cache")
    assert not Path(".session_lint_cache").exists()
    assert ["a.py:5 SES101"] == ours()
    assert Path(".session_lint_cache").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--session-lint-config=gone.toml", "gone.toml: cannot be read: No such file or directory"),
        (
            "--session-lint-per-file-ignores=a.py",
            "--session-lint-per-file-ignores: expected `pattern:CODE,CODE`, got 'a.py'",
        ),
        ("--session-lint-per-file-ignores=a.py:SES777", "--per-file-ignores: no rule has the code 'SES777'"),
    ],
)
def test_options_that_cannot_be_followed_do_not_end_the_run(option: str, message: str) -> None:
    Path("a.py").write_text("x = 1\n")
    code, lines, errors = flake8("--select=SES", option)
    assert (1, 1, "") == (code, len(lines), errors)
    assert lines[0].startswith("a.py:1:1: SES900 ")
    assert message in lines[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a.py:SES1", [("a.py", ("SES1",))]),
        ("a.py: SES1 , SES2,\n b/*.py c:ALL\n", [("a.py", ("SES1", "SES2")), ("b/*.py", ("ALL",)), ("c", ("ALL",))]),
        ("a.py,b.py:SES1 c.py:SES2", [("a.py", ("SES1",)), ("b.py", ("SES1",)), ("c.py", ("SES2",))]),
    ],
)
def test_pairs_are_written_as_flake8s(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert expected == per_file(text)


@pytest.mark.parametrize("text", ["a.py", "a.py:", ":SES1", "a.py:SES9X9", "a.py:SES1 b.py", "a.py:ses1"])
def test_other_pairs_are_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="expected `pattern:CODE,CODE`, got '"):
        per_file(text)
