"""What all tests share: the ``lint`` fixture, the wheel, a PostgreSQL server, and the size of the oracle."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from session_lint.python.project import forget_projects
from tests.linting import lint
from tests.postgres import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from session_lint.finding import Finding


LONG = ("tests/test_packaging.py", "tests/test_tutorial.py", "tests/fixes/test_same_program.py", "tests/guard/")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run ask the oracle for more programs, or for others."""
    parser.addoption(
        "--oracle-programs",
        type=int,
        default=1000,
        metavar="N",
        help="how many programs the oracle judges",
    )
    parser.addoption("--oracle-seed", type=int, default=20, metavar="N", help="which programs the oracle draws")


def pytest_configure(config: pytest.Config) -> None:
    """Draw the same in every run; a law about drawn programs has a fifth of the oracle's number."""
    programs = int(config.getoption("--oracle-programs"))
    settings.register_profile("steady", max_examples=40, deadline=None, derandomize=True)  # the same each time
    settings.load_profile("steady")
    settings.register_profile("drawn", max_examples=programs // 5, deadline=None, derandomize=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: on several processors a file is one processor's, and none should be left alone."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


def pytest_collection_finish() -> None:
    """Keep what is there before the first test out of what is looked through for garbage, as many tests do."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _nothing_is_left() -> Iterator[None]:
    """Leave nothing that one file's tests have read to be looked through for garbage in all tests of the others."""
    yield
    forget_projects()
    gc.collect()


@pytest.fixture(name="lint", scope="session")
def _lint() -> Callable[..., list[Finding]]:
    """The function of :mod:`tests.linting`, for tests that prefer to be handed it."""
    return lint


@pytest.fixture(name="server", scope="session")
def _server() -> Iterator[str]:
    """The address of a PostgreSQL server that all tests of a run share."""
    with running() as url:
        yield url


@pytest.fixture(name="wheels", scope="session")
def _wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of this tree, as an index would have it, for pip to find it in."""
    folder, root = tmp_path_factory.mktemp("wheels"), Path(__file__).resolve().parent.parent
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(root)]
    built = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder
