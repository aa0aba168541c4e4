"""Projects to survey, and what is said of them."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

from tests.faces.inside import CLEAN, LEAK, MENDABLE, said

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

OPENER = "from shop.db import Opened\n\n\ndef opened():\n    return Opened()\n"
FLEET: dict[str, dict[str, str]] = {
    "api": {"pyproject.toml": "", "api/__init__.py": "", "api/users.py": LEAK, "api/orders.py": MENDABLE},
    "group/clean": {"setup.py": "", "clean.py": CLEAN, "more.py": "x = 1"},
    "group/own": {
        "pyproject.toml": '[tool.session-lint]\nextend-select = ["SES104"]\nextend-exclude = ["old/"]\n',
        "jobs.py": MENDABLE,
        "old/jobs.py": LEAK,
    },
    "shop": {
        "shop/__init__.py": "",
        "shop/db.py": "from sqlalchemy.orm import sessionmaker\n\nOpened = sessionmaker()\n",
        "shop/openers.py": OPENER,
        "shop/views.py": "from shop.openers import opened\n\n\ndef view(q):\n    s = opened()\n    s.execute(q)\n",
    },
    "torn": {"pyproject.toml": "", "bad.py": "def f(:  # Session\n", "good.py": LEAK},
}
"""Files by their projects."""

NUMBER = sum(name.endswith(".py") for files in FLEET.values() for name in files) - 1  # one is excluded


def write(folder: Path, fleet: dict[str, dict[str, str]] = FLEET) -> Path:
    """A folder with projects in it."""
    for project, files in fleet.items():
        for name, text in files.items():
            file = folder / project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
    return folder


def checked(
    capsys: pytest.CaptureFixture[str], folder: Path, fleet: dict[str, dict[str, str]] = FLEET
) -> list[dict[str, Any]]:
    """What `check` says of the projects, one run each."""
    found: list[dict[str, Any]] = []
    for project in sorted(fleet, key=lambda name: name.split("/")):
        found += json.loads(said(capsys, "check", "--no-cache", "--output-format=json", str(folder / project)).out)
    return found


def rows(file: Path, query: str) -> list[tuple[Any, ...]]:
    """What a query of the results answers."""
    connection = sqlite3.connect(file)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
