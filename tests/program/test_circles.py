"""Functions of many modules that call each other in a circle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from session_lint.analysis.summaries import Summaries
from session_lint.engine import lint_paths
from session_lint.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

DB = "from sqlalchemy.orm import sessionmaker\n\nSessionLocal = sessionmaker()\n"
RING = """\
from shop import {following}
from shop.db import SessionLocal


def make(depth):
    return {following}.make(depth - 1) if depth else SessionLocal()


def work(query):
    session = {following}.make(3)
    session.execute(query)
    session.close()
"""


def ring(folder: Path, size: int) -> list[Path]:
    """Modules in a ring: each opens by the next one's function, and the last by that of the first."""
    (folder / "pyproject.toml").touch()
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "db.py").write_text(DB, "utf-8")
    paths = [folder / "shop" / f"ring{number}.py" for number in range(size)]
    for number, path in enumerate(paths):
        path.write_text(RING.format(following=f"ring{(number + 1) % size}"), "utf-8")
    return paths


@pytest.mark.parametrize("size", [2, 3, 7, 14])
def test_every_one_is_judged_in_few_attempts(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each leaks as it would by itself, and twice as many modules do not take a hundred times as many attempts."""
    attempts: list[object] = []
    rise = Summaries._rise

    def counted(self: Summaries, key: object, *others: object) -> object:
        attempts.append(key)
        return rise(self, key, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Summaries, "_rise", counted)
    reports = list(lint_paths(ring(tmp_path, size), Settings(cache=False), 1))
    assert [[finding.code for finding in report.findings] for report in reports] == [["SES102"]] * size
    assert len(attempts) < 12 * size * size
