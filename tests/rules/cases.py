"""The literate cases: Markdown pages whose Python blocks say on their lines what is to be found there.

A page is named after its rule's module. A block expects what its comments say and nothing else::

    session = Session()  # error: SES101
    session.commit()     # warning: SES301, SES302 part of the message

The first word is the severity (``error``, ``warning``, ``style``), several codes are separated by commas, and text
after them must stand in the message. A block without such comments is a "not this". What counts of the findings: the
page's own rule, everything of severity error, and the codes that the block expects somewhere. A block whose first line
is ``# file: tests/test_app.py`` pretends to be that file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.rules import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.finding import Finding

PAGES = Path(__file__).parent
EXPECTATION = re.compile(r"#\s*(error|warning|style):\s*(SES\d{3}(?:\s*,\s*SES\d{3})*)\s*(.*?)\s*$")


@dataclass(frozen=True, order=True)
class Expected:
    """One finding that a line announces."""

    row: int
    code: str
    severity: str


@dataclass(frozen=True)
class Case:
    """One block of a page.

    :param page: the page's name without its suffix: the module of the rule.
    :param heading: the heading it stands under.
    :param row: where it stands in the page.
    """

    page: str
    heading: str
    row: int
    text: str

    @property
    def id(self) -> str:
        """What pytest calls it."""
        return f"{self.page}-{'-'.join(re.findall(r'[a-z0-9_]+', self.heading.lower()))}-{self.row}"

    @property
    def filename(self) -> str:
        """The file that the block pretends to be."""
        found = re.match(r"# file: (\S+)", self.text)
        return found[1] if found else "module.py"

    @property
    def expected(self) -> list[Expected]:
        """What its lines announce."""
        return sorted(Expected(row, code, severity) for row, severity, codes, _ in self._announced() for code in codes)

    @property
    def words(self) -> list[tuple[int, str]]:
        """What the message of a row's finding must say, by row."""
        return [(row, words) for row, _, _, words in self._announced() if words]

    def counted(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that this block has something to say about."""
        announced = {one.code for one in self.expected}
        own = self.page.replace("_", "-")
        return [f for f in findings if f.name == own or f.severity.value == "error" or f.code in announced]

    def _announced(self) -> Iterator[tuple[int, str, list[str], str]]:
        for row, line in enumerate(self.text.splitlines(), 1):
            if found := EXPECTATION.search(line):
                yield row, found[1], re.findall(r"SES\d{3}", found[2]), found[3]


def pages() -> list[Path]:
    """All pages."""
    return sorted(PAGES.glob("*.md"))


def cases() -> Iterator[Case]:
    """All blocks of all pages."""
    for page in pages():
        yield from blocks(page)


def blocks(page: Path) -> Iterator[Case]:
    """The blocks of one page."""
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        before = text[: block.start()]
        heading = re.findall(r"^##+ (.*)$", before, re.MULTILINE)[-1]
        yield Case(page.stem, heading, before.count("\n") + 1, block[1])


def modules() -> set[str]:
    """The modules of all rules."""
    return {rule.module.rpartition(".")[2] for rule in catalogue().values()}
