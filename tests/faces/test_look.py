"""Colours, width and links: what a terminal gets, and what everything else is spared."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from session_lint.cli.look import look
from session_lint.report.run import Look

if TYPE_CHECKING:
    from pathlib import Path

LEAK = """\
from database.session import SessionLocal


def count(query):
    session = SessionLocal()
    return session.execute(query).scalar()
"""
URL = "https://session-lint.readthedocs.io/en/stable/rules/session-not-closed.html"
PLAIN = """\
leak.py:5:15: SES101 session 'session' is still open when line 6 returns
4 │ def count(query):
5 │     session = SessionLocal()
  │               ^^^^^^^^^^^^^^ 1: opened here
6 │     return session.execute(query).scalar()
  │     ────────────────────────────────────── 2: leaves here, still open
"""
SPEAKING = (
    "CLICOLOR_FORCE COLUMNS DOMTERM FORCE_COLOR FORCE_HYPERLINK KONSOLE_VERSION LINES NO_COLOR PAGER PYTHONIOENCODING "
    "PYTHONUTF8 TERM TERM_PROGRAM TMUX VTE_VERSION WT_SESSION LESS"
).split()


class Terminal(io.StringIO):
    """A stream that says that it is one."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment of the tests has a say."""
    for name in SPEAKING:
        monkeypatch.delenv(name, raising=False)


def seen(monkeypatch: pytest.MonkeyPatch, settings: str, color: str, *, terminal: bool) -> Look:
    """A look in an environment given as ``NAME=value …``."""
    for setting in settings.split():
        monkeypatch.setenv(*setting.split("=", 1))
    return look(color, Terminal() if terminal else io.StringIO())


@pytest.mark.parametrize(
    ("terminal", "settings", "color", "expected"),
    [
        (True, "TERM=xterm", "auto", True),
        (True, "", "auto", True),
        (True, "TERM=dumb", "auto", False),
        (True, "NO_COLOR=1", "auto", False),
        (True, "NO_COLOR=", "auto", True),
        (True, "NO_COLOR=1 FORCE_COLOR=1", "auto", False),
        (True, "NO_COLOR=1", "always", True),
        (True, "FORCE_COLOR=1", "never", False),
        (True, "TERM=dumb FORCE_COLOR=1", "auto", True),
        (False, "TERM=xterm", "auto", False),
        (False, "", "always", True),
        (False, "FORCE_COLOR=1", "auto", True),
        (False, "FORCE_COLOR=", "auto", False),
        (False, "CLICOLOR_FORCE=1", "auto", True),
        (False, "CLICOLOR_FORCE=0", "auto", False),
        (False, "CLICOLOR_FORCE=", "auto", False),
        (False, "CLICOLOR_FORCE=1 NO_COLOR=1", "auto", False),
    ],
)
def test_colours(monkeypatch: pytest.MonkeyPatch, terminal: bool, settings: str, color: str, expected: bool) -> None:
    """The option before the variables, the one against colours before those for them, then the terminal."""
    assert seen(monkeypatch, settings, color, terminal=terminal).colour is expected


@pytest.mark.parametrize(
    ("terminal", "settings", "color", "expected"),
    [
        (True, "TERM=xterm-kitty", "auto", True),
        (True, "TERM_PROGRAM=vscode TERM=xterm-256color", "auto", True),
        (True, "WT_SESSION=1", "auto", True),
        (True, "VTE_VERSION=6800", "auto", True),
        (True, "VTE_VERSION=4900", "auto", False),
        (True, "VTE_VERSION=new", "auto", False),
        (True, "TERM=xterm-256color", "auto", False),
        (True, "TERM_PROGRAM=Apple_Terminal", "auto", False),
        (True, "TERM=dumb WT_SESSION=1", "auto", False),
        (True, "WT_SESSION=1 TMUX=/tmp/t", "auto", False),
        (True, "TERM=screen-256color WT_SESSION=1", "auto", False),
        (True, "TERM=xterm-kitty", "never", False),
        (True, "TERM=xterm-kitty NO_COLOR=1", "auto", True),
        (True, "TERM=xterm-kitty FORCE_HYPERLINK=0", "auto", False),
        (True, "FORCE_HYPERLINK=1", "auto", True),
        (False, "TERM=xterm-kitty", "always", False),
        (False, "FORCE_HYPERLINK=1", "auto", True),
    ],
)
def test_links(monkeypatch: pytest.MonkeyPatch, terminal: bool, settings: str, color: str, expected: bool) -> None:
    """A terminal that is known to have them, or the user's word."""
    assert seen(monkeypatch, settings, color, terminal=terminal).links is expected


def test_width_and_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a terminal has a width; a stream that does not say how it encodes gets ASCII."""
    assert seen(monkeypatch, "COLUMNS=44", "auto", terminal=True) == Look(colour=True, width=44)
    assert seen(monkeypatch, "COLUMNS=44", "auto", terminal=False) == Look(encoding="ascii")


def run(*arguments: str, cwd: Path, **environment: str) -> str:
    """What the command prints into a pipe."""
    done = subprocess.run(
        [sys.executable, "-m", "session_lint", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.stdout.decode()


def run_on_terminal(*arguments: str, cwd: Path, columns: int, **environment: str) -> str:
    """What the command prints on a real terminal of some width."""
    fcntl = pytest.importorskip("fcntl", reason="there are no such terminals here")
    import pty  # noqa: PLC0415  # only where there are some
    import struct  # noqa: PLC0415
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "session_lint", *arguments],
        cwd=cwd,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    ) as process:
        os.close(theirs)
        printed = b""
        try:
            while part := os.read(ours, 65_536):
                printed += part
        except OSError:  # how Linux says that the other side is closed
            pass
        finally:
            os.close(ours)
        process.wait(60)
    return printed.decode().replace("\r\n", "\n")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a file that leaks."""
    (tmp_path / "leak.py").write_text(LEAK, "utf-8")
    return tmp_path


def test_a_pipe_gets_text(project: Path) -> None:
    """Without a sequence, whatever the terminal around it has, and as wide as it is."""
    printed = run("check", cwd=project, TERM="xterm-kitty", COLUMNS="30")
    assert "\x1b" not in printed
    assert printed.startswith(PLAIN)
    assert f"\n  see: {URL}\n" in printed


def test_a_pipe_in_ascii(project: Path) -> None:
    """What the encoding does not have has a stand-in."""
    printed = run("check", cwd=project, PYTHONIOENCODING="ascii")
    assert printed.isascii()
    assert printed.startswith(PLAIN.replace("│", "|").replace("─", "-"))


def test_a_terminal_gets_colours(project: Path) -> None:
    """The same text beneath; the address of the page, where the terminal is not known to have links."""
    printed = run_on_terminal("check", cwd=project, columns=160, TERM="xterm")
    assert "\x1b[1;31mSES101\x1b[0m" in printed
    assert "\x1b]8" not in printed
    assert re.sub(r"\x1b\[[\d;]*m", "", printed) == run("check", cwd=project)


def test_a_terminal_gets_links(project: Path) -> None:
    """On the code, and no address beside it."""
    printed = run_on_terminal("check", cwd=project, columns=160, TERM="xterm-kitty", NO_COLOR="1")
    assert f"\x1b]8;;{URL}\x1b\\SES101\x1b]8;;\x1b\\ session" in printed
    assert "see:" not in printed
    assert "\x1b[" not in printed


def test_a_dumb_terminal_gets_text(project: Path) -> None:
    """Wrapped, and nothing else."""
    printed = run_on_terminal("check", cwd=project, columns=50, TERM="dumb")
    assert "\x1b" not in printed
    assert printed.startswith(
        "leak.py:5:15: SES101 session 'session' is still\n    open when line 6 returns\n4 │ def count(query):\n"
    )


def test_a_narrow_terminal(project: Path) -> None:
    """No line but the address is wider than it."""
    printed = run_on_terminal("check", cwd=project, columns=40, TERM="xterm", NO_COLOR="1")
    assert [
        line for line in printed.splitlines() if len(line) > 40 and "see:" not in line and "Found" not in line
    ] == []


def test_the_page_of_a_rule(project: Path) -> None:
    """Markdown in a pipe; on a terminal dressed, and by the pager where it is long."""
    plain = run("explain", "SES101", cwd=project)
    assert plain.startswith("# session-not-closed (SES101)\n\nA session")
    assert "\n```python\nfrom sqlalchemy.orm import sessionmaker\n" in plain
    dressed = run_on_terminal("explain", "SES101", cwd=project, columns=80, TERM="xterm", PAGER="cat")
    assert dressed.startswith("\x1b[1msession-not-closed (SES101)\x1b[0m\n\nA session")
    assert "\n    \x1b[36mfrom sqlalchemy.orm import sessionmaker\x1b[0m\n" in dressed
    assert "\n- SQLAlchemy: closing a session (https://docs.sqlalchemy.org/" in dressed
    assert "```" not in dressed
    paged = run_on_terminal("explain", "SES101", cwd=project, columns=80, TERM="xterm", PAGER="head -n 1")
    assert paged == "session-not-closed (SES101)\n"


def test_the_list_of_rules(project: Path) -> None:
    """A line a rule in a pipe; on a narrow terminal what a rule is about stands below it."""
    plain = run("rules", cwd=project).splitlines()
    assert plain[0] == (
        "SES101  session-not-closed                  error    on     fix  "
        "A session that is opened and, on some way, never closed"
    )
    narrow = run_on_terminal("rules", cwd=project, columns=60, NO_COLOR="1", PAGER="cat").splitlines()
    assert narrow[:2] == [
        "SES101  session-not-closed                  error    on     fix",
        "        A session that is opened and, on some way, never",
    ]


def test_a_diff(project: Path) -> None:
    """In git's colours on a terminal; in a pipe a patch, with whatever the file itself holds."""
    text = (
        LEAK.replace(".scalar()", ".scalar() or '\x1b[31m'").replace("return session", "x = session") + "    return 1\n"
    )
    (project / "leak.py").write_text(text, "utf-8")
    plain = run("fix", "--diff", "--unsafe", cwd=project)
    assert "+        x = session.execute(query).scalar() or '\x1b[31m'\n" in plain
    printed = run_on_terminal("fix", "--diff", "--unsafe", cwd=project, columns=200, TERM="xterm")
    assert "\x1b[1m--- a/leak.py\x1b[0m\n\x1b[1m+++ b/leak.py\x1b[0m\n\x1b[36m@@ " in printed
    assert "\n\x1b[31m-    session = SessionLocal()\x1b[0m\n" in printed
    assert "\n\x1b[32m+    with " in printed
