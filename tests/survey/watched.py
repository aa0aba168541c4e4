"""Loaded by a worker of Dask before its work: what is done leaves a trace, and some files have a will of their own.

A file called `held.py` keeps its worker until there is a file `go` beside it, one called `deadly.py` kills it.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.engine import lint_file
from session_lint.survey import work

if TYPE_CHECKING:
    from session_lint.engine import FileReport
    from session_lint.settings import Settings


def watched(path: Path, settings: Settings, *, thorough: bool = True) -> FileReport:
    """Lint a file, and say so."""
    with Path(os.environ["SURVEY_TRACE"]).open("a", encoding="utf-8") as trace:
        trace.write(f"{os.getpid()} {path}\n")
    if path.name == "deadly.py":
        os.kill(os.getpid(), signal.SIGKILL)
    while path.name == "held.py" and not path.with_name("go").exists():
        time.sleep(0.02)
    return lint_file(path, settings, thorough=thorough)


work.lint_file = watched  # type: ignore[attr-defined]  # it is imported there
