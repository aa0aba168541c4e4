"""Ctrl-C in the middle of a run: real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faces.inside import LEAK

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes that are forked")

# Linting `slow*.py` takes for ever; `begun` and `got<n>` tell from outside how far the run is.
PROGRAM = """
import sys, time
from pathlib import Path
from session_lint import engine
lint_file, lint_paths = engine.lint_file, engine.lint_paths
def slow(path, settings, **how):
    if path.name.startswith("slow"):
        Path("begun").touch()
        time.sleep(600)
    return lint_file(path, settings, **how)
def told(*arguments, **how):
    for number, report in enumerate(lint_paths(*arguments, **how)):
        Path(f"got{number}").touch()
        yield report
engine.lint_file, engine.lint_paths = slow, told
from session_lint.cli import main
sys.argv = ["session-lint", "check", "--no-cache", "--output-format", "json", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(("jobs", "terminal"), [("1", False), ("2", False), ("2", True)])
def test_what_was_found_is_printed_and_the_rest_ends_at_once(tmp_path: Path, jobs: str, terminal: bool) -> None:
    """With ``terminal`` all processes get the signal, as from a keyboard; else only the first one."""
    for name in ("a.py", "b.py", "slow1.py", "slow2.py"):
        (tmp_path / name).write_text(LEAK)
    run = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--jobs", jobs],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not all((tmp_path / name).exists() for name in ("begun", "got1")):
        assert time.monotonic() < end
        time.sleep(0.02)
    if terminal:
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal(signal.SIGINT)
    out, errors = run.communicate(timeout=60)  # a process that stays would keep the pipes open
    assert (130, ["a.py", "b.py"]) == (run.returncode, [Path(one["filename"]).name for one in json.loads(out)])
    note = "session-lint: interrupted, so the report is incomplete: 2 of 4 files were checked\n"
    assert note == errors.decode()
