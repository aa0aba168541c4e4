"""What a file is by its place: a test, or what serves tests."""

from __future__ import annotations

from pathlib import PurePath


def is_test(filename: str) -> bool:
    """Whether a file belongs to the tests."""
    path = PurePath(filename)
    named = path.name.startswith(("test_", "testing_")) or path.stem.endswith("_test") or path.name == "conftest.py"
    return named or "tests" in path.parts


def is_never_imported(filename: str) -> bool:
    """Whether a file's Python is run from the top each time: a notebook's, or what a Markdown file shows."""
    return PurePath(filename).suffix in (".ipynb", ".md")
