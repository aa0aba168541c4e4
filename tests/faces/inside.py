"""The command run in this process, which is quicker than starting one; exit codes and messages are the real ones."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from session_lint.cli import main, run

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "from database.session import SessionLocal\n\n\n"
LEAK = f"{HEAD}def count(q):\n    session = SessionLocal()\n    return session.execute(q)\n"
CLEAN = f"{HEAD}def count(q):\n    with SessionLocal() as session:\n        return session.execute(q)\n"
MENDABLE = f"""{HEAD}def save(row):
    session = SessionLocal()
    session.add(row)
    session.commit()
    session.close()
"""


@dataclass(frozen=True)
class Said:
    """What a run has left."""

    code: object
    out: str
    err: str


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """One run of the command in the current folder."""
    run.forget()
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["session-lint", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
    captured = capsys.readouterr()
    return Said(end.value.code or 0, captured.out, captured.err)


def git(folder: Path, *arguments: str) -> str:
    """What git says, with somebody to commit as."""
    somebody = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *somebody, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
