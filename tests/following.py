"""Somebody who does what a page of the documentation says: writes the files that it shows, and types its commands.

On such a page a file is a ``code-block`` with its name as the caption, commands are ``sh`` blocks, and what they print
is the ``text`` block behind them.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<kind>\w+)\n(?::caption: (?P<caption>[^\n]+)\n)?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
AND_SO_ON = "…\n"
FOREIGN = ("CI", "CLICOLOR", "COLUMNS", "FORCE_", "GITHUB_", "PYTHON", "VIRTUAL_ENV")
"""How the variables begin that a new user's shell does not have."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    :param kind: its language.
    :param caption: the file that it is, or nothing.
    """

    kind: str
    caption: str
    text: str


def follow(page: str, home: Path, variables: Mapping[str, str]) -> int:
    """Do what a page says, in one shell.

    :param page: its name.
    :param home: an empty folder.
    :param variables: what the shell's environment has beside that of the tests.
    :returns: how often what was printed was compared with what the page shows.
    :raises AssertionError: where they differ, or where a command fails and the page shows nothing of it.
    """
    reader, compared = _Reader(home, variables), 0
    try:
        for block, following in itertools.pairwise([*blocks(page), Block("", "", "")]):
            if block.caption:
                reader.write(block)
            elif block.kind == "sh":
                printed, status = reader.do(block.text)
                if following.kind == "text":
                    assert cut(printed, following.text) == following.text, block.text + printed
                    compared += 1
                else:
                    assert status == 0, printed
    finally:
        reader.leave()
    return compared


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    found = BLOCK.finditer((DOCS / page).read_text("utf-8"))
    return [Block(match["kind"], match["caption"] or "", match["text"]) for match in found]


def cut(printed: str, shown: str) -> str:
    """What is printed, as far as the page shows it."""
    if not shown.endswith(AND_SO_ON):
        return printed
    return "".join(printed.splitlines(keepends=True)[: shown.count("\n") - 1]) + AND_SO_ON


class _Reader:
    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self._home = home
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self._shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=home,
            env={**clean, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def write(self, block: Block) -> None:
        """Write a file that the page shows whole, or change the end of one from where the page's piece begins."""
        name = block.caption.removeprefix("the end of ")
        path, kept = self._home / name, ""
        if name != block.caption:
            head = block.text.partition("(")[0] + "("
            kept, found, _ = path.read_text("utf-8").rpartition(head)
            assert found, f"{name} has nothing that begins with {head!r}"
        path.parent.mkdir(parents=True, exist_ok=True)
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
