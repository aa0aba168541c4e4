"""`session-lint fix` on real files: what it writes, what it leaves, and that nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from session_lint.cli.commands import command
from session_lint.mend import mend
from session_lint.settings import Settings
from session_lint.source import Source
from session_lint.writing import WriteError, write
from tests.faces.deep import SUM, readable
from tests.faces.inside import said
from tests.faces.test_cli import LEAK, run

if TYPE_CHECKING:
    from pathlib import Path

MANUAL = '''"""A job."""

from database.session import SessionLocal  # the factory


def save(rows):
    """Save them."""
    # a new session
    session = SessionLocal()  # opened
    try:  # careful
        for row in rows:
            session.add(row)

        # all of them
        session.commit()  # done
    finally:
        session.close()


VALUE = {"a" :1}
'''
MENDED = '''"""A job."""

from database.session import scoped_session  # the factory


def save(rows):
    """Save them."""
    # a new session
    with scoped_session() as session:  # opened
        # careful
        for row in rows:
            session.add(row)

        # all of them
        # done


VALUE = {"a" :1}
'''


def test_comments_and_formatting_stay(tmp_path: Path) -> None:
    """Every comment is still there, and every byte that is not part of the rewrite."""
    file = tmp_path / "job.py"
    file.write_text(MANUAL)
    done = run("fix", "--select", "SES104", cwd=tmp_path)
    assert (done.returncode, done.stdout, file.read_text()) == (0, b"1 fixed in 1 file, 0 left\n", MENDED)


def test_twice_changes_nothing(tmp_path: Path) -> None:
    """What is mended stays as it is."""
    file = tmp_path / "job.py"
    file.write_text(MANUAL)
    for _ in range(2):
        run("fix", "--select", "ALL", cwd=tmp_path)
        assert file.read_text() == MENDED


def test_all_functions_of_a_module_are_mended_together(tmp_path: Path) -> None:
    """One of them alone would leave two patterns in the module, so none would ever be."""
    file = tmp_path / "job.py"
    save = MANUAL[MANUAL.index("def save") : MANUAL.index("VALUE")]
    file.write_text(MANUAL + "\n\n" + save.replace("save", "keep").rstrip() + "\n")
    done = run("fix", "--select", "ALL", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"2 fixed in 1 file, 0 left\n", b"")
    assert (file.read_text().count("with scoped_session()"), "SessionLocal" in file.read_text()) == (2, False)


def test_a_fix_that_would_bring_as_much_is_left(tmp_path: Path) -> None:
    """The second function's fix is refused, so the first one's would leave two patterns; it says so, each time."""
    file = tmp_path / "job.py"
    one_line = MANUAL[MANUAL.index("def save") :].replace("session.commit()", "session.commit(); print(1)")
    text = MANUAL + "\n\n" + one_line.replace("save", "keep")
    file.write_text(text)
    for _ in range(2):
        done = run("fix", "--select", "ALL", cwd=tmp_path)
        assert (done.returncode, file.read_text()) == (1, text)
        assert b"job.py:9: SES104 was not fixed: it would bring SES401\n" in done.stderr


def test_two_patterns_that_were_there_before_are_no_hindrance(tmp_path: Path) -> None:
    """The finding about them moves to another function."""
    file = tmp_path / "job.py"
    one_line = MANUAL[MANUAL.index("def save") :].replace("session.commit()", "session.commit(); print(1)")
    scoped = "\n\ndef more(x):\n    with SessionLocal.begin() as session:\n        session.add(x)\n"
    file.write_text(MANUAL + "\n\n" + one_line.replace("save", "keep") + scoped)
    done = run("fix", "--select", "ALL", cwd=tmp_path)
    assert done.stderr == b""
    assert file.read_text().count("with scoped_session()") == 1


def test_deep_code_is_left_and_hides_nothing(tmp_path: Path) -> None:
    """The process does not end over it."""
    deep = MANUAL + SUM
    (tmp_path / "deep.py").write_text(deep)
    (tmp_path / "job.py").write_text(MANUAL)
    done = run("fix", "--select", "SES104", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"1 fixed in 1 file, 1 left\n")
    said = b"deep.py:9: SES104 was not fixed: " if readable() else b"deep.py:1: SES900 file not analysed: "
    assert (done.stderr.startswith(said), b"nested too deeply" in done.stderr) == (True, True)
    assert ((tmp_path / "deep.py").read_text(), (tmp_path / "job.py").read_text()) == (deep, MENDED)


def test_bytes_that_do_not_come_back_are_left(tmp_path: Path) -> None:
    """An encoding that can say one text in two ways might change what nobody touched."""
    file = tmp_path / "job.py"
    file.write_bytes(b"# coding: utf-7\nNAME = '+AGE-'\n" + MANUAL.replace("+", "").encode())
    before = file.read_bytes()
    done = run("fix", "--select", "SES104", cwd=tmp_path)
    assert (done.returncode, file.read_bytes()) == (2, before)
    assert b"job.py: its bytes do not survive" in done.stderr


def test_diff_counts_lines_as_others_do(tmp_path: Path) -> None:
    """A form feed, or a line separator in a string, ends no line for those who apply it."""
    file = tmp_path / "job.py"
    text = MANUAL.replace("VALUE", "\x0c\nNAME = '\u2028'\nVALUE").rstrip("\n")
    file.write_text(text, "utf-8")
    done = run("fix", "--diff", "--select", "SES104", cwd=tmp_path)
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=tmp_path, check=True)
    assert "with scoped_session() as session:" in file.read_text("utf-8")
    assert file.read_text("utf-8").endswith("\x0c\nNAME = '\u2028'\nVALUE = {\"a\" :1}")


def test_diff_writes_nothing_and_applies(tmp_path: Path) -> None:
    """The diff is one that git takes."""
    file = tmp_path / "job.py"
    file.write_text(MANUAL)
    done = run("fix", "--diff", "--select", "SES104", cwd=tmp_path)
    assert (done.returncode, file.read_text()) == (1, MANUAL)
    subprocess.run(["git", "apply", "-"], input=done.stdout, cwd=tmp_path, check=True)
    assert file.read_text() == MENDED


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, newline: str, mark: bytes) -> None:
    """The file's own."""
    file = tmp_path / "job.py"
    file.write_bytes(mark + MANUAL.replace("\n", newline).encode())
    run("fix", "--select", "SES104", cwd=tmp_path)
    assert file.read_bytes() == mark + MENDED.replace("\n", newline).encode()


def test_tabs_stay(tmp_path: Path) -> None:
    """What is indented anew is indented as its surroundings are."""
    file = tmp_path / "job.py"
    file.write_text(MANUAL.replace("    ", "\t") + "\nif VALUE:\n    pass\n")
    run("fix", "--select", "SES104", cwd=tmp_path)
    assert file.read_text() == MENDED.replace("    ", "\t") + "\nif VALUE:\n    pass\n"


def test_encoding_stays(tmp_path: Path) -> None:
    """A coding line is kept to."""
    file = tmp_path / "job.py"
    file.write_bytes(f"# -*- coding: latin-1 -*-\nNAME = 'é'\n{MANUAL}".encode("latin-1"))
    run("fix", "--select", "SES104", cwd=tmp_path)
    assert file.read_bytes() == f"# -*- coding: latin-1 -*-\nNAME = 'é'\n{MENDED}".encode("latin-1")


def test_standard_input(tmp_path: Path) -> None:
    """A filter."""
    done = run("fix", "--select", "SES104", "-", cwd=tmp_path, stdin=MANUAL.encode())
    assert (done.returncode, done.stdout) == (0, MENDED.encode())


def test_unsafe_only_when_asked(tmp_path: Path) -> None:
    """A fix that needs the author's eye waits for `--unsafe`."""
    file = tmp_path / "job.py"
    file.write_text(LEAK)
    assert (run("fix", cwd=tmp_path).returncode, file.read_text()) == (1, LEAK)
    assert run("fix", "--unsafe", cwd=tmp_path).returncode == 0
    assert file.read_text().endswith("    with SessionLocal() as session:\n        return session.execute(q)\n")


def test_exit_code_for_hooks(tmp_path: Path) -> None:
    """pre-commit wants to know that a file was changed."""
    (tmp_path / "job.py").write_text(MANUAL)
    codes = [run("fix", "--select", "SES104", "--exit-non-zero-on-fix", cwd=tmp_path).returncode for _ in range(2)]
    assert codes == [1, 0]


def test_link_and_mode_stay(tmp_path: Path) -> None:
    """The target of a link is written, with its mode; the link stays one."""
    real = tmp_path / "real" / "job.py"
    real.parent.mkdir()
    real.write_text(MANUAL)
    real.chmod(0o750)
    (tmp_path / "link.py").symlink_to(real)
    run("fix", "--select", "SES104", "link.py", cwd=tmp_path)
    assert ((tmp_path / "link.py").is_symlink(), real.read_text(), real.stat().st_mode & 0o777) == (True, MENDED, 0o750)
    assert [p.name for p in real.parent.iterdir()] == ["job.py"]


def test_changed_file_is_left_alone(tmp_path: Path) -> None:
    """What somebody else wrote meanwhile wins."""
    file = tmp_path / "job.py"
    file.write_text("theirs")
    with pytest.raises(WriteError, match="has changed"):
        write(file, b"read before", b"ours")
    assert file.read_text() == "theirs"


def test_failed_write_leaves_the_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All or nothing, and no leftovers."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "job.py"
    file.write_bytes(b"before")
    monkeypatch.setattr("session_lint.writing.os.fsync", full)
    with pytest.raises(WriteError, match="No space left"):
        write(file, b"before", b"after")
    assert ([p.name for p in tmp_path.iterdir()], file.read_bytes()) == (["job.py"], b"before")


def test_what_could_not_be_written_was_not_fixed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it counted as such: it is left."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text(MANUAL)
    monkeypatch.setattr("session_lint.writing.os.fsync", full)
    done = said(capsys, "fix", "--select", "SES104", "--no-cache")
    assert (done.code, done.out, "job.py: " in done.err) == (2, "0 fixed in 0 files, 1 left\n", True)
    assert (tmp_path / "job.py").read_text() == MANUAL


def test_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    """It is named, the others are mended."""
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "job.py").write_text(MANUAL)
    done = run("fix", "--select", "SES104", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "job.py").read_text()) == (1, MENDED)
    assert b"broken.py:1: SES900" in done.stderr


def test_libcst_command(tmp_path: Path) -> None:
    """The same fix through libcst's own runner."""
    file = tmp_path / "job.py"
    file.write_text(MANUAL)
    command = ["codemod", "--no-format", "-x", "session_lint.codemods.manual_to_scope.ManualToScopeCommand", "job.py"]
    subprocess.run([sys.executable, "-m", "libcst.tool", *command], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_text() == MENDED


def test_libcst_command_for_commits(tmp_path: Path) -> None:
    """A redundant commit goes; the block that it leaves empty gets a `pass`."""
    file = tmp_path / "job.py"
    head = "from database.session import scoped_session\n\n\ndef save():\n    with scoped_session() as session:\n"
    file.write_text(f"{head}        session.commit()\n")
    command = [
        "codemod",
        "--no-format",
        "-x",
        "session_lint.codemods.redundant_commit.RedundantCommitCommand",
        "job.py",
    ]
    subprocess.run([sys.executable, "-m", "libcst.tool", *command], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_text() == f"{head}        pass\n"


def test_mend_tells_what_it_did() -> None:
    """Applied, left, and no problems."""
    mended = mend(Source("job.py", MANUAL), Settings(select=("ALL",)), unsafe=False)
    assert ([f.code for f in mended.applied], mended.left, mended.problems, mended.text) == (["SES104"], (), (), MENDED)


@pytest.mark.parametrize(
    ("answers", "applied"),
    [("y\n", 1), ("n\n", 0), ("\n", 0), ("q\n", 0), ("a\n", 1)],
    ids=["y", "n", "default", "q", "a"],
)
def test_interactive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str, applied: int) -> None:
    """Each fix is shown with its diff, and carried out where the answer says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.py").write_text(MANUAL)
    arguments = ["fix", "--interactive", "--extend-select", "SES104", "--no-cache", "job.py"]
    result = CliRunner().invoke(command, arguments, input=answers)
    assert (tmp_path / "job.py").read_text() == (MENDED if applied else MANUAL)
    assert "+    with scoped_session() as session:  # opened" in result.output
    assert "(safe)" in result.output
    assert result.exit_code == (0 if applied else 1)


def test_interactive_says_why_a_fix_is_not_safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unsafe ones are asked for, too; `q` leaves the files behind it alone."""
    monkeypatch.chdir(tmp_path)
    head = "from database.session import SessionLocal\n\n\n"
    text = f"{head}def f(q):\n    s = SessionLocal()\n    return s.scalars(q).all()\n"
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(text)
    result = CliRunner().invoke(command, ["fix", "--interactive", "--no-cache", "."], input="q\n")
    assert "not safe, because line 6 returns what may be objects of the session" in result.output
    assert result.output.count("Carry it out?") == 1
    assert {(tmp_path / name).read_text() for name in ("a.py", "b.py")} == {text}


def test_interactive_needs_somebody_to_ask() -> None:
    """Standard input cannot be both."""
    result = CliRunner().invoke(command, ["fix", "--interactive", "-"], input="x = 1\n")
    assert result.exit_code == 2
    assert "--interactive" in result.output


CLOSER = "from database.session import close_global_session, get_session\n\n"
FACTORY = "from database.session import SessionLocal\n\n"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (
            "awaited_calls.AwaitedCallsCommand",
            "from sqlalchemy.ext.asyncio import AsyncSession\n\nasync def f(s: AsyncSession):\n    s.commit()\n",
            "from sqlalchemy.ext.asyncio import AsyncSession\n\nasync def f(s: AsyncSession):\n    await s.commit()\n",
        ),
        (
            "closed_global_session.ClosedGlobalSessionCommand",
            CLOSER + "get_session().commit()\n",
            CLOSER + "try:\n    get_session().commit()\nfinally:\n    close_global_session()\n",
        ),
        (
            "lent_sessions.LentSessionsCommand",
            FACTORY + "def get():\n    s = SessionLocal()\n    yield s\n    s.close()\n",
            FACTORY + "def get():\n    with SessionLocal() as s:\n        yield s\n",
        ),
    ],
    ids=["await", "finally", "with"],
)
def test_other_libcst_commands(tmp_path: Path, name: str, before: str, after: str) -> None:
    """Each does the fixes of its rules."""
    file = tmp_path / "job.py"
    file.write_text(before)
    arguments = ["codemod", "--no-format", "-x", f"session_lint.codemods.{name}", "job.py"]
    subprocess.run([sys.executable, "-m", "libcst.tool", *arguments], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_text() == after
