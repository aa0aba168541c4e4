"""Programs of several files: what is reported, and that it hangs on nothing but the files.

The cases stand in the Markdown files beside this one. Each heading is a program, each code block one of its files,
named by its first line; ``# error: SES101`` (``warning``, ``style``) marks a line that must be reported, and text after
that must stand in the message.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from session_lint.engine import forget, lint_file
from session_lint.settings import Settings

SETTINGS = Settings(cache=False, extend_select=("SES305",), ignore=("SES401", "SES705"))
_MARK = re.compile(r"#.*?\b(error|warning|style): (SES\d{3})")
_WORDS = re.compile(r"#.*?\b(?:error|warning|style): (SES\d{3}) (.+)")
_FILE = re.compile(r"```python\n# (\S+\.pyi?)\n(.*?)```", re.DOTALL)

Expected = tuple[str, int, str, str]
"""File, line, code and severity."""


@dataclass(frozen=True)
class Program:
    """A program.

    :param files: the text of each file by its path, the line with its name left in.
    """

    name: str
    files: dict[str, str]

    @property
    def expected(self) -> list[Expected]:
        """What must be reported."""
        return sorted(
            (path, row, code, severity)
            for path, text in self.files.items()
            for row, line in enumerate(text.splitlines(), 1)
            for severity, code in _MARK.findall(line)
        )

    @property
    def words(self) -> list[tuple[str, int, str, str]]:
        """What the messages of findings must say, by file, line and code."""
        return [
            (path, row, code, words)
            for path, text in self.files.items()
            for row, line in enumerate(text.splitlines(), 1)
            for code, words in _WORDS.findall(line)
        ]

    def write(self) -> list[Path]:
        """Write the files into the current folder."""
        for place, text in self.files.items():
            path = Path(place)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [Path(place) for place in sorted(self.files)]


def programs() -> list[Program]:
    """All programs of this folder."""
    found = []
    for page in sorted(Path(__file__).parent.glob("*.md")):
        for section in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            name, _, text = section.partition("\n")
            files = {path: f"# {path}\n{body}" for path, body in _FILE.findall(text)}
            assert files, name
            found.append(Program(f"{page.stem}: {name}", files))
    return found


PROGRAMS = programs()


def linted(paths: list[Path], *, afresh: bool = False) -> list[Expected]:
    """What is reported in files, in this order.

    :param afresh: whether each is linted as if it were the first.
    """
    forget()
    found = []
    for path in paths:
        if afresh:
            forget()
        findings = lint_file(path, SETTINGS).findings
        found += [(path.as_posix(), f.location.row, f.code, f.severity.value) for f in findings]
    return sorted(found)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_program(program: Program) -> None:
    """The same is reported in whatever order the files are linted, and of each file alone."""
    paths = program.write()
    found = [linted(paths), linted(paths[::-1]), linted(paths, afresh=True)]
    assert [program.expected] * 3 == found


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p.words], ids=[p.name for p in PROGRAMS if p.words])
def test_words(program: Program) -> None:
    """The messages say what the lines announce."""
    forget()
    found = {path: lint_file(path, SETTINGS).findings for path in program.write()}
    for path, row, code, words in program.words:
        said = [f.message for f in found[Path(path)] if (f.location.row, f.code) == (row, code)]
        assert any(words in message for message in said), (path, row, said)


def test_places_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the root, from a folder of the project, by absolute paths: the same findings."""
    program = next(p for p in PROGRAMS if len(p.files) > 2 and p.expected)
    paths = program.write()
    root = Path.cwd()
    linted_there = linted([path.absolute() for path in paths])
    monkeypatch.chdir(paths[-1].parent)
    found = [(Path(path).relative_to(root).as_posix(), *rest) for path, *rest in linted_there]
    assert program.expected == found


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is Python 3.12's")
def test_an_alias_by_the_type_statement() -> None:
    """``type DB = Annotated[Session, …]`` says what a parameter is, as ``DB = …`` does."""
    Path("db.py").write_text(
        "from typing import Annotated\nfrom sqlalchemy.ext.asyncio import AsyncSession\n"
        "type DB = Annotated[AsyncSession, 'of the request']\n"
    )
    Path("jobs.py").write_text("from db import DB\nasync def save(db: DB):\n    db.commit()\n")
    assert [("jobs.py", 3, "SES801", "error")] == linted([Path("jobs.py")])
