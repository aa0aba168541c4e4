"""Pages that people follow word by word: the tutorial from nothing but the wheel, the how-tos where it is installed."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.following import blocks, follow

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the pages are for a POSIX shell")


def shown(page: str) -> int:
    """How many outputs a page shows."""
    return sum(block.kind == "text" for block in blocks(page))


def test_the_tutorial_in_an_empty_environment(wheels: Path, tmp_path: Path) -> None:
    """With the wheel for the published package: what is printed is what the page shows."""
    assert shown("tutorial.md") == follow(
        "tutorial.md", tmp_path, {"PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1"}
    )


@pytest.mark.parametrize("page", ["monorepo.md", "wrappers.md"])
def test_how_to(page: str, tmp_path: Path) -> None:
    """With the session-lint of the tests."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    assert shown(page) == follow(page, tmp_path, {"PATH": path})


def test_a_page_that_is_wrong_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed otherwise, and a command that fails in silence."""
    monkeypatch.setattr("tests.following.DOCS", tmp_path)
    (tmp_path / "other.md").write_text("```sh\necho a\n```\n\n```text\nb\n```\n", "utf-8")
    (tmp_path / "fails.md").write_text("```sh\nfalse\n```\n", "utf-8")
    for page in ("other.md", "fails.md"):
        with pytest.raises(AssertionError):
            follow(page, tmp_path, {})
