"""The command as people run it: real processes, real files, exit codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from session_lint.rules import catalogue
from tests.faces.deep import SUM, readable
from tests.forked import session_lint

HEAD = "from database.session import SessionLocal\n\n\ndef count(q):\n"
LEAK = f"{HEAD}    session = SessionLocal()\n    return session.execute(q)\n"
CLEAN = f"{HEAD}    with SessionLocal() as session:\n        return session.execute(q)\n"
FIELDS = "code name message filename cell location end_location symbol severity trace fix fix_refusal url".split()


def run(*arguments: str, cwd: Path, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """One run of the command."""
    return session_lint(*arguments, cwd=cwd, stdin=stdin, environment={**os.environ, "NO_COLOR": "1", **environment})


def found(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str, int, str]]:
    """File, line and code of each finding of a JSON report."""
    return [(Path(f["filename"]).name, f["location"]["row"], f["code"]) for f in json.loads(done.stdout)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file that leaks and one that does not."""
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "clean.py").write_text(CLEAN)
    return tmp_path


def test_exit_codes(project: Path) -> None:
    """0 clean, 1 findings, 2 could not; `--exit-zero` asks for 0."""
    codes = [
        run("check", "clean.py", cwd=project).returncode,
        run("check", cwd=project).returncode,
        run("check", "--exit-zero", cwd=project).returncode,
        run("check", "nowhere.py", cwd=project).returncode,
        run("check", "--select", "SES999", cwd=project).returncode,
        run("check", "--no-such-option", cwd=project).returncode,
    ]
    assert codes == [0, 1, 0, 2, 2, 2]


def test_missing_path_does_not_hide_the_others(project: Path) -> None:
    """It is named, and the findings of the rest are printed."""
    done = run("check", "--output-format", "concise", "nowhere.py", "leak.py", cwd=project)
    assert (done.returncode, b"nowhere.py" in done.stderr, b"leak.py:5:15: SES101" in done.stdout) == (2, True, True)


def test_nothing_is_clear_where_nothing_was_read(project: Path) -> None:
    """A wrong path is not a clean run; two options that contradict each other are told apart."""
    done = run("check", "nowhere.py", cwd=project)
    assert (done.returncode, done.stdout) == (2, b"")
    done = run("check", "--isolated", "--config", "nowhere.toml", cwd=project)
    assert (done.returncode, b"nowhere.toml" in done.stderr) == (2, True)


def test_json_has_the_documented_shape(project: Path) -> None:
    """Every field of the machine form, with its type."""
    (finding,) = json.loads(run("check", "--output-format", "json", cwd=project).stdout)
    assert list(finding) == FIELDS
    assert finding["filename"] == str(project / "leak.py")
    assert (finding["location"], finding["end_location"]) == ({"row": 5, "column": 15}, {"row": 5, "column": 29})
    assert (finding["symbol"], finding["severity"], finding["name"]) == ("count", "error", "session-not-closed")
    assert [step["location"]["row"] for step in finding["trace"]] == [5, 6]
    assert (finding["fix"]["applicability"], finding["fix_refusal"]) == ("unsafe", None)
    (edit,) = finding["fix"]["edits"]
    assert edit["content"] == "    with SessionLocal() as session:\n        return session.execute(q)\n"


def test_nothing_found_is_an_empty_list(project: Path) -> None:
    """A machine can rely on JSON."""
    assert json.loads(run("check", "--output-format", "json", "clean.py", cwd=project).stdout) == []


def test_text_report(project: Path) -> None:
    """Path, frame, trace, cure, summary."""
    done = run("check", "--no-cache", cwd=project)
    assert done.stdout.decode() == (
        "leak.py:5:15: SES101 session 'session' is still open when line 6 returns\n"
        "4 │ def count(q):\n"
        "5 │     session = SessionLocal()\n"
        "  │               ^^^^^^^^^^^^^^ 1: opened here\n"
        "6 │     return session.execute(q)\n"
        "  │     ───────────────────────── 2: leaves here, still open\n"
        "  help: Open the session in a `with` (unsafe: line 6 returns what may be objects of the session,"
        " which it would detach)\n"
        "  see: https://session-lint.readthedocs.io/en/stable/rules/session-not-closed.html\n"
        "\n"
        "Found 1 error in 1 file (2 files checked)\n"
    )


def test_all_clear_and_quiet(project: Path) -> None:
    """A clean run says how much it looked at, or nothing when asked."""
    assert run("check", "clean.py", cwd=project).stdout == b"All clear: 1 file checked\n"
    assert run("check", "-q", "clean.py", cwd=project).stdout == b""


@pytest.mark.parametrize(("setting", "coloured"), [({"FORCE_COLOR": "1", "NO_COLOR": ""}, True), ({}, False)])
def test_colour(project: Path, setting: dict[str, str], coloured: bool) -> None:
    """Colours only where they are wanted."""
    assert (b"\x1b[" in run("check", cwd=project, stdin=b"", **setting).stdout) is coloured


def test_selection(project: Path) -> None:
    """Prefixes, names of groups, and the one that takes away."""
    (project / "manual.py").write_text(
        "from database.session import SessionLocal\n\n\ndef save(row):\n    session = SessionLocal()\n"
        "    try:\n        session.add(row)\n        session.commit()\n    finally:\n        session.close()\n"
    )
    of = {
        options: found(run("check", "--output-format", "json", *options.split(), cwd=project))
        for options in (
            "",
            "--select SES2",
            "--extend-select SES104",
            "--select ALL --ignore SES101",
            "--exclude leak.py",
        )
    }
    leak, manual = ("leak.py", 5, "SES101"), ("manual.py", 5, "SES104")
    assert list(of.values()) == [[leak], [], [leak, manual], [manual], []]


def test_configuration_and_isolated(project: Path) -> None:
    """`[tool.session-lint]` counts, `--isolated` ignores it, a mistake in it is named."""
    (project / "pyproject.toml").write_text('[tool.session-lint]\nignore = ["SES101"]\n')
    assert run("check", cwd=project).returncode == 0
    assert run("check", "--isolated", cwd=project).returncode == 1
    (project / "pyproject.toml").write_text('[tool.session-lint]\nignroe = ["SES101"]\n')
    done = run("check", cwd=project)
    assert (
        done.returncode,
        b"pyproject.toml" in done.stderr,
        b"ignroe" in done.stderr,
        b"Traceback" in done.stderr,
    ) == (
        2,
        True,
        True,
        False,
    )


NESTED = {"ignores": 'ignore = ["SES101"]', "excludes": 'extend-exclude = ["gen"]', "says_nothing": ""}


@pytest.fixture
def projects(project: Path) -> Path:
    """Projects with settings of their own inside one that has none."""
    for name, setting in NESTED.items():
        (project / name / "gen").mkdir(parents=True)
        (project / name / "pyproject.toml").write_text(f"[tool.session-lint]\n{setting}\n")
        for place in ("a.py", "gen/b.py"):
            (project / name / place).write_text(LEAK)
    return project


def places(*arguments: str, cwd: Path) -> list[str]:
    """Where findings are, in the order of the report, below the folder of the projects."""
    root = next(folder for folder in (cwd, *cwd.parents) if (folder / "leak.py").exists())
    done = run("check", "--no-cache", "--output-format", "json", *arguments, cwd=cwd)
    return [Path(f["filename"]).relative_to(root).as_posix() for f in json.loads(done.stdout)]


def test_the_settings_nearest_to_each_file_count(projects: Path) -> None:
    """However a file was come upon; as flake8 does it. Each file once, in the order of the paths."""
    expected = ["excludes/a.py", "leak.py", "says_nothing/a.py", "says_nothing/gen/b.py"]
    assert expected == places(cwd=projects)
    assert expected == places(*NESTED, ".", "./leak.py", cwd=projects)
    assert expected == places("..", cwd=projects / "ignores")
    assert ["leak.py"] == places("../leak.py", cwd=projects / "ignores")
    assert ["excludes/gen/b.py"] == places("excludes/gen/b.py", "ignores/a.py", cwd=projects)
    assert ["excludes/a.py", "excludes/gen/b.py", "ignores/a.py"] == places("--isolated", cwd=projects)[:3]


def test_a_mistake_in_any_settings_is_named(projects: Path) -> None:
    """What would be linted by settings that cannot be followed is not linted by others."""
    (projects / "ignores" / "pyproject.toml").write_text("[tool.session-lint]\nselct = []\n")
    done = run("check", cwd=projects)
    assert (done.returncode, done.stdout, b"selct: there is no such key" in done.stderr) == (2, b"", True)


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
@pytest.mark.parametrize(
    ("command", "expected"),
    [("check leak.py >&-", 1), ("check clean.py >&- 2>&-", 0), ("check - <&-", 2), ("fix - <&-", 2), ("rules >&-", 0)],
)
def test_closed_streams(project: Path, command: str, expected: int) -> None:
    """A program that is started without them gets an exit code, and no traceback."""
    shell = ["/bin/sh", "-c", f"exec {sys.executable} -m session_lint {command}"]
    done = subprocess.run(shell, cwd=project, capture_output=True, check=False)
    assert (done.returncode, b"Traceback" in done.stderr) == (expected, False)


def test_standard_input(project: Path) -> None:
    """`-` reads it, `--stdin-filename` names it; bytes that are no text are SES900."""
    done = run("check", "--output-format", "json", "--stdin-filename", "leak.py", "-", cwd=project, stdin=LEAK.encode())
    assert (done.returncode, found(done)) == (1, [("leak.py", 5, "SES101")])
    done = run("check", "--output-format", "concise", "-", cwd=project, stdin=b"x = '\xe9'\n")
    assert (done.returncode, b"<stdin>:1:1: SES900" in done.stdout) == (1, True)
    assert run("check", "--ignore", "SES900", "-", cwd=project, stdin=b"x = '\xe9'\n").returncode == 0


BAD = {
    "syntax.py": b"def f(:  # Session\n",
    "null.py": b"x = 1\x00\n",
    "latin.py": "x = 'é'\n".encode("latin-1"),
    "nested.py": b"Session = " + b"(" * 10_000 + b")" * 10_000 + b"\n",
}


def test_bad_files_hide_nothing(project: Path) -> None:
    """Each is an SES900 that names it; an empty file and a folder called like a file are nothing special."""
    for name, content in BAD.items():
        (project / name).write_bytes(content)
    (project / "empty.py").write_bytes(b"")
    (project / "folder.py").mkdir()
    (project / "folder.py" / "inside.py").write_text(LEAK)
    done = run("check", "--output-format", "json", cwd=project)
    assert done.returncode == 1
    assert sorted((name, code) for name, _, code in found(done)) == sorted(
        [*((name, "SES900") for name in BAD), ("leak.py", "SES101"), ("inside.py", "SES101")]
    )


def test_unreadable_file(project: Path) -> None:
    """What cannot be read is named, and the rest goes on."""
    bad = project / "unreadable.py"
    if os.geteuid() == 0:  # root may read everything, but not a socket
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(bad))
    else:
        bad.write_text(LEAK)
        bad.chmod(0)
    done = run("check", "--output-format", "concise", "unreadable.py", "leak.py", cwd=project)
    assert done.returncode in (1, 2)
    assert b"unreadable.py" in done.stdout + done.stderr
    assert b"leak.py:5:15: SES101" in done.stdout
    assert b"Traceback" not in done.stderr


def test_standard_input_stands_alone(project: Path) -> None:
    """Files beside it would be forgotten: that is said instead."""
    done = run("check", "-", "leak.py", cwd=project)
    assert (done.returncode, b"'-' is standard input, and stands alone" in done.stderr, done.stdout) == (2, True, b"")


@pytest.mark.parametrize(("force", "expected"), [((), 1), (("--force-exclude",), 0)])
def test_excluded_standard_input(project: Path, force: tuple[str, ...], expected: int) -> None:
    """An editor's text is treated as the file that it is going to be."""
    options = ("--isolated", "--exclude", "leak.py", "--stdin-filename", "leak.py", *force, "-")
    assert run("check", *options, cwd=project, stdin=LEAK.encode()).returncode == expected
    assert run("check", *options, cwd=project, stdin=b"\xff").returncode == expected
    assert run("fix", *options, cwd=project, stdin=LEAK.encode()).stdout == LEAK.encode()


def test_broken_pattern_is_named(project: Path) -> None:
    """On the command line, too."""
    done = run("check", "--extend-exclude", "!", cwd=project)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert done.stderr.startswith(b"session-lint: --extend-exclude: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_diff_that_has_no_room_is_no_fault_of_the_files(project: Path) -> None:
    """It is said once, and ends the run."""
    command = f"{sys.executable} -m session_lint fix --diff --unsafe > /dev/full"
    done = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "session-lint: standard output: No space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_full_disk_is_named(project: Path) -> None:
    """What cannot be printed is no finding."""
    command = f"{sys.executable} -m session_lint check > /dev/full"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=project, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"session-lint: [Errno 28] No space left on device\n")


def test_deep_code_hides_nothing(project: Path) -> None:
    """A fix that libcst cannot carry out is refused; the report is whole."""
    (project / "deep.py").write_text(LEAK + SUM)
    done = run("check", "--output-format", "json", cwd=project)
    deep = (5, "SES101") if readable() else (1, "SES900")
    assert (done.returncode, found(done)) == (1, [("deep.py", *deep), ("leak.py", 5, "SES101")])
    assert [finding["fix"] is None for finding in json.loads(done.stdout)] == [True, False]


@pytest.mark.parametrize("encoding", ["utf-8:strict", "latin-1:strict", "ascii:strict"])
@pytest.mark.parametrize("form", ["full", "concise", "json"])
def test_any_encoding_of_the_output(project: Path, form: str, encoding: str) -> None:
    """Names and texts that it cannot say end no run."""
    (project / "é.py").write_text(LEAK.replace("count", "größe_あ"), "utf-8")
    (project / "leak.py").rename(os.fsdecode(bytes(project) + b"/\xff.py"))
    done = run("check", "--output-format", form, cwd=project, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr, done.stdout.count(b"still open when")) == (1, b"", 2)


def test_gitignore_is_respected(project: Path) -> None:
    """In a folder, not for a file that is named."""
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / ".gitignore").write_text("leak.py\n")
    assert run("check", cwd=project).returncode == 0
    assert run("check", "leak.py", cwd=project).returncode == 1


def test_rules_lists_the_catalogue(tmp_path: Path) -> None:
    """All of it, in both forms."""
    listed = json.loads(run("rules", "--output-format", "json", cwd=tmp_path).stdout)
    assert [(rule["code"], rule["name"]) for rule in listed] == [(r.code, r.name) for r in catalogue().values()]
    text = run("rules", cwd=tmp_path).stdout.decode()
    assert [line.split()[0] for line in text.splitlines()] == list(catalogue())


@pytest.mark.parametrize("word", ["SES101", "ses101", "session-not-closed"])
def test_explain(tmp_path: Path, word: str) -> None:
    """A rule's page, by code or name."""
    assert run("explain", word, cwd=tmp_path).stdout.decode().startswith("# session-not-closed (SES101)\n")


def test_explain_says_what_is_off(tmp_path: Path) -> None:
    """The page of a rule that runs only where it is selected begins with that."""
    young, style, on = (run("explain", code, cwd=tmp_path).stdout.decode() for code in ("SES305", "SES104", "SES101"))
    assert young.splitlines()[2].startswith("By default: off, still young")
    assert style.splitlines()[2].startswith("By default: off, a matter of style")
    assert "By default" not in on


def test_explain_unknown(tmp_path: Path) -> None:
    """The nearest rule is named."""
    done = run("explain", "SES1010", cwd=tmp_path)
    assert (done.returncode, b"SES101" in done.stderr) == (2, True)


def test_light_imports(project: Path) -> None:
    """Looking costs no libcst, no SQLAlchemy, no rich."""
    program = (
        "import sys, session_lint.cli as c\nsys.argv = ['session-lint', 'check', '-q', 'clean.py']\n"
        "try:\n    c.main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'libcst', 'sqlalchemy', 'rich', 'flask'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=project, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


def test_broken_pipe_is_quiet(project: Path) -> None:
    """A reader that has seen enough."""
    for number in range(200):
        (project / f"leak{number}.py").write_text(LEAK)
    command = f"{sys.executable} -m session_lint check | head -n 1"
    done = subprocess.run(["/bin/sh", "-c", command], cwd=project, capture_output=True, check=False)
    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


def test_interrupt_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C ends a run with 130, a word about it, and without a traceback."""
    reader = subprocess.Popen(
        [sys.executable, "-m", "session_lint", "check", "-"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert reader.stdin is not None
    reader.stdin.write(b"#" * 500_000)  # more than a pipe holds: it is reading when this returns
    reader.stdin.flush()
    reader.send_signal(signal.SIGINT)
    _, errors = reader.communicate(timeout=20)
    note = b"session-lint: interrupted, so the report is incomplete: no file was checked\n"
    assert (reader.returncode, errors) == (130, note)


def test_same_findings_in_processes(project: Path) -> None:
    """One process or two, the order is that of the files."""
    for number in range(60):
        (project / f"leak{number:02}.py").write_text(LEAK)
    one, two = (run("check", "--no-cache", "--output-format", "json", "-j", jobs, cwd=project) for jobs in ("1", "2"))
    assert (len(found(one)), one.stdout) == (61, two.stdout)
