"""The options of ``check``, each for itself and against each other."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from session_lint.cli import progress
from tests.faces.inside import CLEAN, LEAK, MENDABLE, Said, said


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a leak, a file that can be mended, and one without a fault."""
    for name, text in (("leak.py", LEAK), ("mendable.py", MENDABLE), ("clean.py", CLEAN)):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """A run without a cache, so that nothing is written that a test does not look for."""
    return said(capsys, "check", "--no-cache", *arguments)


def codes(text: str) -> list[str]:
    """The codes of a JSON report."""
    return [finding["code"] for finding in json.loads(text)]


def test_fix_writes_what_is_safe_and_reports_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--fix", "--output-format", "json")
    assert (1, ["SES101"], "1 fixed in 1 file\n") == (done.code, codes(done.out), done.err)
    assert LEAK == Path("leak.py").read_text()
    assert "with scoped_session() as session:" in Path("mendable.py").read_text()
    again = check(capsys, "--fix", "--output-format", "json")
    assert (1, ["SES101"], "") == (again.code, codes(again.out), again.err)


def test_unsafe_fixes_are_written_when_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--fix", "--unsafe", "--quiet")
    assert (0, "", "") == (done.code, done.out, done.err)
    assert "with SessionLocal() as session:" in Path("leak.py").read_text()


def test_a_fix_may_count_as_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--fix", "--exit-non-zero-on-fix", "mendable.py")
    assert [1, 0] == [check(capsys, *arguments).code, check(capsys, *arguments).code]


def test_diff_shows_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--diff")
    assert (1, True, "") == (done.code, done.out.startswith("--- a/mendable.py\n+++ b/mendable.py\n"), done.err)
    assert MENDABLE == Path("mendable.py").read_text()
    assert (0, "") == (check(capsys, "--diff", "leak.py").code, check(capsys, "--diff", "leak.py").out)


def test_statistics_count_each_rule(capsys: pytest.CaptureFixture[str]) -> None:
    Path("again.py").write_text(LEAK)
    done = check(capsys, "--statistics")
    rows = ["2  SES101  session-not-closed", "1  SES102  session-not-closed-on-error  [1 fixable]"]
    assert (1, rows) == (done.code, done.out.splitlines()[:2])
    counted = json.loads(check(capsys, "--statistics", "--output-format", "json").out)
    assert {"code": "SES101", "name": "session-not-closed", "count": 2, "fixable": 0} == counted[0]
    assert "[]\n" == check(capsys, "--statistics", "--output-format", "json", "clean.py").out
    assert "All clear: 1 file checked\n" == check(capsys, "--statistics", "clean.py").out


def test_the_report_goes_to_a_file_whole(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    Path("found.json").write_text("old")
    done = check(capsys, "--output-format", "json", "--output-file", "found.json")
    assert (1, "", "") == (done.code, done.out, done.err)
    assert ["SES101", "SES102"] == codes(Path("found.json").read_text())
    assert ["clean.py", "found.json", "leak.py", "mendable.py"] == sorted(path.name for path in tmp_path.iterdir())


def test_several_reports_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--report", "json:found.json", "--report", "concise:found.txt", "--color", "always", "leak.py")
    assert (1, True) == (done.code, "\x1b[" in done.out)
    assert (["SES101"], True) == (
        codes(Path("found.json").read_text()),
        Path("found.txt").read_text().startswith("leak.py:5:15: SES101"),
    )


@pytest.mark.parametrize(
    ("arguments", "said_of_it"),
    [
        (("--output-file", "nowhere/found.txt"), "there is no folder nowhere; make it first: mkdir -p nowhere"),
        (("--report", "json:."), "is a folder; name a file in it"),
        (("--report", "jsn:found.json"), "'jsn:found.json' is not FORMAT:PATH; the formats are full, concise, "),
        (("--report", "json:"), "is not FORMAT:PATH"),
        (("--report", "json:a", "--output-file", "./a"), "two reports cannot go to one file"),
        (("--per-file-ignores", "tests"), "'tests' is not PATTERN:CODES"),
        (("--per-file-ignores", "tests:SES9x"), "no rule has the code 'SES9x'"),
        (("--select", "SES999"), "no rule has the code 'SES999'"),
        (("--unsafe",), "add --fix or --diff"),
        (("--fix", "--diff"), "--fix and --diff do not go together"),
        (("--quiet", "--verbose"), "--quiet and --verbose do not go together"),
        (("--fix", "-"), "`session-lint fix -` mends what it reads"),
        (("--watch", "-"), "--watch and standard input do not go together: name files or folders"),
        (("--watch", "--fix"), "--watch and --fix do not go together"),
        (("--watch", "--output-format", "json"), "its formats are full, concise"),
        (("--statistics", "--output-file", "x"), "--report FORMAT:FILE writes the findings beside them"),
        (("--diff-base", "HEAD", "--fix"), "--diff-base and --fix do not go together"),
        (("--error-on", "nothing"), "error"),
        (("--outputfile", "x"), "--output-file"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said_of_it: str
) -> None:
    before = {path: path.read_bytes() for path in Path().iterdir()}
    done = check(capsys, *arguments)
    assert (2, "", True) == (done.code, done.out, said_of_it in done.err), done.err
    assert before == {path: path.read_bytes() for path in Path().iterdir()}


@pytest.mark.parametrize(("least", "expected"), [("error", 0), ("warning", 1), ("style", 1)])
def test_the_severity_that_fails(capsys: pytest.CaptureFixture[str], least: str, expected: int) -> None:
    Path("idle.py").write_text(
        "from database.session import SessionLocal\n\n\ndef idle():\n    session = SessionLocal()\n"
    )
    done = check(capsys, "--error-on", least, "--output-format", "concise", "idle.py")
    assert (expected, "Found 1 warning") == (done.code, done.out.splitlines()[-1][:15])
    assert 1 == check(capsys, "--error-on", least, "leak.py").code
    assert 0 == check(capsys, "--error-on", least, "--exit-zero", "leak.py").code


def test_rules_ignored_in_some_files(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--output-format", "json", "--per-file-ignores", "mend*:SES1,SES2")
    assert ["leak.py"] == [Path(finding["filename"]).name for finding in json.loads(done.out)]
    Path("pyproject.toml").write_text('[tool.session-lint.per-file-ignores]\n"leak.py" = ["SES1"]\n')
    done = check(capsys, "--output-format", "json", "--per-file-ignores", "mend*:SES1")
    assert ["leak.py"] == [Path(finding["filename"]).name for finding in json.loads(done.out)]


def test_files_are_listed_and_not_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    done = check(capsys, "--show-files", "--exclude", "clean.py")
    assert (0, ["leak.py", "mendable.py"], "") == (done.code, done.out.splitlines(), done.err)
    done = check(capsys, "--show-files", "nowhere")
    assert (2, "", "session-lint: nowhere: no such file or folder\n") == (done.code, done.out, done.err)


def test_settings_are_shown_with_where_they_come_from(capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text('[tool.session-lint]\nignore = ["SES3"]\nextend-exclude = ["gen"]\n')
    done = check(capsys, "--show-settings", "--ignore", "SES4", "leak.py")
    rows = dict(line.rsplit("  # ", 1) for line in done.out.splitlines() if " = " in line)
    assert (0, "# the settings for leak.py, from pyproject.toml") == (done.code, done.out.splitlines()[0])
    assert {
        'extend-exclude = ["gen"]': "pyproject.toml",
        'ignore = ["SES3"]': "pyproject.toml and command line",
        "cache = false": "command line",
        "whole-project = true": "default",
        "jobs = 0": "default",
    }.items() <= {key.strip(): value for key, value in rows.items()}.items()
    assert ("SES101" in done.out.splitlines()[-1], "SES301" in done.out, "SES401" in done.out) == (True, False, False)
    assert "from no file" in check(capsys, "--show-settings", "--isolated").out


def test_mistakes_of_all_settings_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of folders, too, where the settings that decide how to report are wrong themselves."""
    Path("pyproject.toml").write_text("[tool.session-lint]\njobs = -1\n")
    Path("sub").mkdir()
    Path("sub/session-lint.toml").write_text('ignore = ["SES1O4"]\n')
    Path("sub/a.py").write_text(CLEAN)
    for paths in ([], ["sub", "clean.py"], ["clean.py", "sub/a.py"]):
        done = check(capsys, *paths)
        lines = done.err.removeprefix("session-lint: ").splitlines()
        places = sorted(Path(line.partition(": ")[0]).name for line in lines)
        assert (2, ["pyproject.toml:2", "session-lint.toml:1"]) == (done.code, places)


def test_shown_settings_are_those_that_a_run_goes_by(capsys: pytest.CaptureFixture[str]) -> None:
    """What a run as a whole goes by is overridden, too, and only what was given is called given."""
    text = 'output-format = "json"\njobs = 2\nbaseline = "old.json"\nextend-exclude = ["a\'b\\"c"]\n'
    Path("session-lint.toml").write_text(text)

    def rows(*arguments: str) -> dict[str, str]:
        done = check(capsys, "--show-settings", *arguments)
        assert 0 == done.code
        pairs = [line.rsplit("  # ", 1) for line in done.out.splitlines() if " = " in line]
        return {key.strip(): value for key, value in pairs}

    file, both = "session-lint.toml", "session-lint.toml and command line"
    assert {
        'output-format = "json"': file,
        "jobs = 2": file,
        f'baseline = "{Path("old.json").absolute()}"': file,
        'extend-exclude = ["a\'b\\"c"]': file,
        "unsafe-fixes = false": "default",
    }.items() <= rows().items()
    given = rows("--output-format", "full", "--error-on", "error", "--jobs", "0", "--fix", "--unsafe", "--no-baseline")
    assert {
        'output-format = "full"': both,
        'error-on = "error"': "command line",
        "jobs = 0": both,
        "unsafe-fixes = true": "command line",
    }.items() <= given.items()
    assert [] == [key for key in given if key.startswith("baseline")]
    assert both == rows("--baseline-file", "new.json")[f'baseline = "{Path("new.json").absolute()}"']


def test_mistakes_in_all_settings_are_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Not only those in the settings of what was named first."""
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "session-lint.toml").write_text("jobs = -1\n")
    for more in ((), ("--fix",), ("--show-files",)):
        done = check(capsys, "a", "b", *more)
        assert (2, "", ["a", "b"]) == (done.code, done.out, [line.split("/")[-2] for line in done.err.splitlines()])
    done = check(capsys, "--stdin-filename", "a/x.py", "-")
    assert (2, "", 1) == (done.code, done.out, len(done.err.splitlines()))


def test_verbose_tells_of_settings_files_cache_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (said(capsys, "check", "-v", "--exit-zero", "leak.py") for _ in range(2))
    assert "settings from no file: 1 file\n1 file checked, 0 of them from the cache\n" in first.err
    assert "1 file checked, 1 of them from the cache\n" in second.err
    assert ["finding the files took", "analysing them took"] == [
        line.rpartition(" took ")[0] + " took" for line in second.err.splitlines()[-3:-1]
    ]
    assert "of that, in all processes: " in first.err
    assert all(stage in first.err for stage in ("parsing ", "reading names ", "making graphs ", "solving them "))


@pytest.mark.parametrize(("when", "expected"), [("always", True), ("never", False), ("auto", False)])
def test_color_goes_over_the_environment(capsys: pytest.CaptureFixture[str], when: str, expected: bool) -> None:
    assert expected is ("\x1b[" in check(capsys, "--color", when, "leak.py").out)


class Terminal(io.StringIO):
    """A terminal, which keeps what was printed to it."""

    def isatty(self) -> bool:
        """It is one."""
        return True


@pytest.mark.parametrize(("patience", "hidden", "seen"), [(-1, False, True), (-1, True, False), (60, False, False)])
def test_the_bar_is_for_long_runs_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, patience: int, hidden: bool, seen: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with progress.progress(3, hidden=hidden) as step:
        for _ in range(3):
            step()
    assert (seen, seen) == ("checking" in terminal.getvalue(), "3/3" in terminal.getvalue())
    assert seen or terminal.getvalue() == ""


def test_no_bar_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", -1)
    assert "" == check(capsys, "leak.py").err
