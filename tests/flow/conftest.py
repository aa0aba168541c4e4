"""Options of these tests: rewrite the golden graphs, build more of the standard library."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """They are known where this folder is named on the command line."""
    parser.addoption("--update-golden", action="store_true", help="write the graphs as they are into their pages")
    parser.addoption(
        "--library-files",
        type=int,
        metavar="N",
        default=300,
        help="how many files of the standard library to build the graphs of; 0 for all",
    )
