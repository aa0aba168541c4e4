"""A new user's five minutes: the tutorial is followed word by word, with the wheel for the published package."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parent.parent / "docs" / "tutorial.md"
BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<kind>\w+)\n(?::caption: (?P<caption>[^\n]+)\n)?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
AND_SO_ON = "…\n"
FOREIGN = ("CI", "CLICOLOR", "COLUMNS", "FORCE_", "GITHUB_", "PYTHON", "VIRTUAL_ENV")
"""How the variables begin that a new user's shell does not have."""


@dataclass(frozen=True)
class Block:
    """A fenced block of the page.

    :param kind: its language.
    :param caption: the file that it is, or nothing.
    """

    kind: str
    caption: str
    text: str


def blocks() -> list[Block]:
    """The blocks of the tutorial, in order."""
    found = BLOCK.finditer(PAGE.read_text("utf-8"))
    return [Block(match["kind"], match["caption"] or "", match["text"]) for match in found]


class Reader:
    """Somebody who does what the page says, in one shell.

    :param home: an empty folder.
    :param wheels: where pip finds session-lint.
    """

    def __init__(self, home: Path, wheels: Path) -> None:
        self._home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=home,
            env={**clean, "PIP_FIND_LINKS": str(wheels)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def write(self, block: Block) -> None:
        """Write a file that the page shows whole, or change the end of one from where the page's piece begins."""
        name = block.caption.removeprefix("the end of ")
        path = self._home / name
        kept = ""
        if name != block.caption:
            head = block.text.partition("(")[0] + "("
            kept, found, _ = path.read_text("utf-8").rpartition(head)
            assert found, f"{name} has nothing that begins with {head!r}"
        path.write_text(kept + block.text, "utf-8")

    def do(self, commands: str) -> tuple[str, int]:
        """What the shell prints, and the exit code of the last command."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.write(f"{commands}printf '\\0%s\\n' $?\n")
        self._shell.stdin.flush()
        printed = ""
        for line in self._shell.stdout:
            before, done, status = line.partition("\0")
            printed += before
            if done:
                return printed, int(status)
        raise AssertionError(f"the shell has ended: {printed}")

    def leave(self) -> None:
        """Close the shell."""
        self._shell.communicate()


@pytest.fixture(name="reader")
def _reader(tmp_path: Path, wheels: Path) -> Iterator[Reader]:
    """A reader at the beginning of the page."""
    reader = Reader(tmp_path, wheels)
    yield reader
    reader.leave()


@pytest.mark.skipif(shutil.which("bash") is None, reason="the page is for a POSIX shell")
def test_the_tutorial_word_by_word(reader: Reader) -> None:
    """What is printed is what the page shows; where it shows nothing, nothing goes wrong."""
    page = blocks()
    compared = 0
    for block, following in itertools.pairwise([*page, Block("", "", "")]):
        if block.caption:
            reader.write(block)
        elif block.kind == "sh":
            printed, status = reader.do(block.text)
            if following.kind == "text":
                compared += 1
                assert cut(printed, following.text) == following.text
            else:
                assert status == 0, printed
    assert compared == sum(block.kind == "text" for block in page)


def cut(printed: str, shown: str) -> str:
    """What is printed, as far as the page shows it."""
    if not shown.endswith(AND_SO_ON):
        return printed
    return "".join(printed.splitlines(keepends=True)[: shown.count("\n") - 1]) + AND_SO_ON
