"""``check --watch``: a real process that watches real files."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.faces.inside import CLEAN, LEAK, said

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
END = "(Ctrl-C ends it)\n"


class Watching:
    """A run that watches a folder."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "session_lint", "check", "--watch", "--output-format", "concise"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line)

    def until(self, ending: str) -> list[str]:
        """The lines up to one that ends so."""
        found: list[str] = []
        while not found or not found[-1].endswith(ending):
            found.append(self.lines.get(timeout=60))
        return found


def test_only_what_changes_is_printed_anew(tmp_path: Path) -> None:
    """New findings, findings that are gone, text that is no Python, settings in error, and the end."""
    (tmp_path / "leak.py").write_text(LEAK)
    (tmp_path / "other.py").write_text(CLEAN)
    watching = Watching(tmp_path)
    try:
        first = watching.until(END)
        assert ["leak.py:5:15:", "Watching 2 files: 1 finding in all (Ctrl-C ends it)\n"] == [first[0][:13], first[-1]]
        (tmp_path / "other.py").write_text("def f(:  # Session\n")
        second = watching.until(END)
        assert (["other.py:1:7"], True) == ([second[0][:12]], second[-1].startswith("Watching 2 files: 2 findings"))
        assert "leak.py" not in "".join(second)
        (tmp_path / "other.py").write_text(CLEAN)
        assert "other.py: nothing is found any more\n" == watching.until(END)[0]
        (tmp_path / "pyproject.toml").write_text("[tool.session-lint]\nselct = []\n")
        assert "selct: there is no such key" in watching.until("'select'\n")[-1]
        (tmp_path / "pyproject.toml").write_text('[tool.session-lint]\nignore = ["SES101"]\n')
        assert "leak.py: nothing is found any more\n" == watching.until(END)[0]
        watching.process.send_signal(signal.SIGINT)
        assert 0 == watching.process.wait(timeout=60)
        watching.reader.join()
        assert watching.lines.empty()  # no traceback, no screen cleared
    finally:
        watching.process.kill()
        watching.process.wait()
        watching.reader.join()


def test_without_the_library_it_says_which_extra(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    monkeypatch.chdir(tmp_path)
    done = said(capsys, "check", "--watch")
    assert (2, "", "session-lint: --watch needs a library beside: pip install 'session-lint[watch]'\n") == (
        done.code,
        done.out,
        done.err,
    )


def test_nothing_to_watch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    done = said(capsys, "check", "--watch", "nowhere/file.py")
    assert (2, "", True) == (done.code, done.out, "name a file or folder that exists" in done.err)
