"""What is answered without the command line is what the command says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from session_lint.unchanged import _settings, said_of

from session_lint.cli import run
from session_lint.engine import forget
from tests.faces.inside import CLEAN, LEAK, Said, said

PLAIN = "def double(number):\n    return number * 2\n"
FILES = {
    "plain.py": PLAIN,
    "clean.py": CLEAN,
    "leak.py": LEAK,
    "silent.py": LEAK.replace("()\n", "()  # noqa: SES101\n"),
    "other.py": f"import os  # noqa: F401\n{PLAIN}",
    "broken.py": "def f(:\n",
    "stub.pyi": "x: int\n",
    "notes.md": "nothing\n",
    "package/inner.py": PLAIN,
}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package").mkdir()
    Path("pyproject.toml").touch()
    for name, text in FILES.items():
        Path(name).write_text(text)


def answered(*arguments: str) -> str | None:
    """The answer of a process that has just begun."""
    forget()
    _settings.cache_clear()
    return said_of(arguments)


@pytest.mark.parametrize(
    "line",
    [
        "check plain.py",
        "check clean.py",
        "check other.py",
        "check stub.pyi",
        "check -q clean.py",
        "check clean.py --quiet plain.py -q",
        "check --force-exclude ./plain.py package/inner.py",
        "check package/../plain.py clean.py",
    ],
)
def test_what_is_clean_still_is_answered_as_the_command_does(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split()
    assert answered(*words) is None
    whole = said(capsys, *words)
    assert whole == Said(0, answered(*words) or "", "")
    assert answered(*words) is not None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "check",
        "check -q",
        "check .",
        "check package",
        "check leak.py",
        "check plain.py leak.py",
        "check silent.py",
        "check broken.py",
        "check missing.py",
        "check notes.md",
        "check plain.py ./plain.py",
        "check --no-cache plain.py",
        "check --select SES1 plain.py",
        "check --output-format json plain.py",
        "check -qv plain.py",
        "check -- plain.py",
        "fix plain.py",
    ],
)
def test_what_is_not_plain_is_left_to_the_command(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, *line.split())
    assert answered(*line.split()) is None


@pytest.mark.parametrize(
    "settings",
    [
        "cache = false",
        "output-format = 'json'",
        "baseline = 'known.json'",
        "extend-exclude = ['plain.py']\nforce-exclude = true",
        "selct = []",
        "= 1",
    ],
)
def test_settings_that_ask_for_more_leave_it_to_the_command(settings: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("session-lint.toml").write_text(settings)
    said(capsys, "check", "plain.py")
    assert answered("check", "plain.py") is None


def test_standard_input_is_left_to_the_command() -> None:
    assert answered("check", "-") is None


def test_settings_count(capsys: pytest.CaptureFixture[str]) -> None:
    Path("session-lint.toml").write_text("ignore = ['SES101']\n")
    assert Said(0, "All clear: 1 file checked\n", "") == said(capsys, "check", "leak.py")
    assert "All clear: 1 file checked\n" == answered("check", "leak.py")
    Path("session-lint.toml").write_text("")
    assert answered("check", "leak.py") is None


def test_a_shell_that_completes_is_answered_by_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, "check", "plain.py")
    monkeypatch.setenv("_SESSION_LINT_COMPLETE", "bash_complete")
    assert answered("check", "plain.py") is None


def test_a_file_that_has_changed_is_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "check", "plain.py")
    Path("plain.py").write_text(LEAK)
    assert answered("check", "plain.py") is None


def test_a_new_opener_is_not_overlooked(capsys: pytest.CaptureFixture[str]) -> None:
    """Another file that begins to hand out sessions changes what is known of all."""
    Path("opener.py").write_text("def opened():\n    return 1\n")
    Path("user.py").write_text(
        "from opener import opened\n\n\ndef use():\n    s = opened()\n    s.execute(1)\n    return 1\n"
    )
    assert 0 == said(capsys, "check", "user.py").code
    assert "" == answered("check", "-q", "user.py")
    Path("opener.py").write_text("from sqlalchemy.orm import Session\n\n\ndef opened():\n    return Session(1)\n")
    assert answered("check", "-q", "user.py") is None
    run.forget()
    assert 1 == said(capsys, "check", "user.py").code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_output_that_cannot_be_written_is_told_as_ever() -> None:
    def done(*words: str) -> tuple[int, str]:
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "session_lint", "check", *words]
            ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
            return ended.returncode, ended.stderr

    assert (2, "session-lint: [Errno 28] No space left on device\n") == done("--no-cache", "plain.py")
    assert [done("plain.py")] * 2 == [done("--no-cache", "plain.py"), done("plain.py")]


@pytest.mark.parametrize("before", [CLEAN, LEAK])
def test_a_project_is_not_looked_at_twice(
    before: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the command has to look in any case, nothing but the files that were named is read before."""
    Path("one.py").write_text(before)
    said(capsys, "check", "one.py", "plain.py")
    Path("one.py").write_text(LEAK)
    monkeypatch.setattr("session_lint.signs.known", lambda *_: pytest.fail("looked at"))
    assert answered("check", "plain.py", "one.py") is None


def test_nothing_is_analysed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the words of a project have to be learnt anew, that is the command's work."""
    said(capsys, "check", "plain.py")
    assert answered("check", "-q", "plain.py") == ""
    Path("clean.py").write_text(f"{CLEAN}\n\nfurther = 1\n")
    with monkeypatch.context() as patch:
        patch.setattr("session_lint.analysis.answer", lambda *_: pytest.fail("analysed"))
        assert answered("check", "-q", "plain.py") is None
    said(capsys, "check", "plain.py")
    assert answered("check", "-q", "plain.py") == ""
