"""The worlds that programs run in: SQLite, and PostgreSQL where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fixes.world import World
from tests.postgres import running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """SQLite files for all programs of a module."""
    folder = tmp_path_factory.mktemp("world")
    world = World(f"sqlite:///{folder / 'world.db'}", f"sqlite:///{folder / 'other.db'}")
    yield world
    world.close()


@pytest.fixture(name="postgres_world", scope="module")
def _postgres_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """PostgreSQL for all programs of a module."""
    folder = tmp_path_factory.mktemp("postgres-world")
    with running() as url:
        world = World(url, f"sqlite:///{folder / 'other.db'}")
        yield world
        world.close()
