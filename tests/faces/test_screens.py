"""What the command says of itself: help that fits a screen, completion, and what to do about a mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from session_lint.cli.commands import MODULES, command
from session_lint.cli.completion import SHELLS, VARIABLE
from session_lint.rules import catalogue
from session_lint.settings.schema import schema_text
from tests.faces.inside import said

ROWS, COLUMNS = 45, 80
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("words", [(), *((name,) for name in MODULES)])
def test_help_fits_a_screen_and_shows_an_example(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(command, [*words, "--help"], terminal_width=COLUMNS)
    lines = done.output.splitlines()
    assert 0 == done.exit_code
    assert ROWS >= len(lines), done.output
    assert [] == [line for line in lines if len(line) > COLUMNS]
    assert [" ".join(("session-lint", *words))] == [
        line.strip()[: len(" ".join(("session-lint", *words)))]
        for line, above in zip(lines[1:], lines, strict=False)
        if above.startswith("Example")
    ] or words == ("completion",)


def test_every_option_is_on_the_page_about_the_command_line() -> None:
    text = (DOCS / "command-line.md").read_text("utf-8")
    for name in MODULES:
        found = command.get_command(command.make_context("session-lint", ["rules"]), name)
        assert found is not None
        assert [] == [opt for one in found.params for opt in one.opts if opt.startswith("--") and f"`{opt}" not in text]
        assert f"`session-lint {name}" in text or f"session-lint {name}" in text


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("chekc",), "did you mean `check`?"),
        (("leak.py", "--quiet"), "session-lint check leak.py --quiet"),
        (("qqqqqq",), "`session-lint --help` lists the commands"),
        (("--select", "SES1", "src"), "--select is an option of `check`: session-lint check --select SES1 src"),
        (("check", "--selct", "SES1"), "--select"),
        (("explain", "SES9999"), "SES90"),
        (("explain", "zzzzzzzzzz"), "`session-lint rules` lists them"),
        (("completion", "tcsh"), "bash"),
    ],
)
def test_a_mistake_is_answered_with_what_to_do(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: tuple[str, ...],
    hint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leak.py").touch()
    done = said(capsys, *arguments)
    assert (2, "", True) == (done.code, done.out, hint in done.err), done.err


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    done = said(capsys, "schema")
    assert (0, schema_text(), "") == (done.code, done.out, done.err)


def completed(*words: str) -> list[str]:
    """What a shell is offered for the last word."""
    shell = ShellComplete(command, {}, "session-lint", VARIABLE)
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


def test_codes_are_completed() -> None:
    family = [code for code in catalogue() if code.startswith("SES2")]
    assert family == completed("check", "--select", "SES2")
    assert [f"SES1,{code}" for code in family] == completed("check", "--ignore", "SES1,ses2")
    assert family == completed("explain", "SES2")
    assert [] == completed("check", "--select", "E5")
    assert ["--diff", "--diff-base"] == sorted(completed("check", "--diff"))
    assert ["check", "completion"] == completed("c")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "session_lint", "completion", shell], capture_output=True, text=True, check=True
    )
    assert (True, "") == (f"{VARIABLE}={shell}_complete" in done.stdout, done.stderr)
