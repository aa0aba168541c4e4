"""What all tests share: the ``lint`` fixture and the size of the oracle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.linting import lint

if TYPE_CHECKING:
    from collections.abc import Callable

    from session_lint.finding import Finding


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run ask the oracle for more programs, or for others."""
    parser.addoption(
        "--oracle-programs",
        type=int,
        default=2000,
        metavar="N",
        help="how many programs the oracle judges",
    )
    parser.addoption("--oracle-seed", type=int, default=20, metavar="N", help="which programs the oracle draws")


@pytest.fixture(name="lint", scope="session")
def _lint() -> Callable[..., list[Finding]]:
    """The function of :mod:`tests.linting`, for tests that prefer to be handed it."""
    return lint
