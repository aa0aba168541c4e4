"""Plain command lines, which are read without click: what is said of them is what click's way says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from session_lint.cli.check import check
from session_lint.cli.plain import options
from tests.faces.inside import CLEAN, HEAD, LEAK, MENDABLE, Said, said

PLAIN = "def double(number):\n    return number * 2\n"
FILES = {
    "plain.py": PLAIN,
    "clean.py": CLEAN,
    "leak.py": LEAK,
    "mendable.py": MENDABLE,
    "silent.py": LEAK.replace("()\n", "()  # noqa: SES101\n"),
    "idle.py": CLEAN.replace("()", "()  # noqa: SES101"),
    "wide.py": f"{LEAK}    # ünïcödé, 漢字, and\ta tab\n".replace("execute(q)", "execute('漢字\t')"),
    "broken.py": "def f(:\n",
    "latin.py": "# coding: latin-1\n'\xe9'\n",
    "stub.pyi": "x: int\n",
    "notes.md": "nothing\n",
    "folder/inner.py": f"{HEAD}s = SessionLocal()\n",
}
LINES = (
    "check",
    "check plain.py",
    "check -q plain.py",
    "check clean.py --quiet plain.py -q",
    "check leak.py",
    "check -q leak.py clean.py",
    "check --no-cache leak.py",
    "check mendable.py",
    "check silent.py idle.py",
    "check wide.py",
    "check broken.py latin.py stub.pyi",
    "check notes.md",
    "check missing.py leak.py",
    "check missing.py",
    "check folder",
    "check . leak.py folder/../leak.py",
    "check --force-exclude folder plain.py",
    "check --select SES1 leak.py",
    "check --select=SES1,SES401 leak.py mendable.py",
    "check --ignore SES101 --extend-select ALL --extend-ignore SES4 leak.py",
    "check --ignore , leak.py",
    "check --select SES1 --select ALL leak.py",
    "check --select NONE leak.py",
    "check --output-format concise leak.py wide.py",
    "check --output-format=json leak.py",
    "check --output-format full --output-format json clean.py",
    "check -q --output-format sarif clean.py",
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    Path("pyproject.toml").touch()
    for name, text in FILES.items():
        Path(name).write_text(text, "latin-1" if name == "latin.py" else "utf-8")


@pytest.mark.parametrize("line", LINES)
def test_options_are_those_that_click_reads(line: str) -> None:
    words = line.split()
    params = dict(check.make_context("check", words[1:]).params)
    paths = list(params.pop("paths"))
    assert (paths, params) == options(words)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "fix plain.py",
        "--version check",
        "check -",
        "check -qv plain.py",
        "check -qq",
        "check --qui plain.py",
        "check --quiet=yes plain.py",
        "check -- plain.py",
        "check --help",
        "check --fix plain.py",
        "check plain.py --select",
        "check --select -q plain.py",
        "check --output-format yaml plain.py",
        "check --output-format",
        "check --color never plain.py",
    ],
)
def test_what_is_not_plain_is_left_to_click(line: str) -> None:
    assert options(line.split()) is None


def test_a_shell_that_completes_is_answered_by_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SESSION_LINT_COMPLETE", "bash_complete")
    assert options(["check", "plain.py"]) is None


def both(capsys: pytest.CaptureFixture[str], line: str) -> list[Said]:
    """What is said of a line without click and with it."""
    found = []
    for read in (options, lambda _: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("session_lint.cli.plain.options", read)
            found.append(said(capsys, *line.split()))
    return found


@pytest.mark.parametrize("line", LINES)
def test_what_is_said_is_the_same(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The first time, and what is kept of it."""
    for _ in range(2):
        plain, whole = both(capsys, line)
        assert whole == plain


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("", 1),
        ("cache = false", 1),
        ("output-format = 'json'", 1),
        ("output-format = 'concise'\nerror-on = 'error'\nselect = ['SES2']", 0),
        ("ignore = ['SES101']", 0),
        ("per-file-ignores = { 'leak.py' = ['SES101'] }", 0),
        ("extend-exclude = ['leak.py']\nforce-exclude = true", 0),
        ("baseline = 'known.json'", 2),
        ("whole-project = false", 1),
        ("selct = []", 2),
        ("= 1", 2),
    ],
)
def test_settings_count_as_ever(settings: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    Path("session-lint.toml").write_text(settings)
    for line in ("check leak.py", "check -q --force-exclude leak.py plain.py"):
        plain, whole = both(capsys, line)
        assert (whole, code) == (plain, plain.code)


def test_a_baseline_counts_as_ever(capsys: pytest.CaptureFixture[str]) -> None:
    Path("session-lint.toml").write_text("baseline = 'known.json'")
    assert 0 == said(capsys, "baseline", "leak.py").code
    plain, whole = both(capsys, "check leak.py")
    assert (whole, 0) == (plain, plain.code)
    Path("leak.py").write_text(CLEAN)
    plain, whole = both(capsys, "check leak.py mendable.py")
    assert whole == plain
    assert "1 recorded finding gone" in plain.err


@pytest.mark.parametrize("variables", [{"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}, {"FORCE_HYPERLINK": "1"}])
def test_colours_and_links_are_the_same(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    plain, whole = both(capsys, "check leak.py wide.py")
    assert whole == plain


def ended(*words: str, encoding: str = "", closed: bool = False) -> tuple[int, bytes, bytes]:
    """How a process ends, and what it says.

    :param encoding: of its output.
    :param closed: whether nobody reads what it prints.
    """
    command = [sys.executable, "-X", "utf8=0", "-m", "session_lint", "check", *words]
    environment = {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        if closed:
            assert process.stdout is not None
            process.stdout.close()
            return process.wait(), b"", process.stderr.read() if process.stderr else b""
        out, errors = process.communicate()
        return process.returncode, out, errors


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_gets_the_same_bytes(encoding: str) -> None:
    said = [ended(*words, "wide.py", "missing-é.py", encoding=encoding) for words in ((), ("--color", "auto"))]
    assert said[0] == said[1]


def test_an_end_without_readers_is_the_same() -> None:
    assert ended("--color", "auto", "leak.py", closed=True) == ended("leak.py", closed=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_output_that_cannot_be_written_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "session_lint", "check", "plain.py"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (2, "session-lint: [Errno 28] No space left on device\n") == (done.returncode, done.stderr)
