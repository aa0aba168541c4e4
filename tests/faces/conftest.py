"""What the tests of the faces share: programs that they start see the package that they see, installed or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import session_lint


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(session_lint.__file__).parents[1]), prepend=os.pathsep)
