"""Pages of findings, and what a reader without a browser makes of one."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from session_lint.analysis import analyse
from session_lint.report.html import report
from session_lint.report.run import Run
from session_lint.source import Source
from tests.linting import lint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from session_lint.analysis import ModuleFacts

SHOP = '''\
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def count(users):
    """Everybody."""
    session = SessionLocal()
    return session.query(users).count()  # it is not closed


def save(orders):
    session = SessionLocal()
    try:
        for order in orders:
            if order.paid:
                session.add(order)
        session.commit()
    except Exception:
        tell(orders)
        session.rollback()
    session.close()
'''
"""A session that no way closes, and one that an exception in line 20 leaves open."""

VOID = {"meta", "link", "input", "br"}


def run_of(texts: Mapping[str, str]) -> Run:
    """The run over modules by their file names, each by itself, with all rules."""
    found = [finding for name, text in texts.items() for finding in lint(text, filename=name)]

    def source(name: str) -> Source | None:
        return Source(name, texts[name]) if name in texts else None

    def facts(name: str) -> ModuleFacts | None:
        text = source(name)
        return None if text is None else analyse(text, text.parse(), name.removesuffix(".py"))

    return Run(found, len(texts), source, facts=facts)


@dataclass
class Element:
    """An element of a page."""

    tag: str
    attributes: dict[str, str]
    inside: list[Element | str] = field(default_factory=list)

    def all(self, tag: str, words: str = "") -> list[Element]:
        """The elements below with a tag and these classes, in their order."""
        wanted = set(words.split())
        return [e for e in self.walk() if e.tag == tag and wanted <= set(e.attributes.get("class", "").split())]

    def walk(self) -> Iterator[Element]:
        """All elements below."""
        for part in self.inside:
            if isinstance(part, Element):
                yield part
                yield from part.walk()

    @property
    def text(self) -> str:
        """What is written in it."""
        return "".join(part if isinstance(part, str) else part.text for part in self.inside)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(element := Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(text: str) -> Element:
    """A page as a tree, each element of which is closed where it must be."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert len(reader.open) == 1
    return reader.open[0]


def page_of(texts: Mapping[str, str]) -> Element:
    """The page of the run over modules."""
    return read(report(run_of(texts)))
