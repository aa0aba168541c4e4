"""The databases of the proofs: a SQLite file for each test, and the PostgreSQL server of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proofs.stage import Stage, standing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(name="stage")
def _stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An empty SQLite file."""
    with standing(f"sqlite:///{tmp_path / 'proof.db'}", monkeypatch) as stage:
        yield stage


@pytest.fixture(name="postgres")
def _postgres(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Empty tables in PostgreSQL."""
    with standing(server, monkeypatch) as stage:
        yield stage
