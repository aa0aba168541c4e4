"""`session-lint baseline` and `check --baseline`, as people run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import ClickException
from click.testing import CliRunner

from session_lint.cli import run as cli_run
from session_lint.cli.commands import command
from session_lint.errors import UserError
from session_lint.recording import FILE
from tests.faces.test_cli import run

IMPORT = "from database.session import SessionLocal, get_session\n\n\n"
LEAK = (
    "def {name}(q):\n    session = SessionLocal(info={{'a': 1,\n        u'b': 2}})\n    return session.execute(q)\n\n\n"
)
COUNT, TOTAL = LEAK.format(name="count"), LEAK.format(name="total")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A code base with two leaks in one file and one in another, whose baseline is recorded."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\ncache = false\n")
    (tmp_path / "shop").mkdir()
    Path("shop/orders.py").write_text(IMPORT + COUNT + TOTAL)
    Path("shop/stock.py").write_text(IMPORT + COUNT)
    assert lint("baseline") == (0, f"3 findings recorded in {FILE}")


def lint(*arguments: str) -> tuple[int, str]:
    """A run's exit code, and the last line that it said: of what it printed, or of what went wrong."""
    for one in vars(cli_run).values():  # a process is one run, and these are several in one
        getattr(one, "cache_clear", lambda: None)()
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    if isinstance(done.exception, (ClickException, UserError)):
        return 2, str(done.exception)
    assert done.exception is None
    return done.return_value or 0, (done.output.strip().splitlines() or [""])[-1]


def recorded() -> list[tuple[str, str, int]]:
    """File, function and number of each entry."""
    found = json.loads(Path(FILE).read_text("utf-8"))["findings"]
    return [(one["path"], one["symbol"], one["count"]) for one in found if one]


KNOWN = (0, "Nothing new: 2 files checked; 0 new, 3 known (baseline), 0 gone")
ENTRIES = [("shop/orders.py", "count", 1), ("shop/orders.py", "total", 1), ("shop/stock.py", "count", 1)]


def test_known_findings_are_not_reported() -> None:
    """Nothing new is nothing found; without the baseline all is found."""
    assert lint("check", "--baseline") == KNOWN
    assert lint("check")[0] == 1
    assert recorded() == ENTRIES


def _black() -> None:
    before = Path("shop/orders.py").read_text()
    subprocess.run([sys.executable, "-m", "black", "-q", "."], check=True, timeout=60)
    assert Path("shop/orders.py").read_text() != before


def _lines() -> None:
    Path("shop/orders.py").write_text(
        "import os\n\n\n" + IMPORT + "X = 1\n" + COUNT.replace("session =", "# why\n    session =") + TOTAL
    )


def _ends() -> None:
    for file in Path("shop").iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    "change",
    [
        _black,
        _lines,
        _ends,
        lambda: Path("shop/stock.py").rename("shop/store.py"),
        lambda: Path("shop").rename("store"),
        lambda: Path("shop/orders.py").write_text(IMPORT + TOTAL + COUNT),
    ],
    ids=["black", "inserted lines", "line ends", "moved file", "renamed folder", "another order"],
)
def test_what_it_survives(change: object) -> None:
    """Nothing is new and nothing gone, and pruning afterwards loses nothing."""
    assert callable(change)
    change()
    assert lint("check", "--baseline") == KNOWN
    assert lint("baseline", "--prune") == (0, f"0 removed, 3 findings in {FILE}")
    assert lint("check", "--baseline") == KNOWN


def test_only_what_is_new_is_reported() -> None:
    """In every form; and it fails the run."""
    Path("shop/new.py").write_text(IMPORT + LEAK.format(name="fresh"))
    expected = "Found 1 error in 1 file (3 files checked); 1 new, 3 known (baseline), 0 gone"
    assert lint("check", "--baseline") == (1, expected)
    assert lint("check", "--baseline", "--output-format", "concise") == (1, expected)
    done = CliRunner().invoke(command, ["check", "--baseline", "--output-format", "json"])
    assert [one["symbol"] for one in json.loads(done.output)] == ["fresh"]
    assert lint("check", "--baseline", "--exit-zero")[0] == 0


def test_a_plain_run_does_not_let_it_grow() -> None:
    """Neither recording again nor pruning takes up what is new."""
    before = Path(FILE).read_bytes()
    Path("shop/new.py").write_text(IMPORT + LEAK.format(name="fresh"))
    code, said = lint("baseline")
    assert (code, "--prune" in said, "--accept REASON" in said) == (2, True, True)
    assert lint("baseline", "--prune")[0] == 0
    assert lint("baseline", "--accept", " ")[0] == 2
    assert Path(FILE).read_bytes() == before


def test_it_grows_by_a_reason() -> None:
    """Which stands in the file; what is gone stays until it is pruned."""
    Path("shop/stock.py").write_text(IMPORT + LEAK.format(name="fresh"))
    assert lint("baseline", "--accept", "closed by the framework") == (0, f"1 added, 4 findings in {FILE}")
    reasons = [one.get("reason") for one in json.loads(Path(FILE).read_text())["findings"] if one]
    assert reasons == [None, None, None, "closed by the framework"]
    assert lint("check", "--baseline")[0] == 1
    assert lint("baseline", "--prune") == (0, f"1 removed, 3 findings in {FILE}")
    assert lint("check", "--baseline") == KNOWN


def test_what_is_gone_fails_until_it_is_taken_out() -> None:
    """The message names the entries and the command; with a new one in its place both are told."""
    Path("shop/stock.py").write_text(IMPORT)
    done = run("check", "--baseline", cwd=Path.cwd())
    assert (done.returncode, done.stdout.decode().strip()) == (
        1,
        "Nothing new: 2 files checked; 0 new, 2 known (baseline), 1 gone",
    )
    assert done.stderr.decode().splitlines() == [
        "session-lint: gone: shop/stock.py: SES101 in count: session = SessionLocal(info={'a': 1,",
        "session-lint: 1 recorded finding gone: take them out with `session-lint baseline --prune`",
    ]
    Path("shop/stock.py").write_text(IMPORT + LEAK.format(name="fresh"))
    assert "1 new, 2 known (baseline), 1 gone" in CliRunner().invoke(command, ["check", "--baseline"]).output
    assert lint("baseline", "--prune")[0] == 0
    assert recorded() == ENTRIES[:2]


def test_a_run_over_some_files_calls_no_other_entry_gone() -> None:
    """But that of a file that is there no more."""
    assert lint("check", "--baseline", "shop/stock.py") == (
        0,
        "Nothing new: 1 file checked; 0 new, 1 known (baseline), 0 gone",
    )
    Path("shop/orders.py").unlink()
    assert lint("check", "--baseline", "shop/stock.py")[0] == 1


def test_what_was_not_looked_for_is_not_gone() -> None:
    """Other rules, and a file that cannot be read for the moment."""
    assert lint("check", "--baseline", "--select", "SES5") == (
        0,
        "Nothing new: 2 files checked; 0 new, 0 known (baseline), 0 gone",
    )
    Path("shop/orders.py").write_text("def  # Session\n")
    assert "1 new, 1 known (baseline), 0 gone" in lint("check", "--baseline")[1]


def test_standard_input_is_its_file() -> None:
    """By the name that it is given."""
    done = run(
        "check", "--baseline", "--stdin-filename", "shop/stock.py", "-", cwd=Path.cwd(), stdin=(IMPORT + COUNT).encode()
    )
    assert (done.returncode, b"0 new, 1 known" in done.stdout) == (0, True)
    assert lint("baseline", "-")[0] == 2


def test_files_outside_of_its_folder() -> None:
    """They are named from there."""
    assert lint("baseline", "--baseline-file", "shop/b.json", "shop/stock.py", ".")[0] == 0
    Path("deep").mkdir()
    assert lint("baseline", "--baseline-file", "deep/b.json", ".")[0] == 0
    found = json.loads(Path("deep/b.json").read_text())["findings"]
    assert found[0]["path"] == "../shop/orders.py"
    assert lint("check", "--baseline-file", "deep/b.json") == KNOWN


def test_the_settings_name_it() -> None:
    """Then `check` reads it without being told, and can be told not to."""
    Path("pyproject.toml").write_text('[tool.session-lint]\ncache = false\nbaseline = "ci/old.json"\n')
    code, said = lint("check")
    assert (code, said) == (
        2,
        f"{Path('ci/old.json').absolute()}: there is no baseline yet; record one with `session-lint baseline`",
    )
    Path("ci").mkdir()
    assert lint("baseline") == (0, "3 findings recorded in ci/old.json")
    assert lint("check") == KNOWN
    assert lint("check", "--no-baseline")[0] == 1


def test_the_settings_of_what_is_named_name_it() -> None:
    """As they do for the report: of the first path, not only of the current folder."""
    Path("shop/session-lint.toml").write_text('cache = false\nbaseline = "old.json"\n')
    assert lint("baseline", "shop") == (0, "3 findings recorded in shop/old.json")
    assert lint("check", "shop") == KNOWN
    assert lint("check", "--no-baseline", "shop")[0] == 1
    assert lint("check", ".", "shop")[0] == 1  # whose settings name none
    assert lint("check", "--baseline-file", FILE, "shop") == KNOWN


def test_a_place_that_cannot_be_written_is_said_at_once() -> None:
    """Before anything is looked at, with what to do."""
    place = Path("nowhere").absolute()
    assert lint("baseline", "--baseline-file", "nowhere/b.json", "no such path") == (
        2,
        f"{place}/b.json: there is no folder {place}; make it first: mkdir -p {place}",
    )


def test_flake8_reads_it_where_the_settings_name_it() -> None:
    """As the command does."""
    Path("pyproject.toml").write_text(f'[tool.session-lint]\ncache = false\nbaseline = "{FILE}"\n')
    Path("shop/stock.py").write_text(IMPORT + COUNT + TOTAL)
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--select", "SES", "shop"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    lines = done.stdout.splitlines()
    assert (1, ["shop/stock.py:11:15: SES101"]) == (done.returncode, [" ".join(line.split()[:2]) for line in lines])
    assert lint("check")[0] == 1


def test_comments_do_not_silence_what_a_baseline_knows() -> None:
    """Unless they are meant to."""
    Path("pyproject.toml").write_text(f'[tool.session-lint]\ncache = false\nbaseline = "{FILE}"\n')
    assert lint("check", "--add-noqa") == (
        2,
        "--add-noqa and a baseline do not go together: --no-baseline silences what it knows, too",
    )
    assert lint("check", "--add-noqa", "--no-baseline") == (0, "3 findings silenced in 2 files, 0 left")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1: not JSON: "),
        ("[]", "not a baseline: there is no list `findings`; `session-lint baseline` writes one"),
        ('{"version": 9, "findings": []}', "version: this session-lint reads 1, not 9"),
        ('{"version": 1, "findings": [{"path": "a.py"}]}', "entry 1: object missing required field `code`"),
        ('{"version": 1, "findings": [3]}', "entry 1: expected `object`, got `int`"),
        ("x\n<<<<<<< HEAD\n", "line 2: a merge was not finished"),
        ("\udcff", "not a baseline: "),
    ],
)
def test_a_file_that_is_none(content: str, said: str) -> None:
    """The message names the file and the place; the file stays as it is."""
    data = content.encode("utf-8", "surrogateescape")
    Path(FILE).write_bytes(data)
    for arguments in (["check", "--baseline"], ["baseline", "--prune"]):
        code, text = lint(*arguments)
        assert (code, said in text, FILE in text) == (2, True, True)
    assert Path(FILE).read_bytes() == data


@pytest.mark.parametrize(("key", "value"), [("count", 0), ("count", "many"), ("path", ""), ("fingerprint", None)])
def test_an_entry_that_is_none(key: str, value: object) -> None:
    """The message names the entry and the key."""
    content = json.loads(Path(FILE).read_text())
    content["findings"][1][key] = value
    Path(FILE).write_text(json.dumps(content))
    code, said = lint("check", "--baseline")
    assert (code, f"{FILE}: entry 2: {key}: expected" in said) == (2, True)


def test_an_entry_that_stands_twice() -> None:
    """Two branches may have accepted the same: that is not for the tool to add up."""
    content = json.loads(Path(FILE).read_text())
    content["findings"].append(content["findings"][0])
    Path(FILE).write_text(json.dumps(content))
    assert "twice" in lint("check", "--baseline")[1]


def test_nothing_is_recorded_of_half_a_run(tmp_path: Path) -> None:
    """A path that does not exist leaves the baseline as it was."""
    before = Path(FILE).read_bytes()
    Path("shop/stock.py").write_text(IMPORT)
    assert lint("baseline", "--prune", "shop", "nowhere")[0] == 2
    assert Path(FILE).read_bytes() == before


def test_flake8_reports_what_is_new() -> None:
    """Of each file by itself: what a comment silences uses up no entry, and a moved file is new until it is pruned."""
    Path("shop/stock.py").write_text(IMPORT + COUNT.replace("'a': 1,", "'a': 1,  # noqa: SES101") + COUNT + TOTAL)
    Path("shop/orders.py").rename("shop/moved.py")
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--select", "SES", f"--session-lint-baseline={FILE}", "shop"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    found = [line.rsplit(":", 3)[0] + ":" + line.split(":")[1] for line in done.stdout.splitlines()]
    assert sorted(found) == ["shop/moved.py:11", "shop/moved.py:5", "shop/stock.py:17"]


def test_flake8_says_what_is_wrong_with_it() -> None:
    """As a finding of each file, since it may not end the run."""
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--select", "SES", "--session-lint-baseline=nowhere.json", "shop/stock.py"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert ("SES900" in done.stdout, "there is no baseline yet" in done.stdout) == (True, True)
