"""The texts that an editor has open, as its notifications say; they count more than what the files hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pygls.uris import to_fs_path, uri_scheme

from session_lint.lsp.positions import Columns, line_starts
from session_lint.python.modules import absolute
from session_lint.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lsprotocol import types


@dataclass(frozen=True)
class Document:
    """One version of an open text.

    :param path: its file, which need not exist; ``None`` for a text that has none.
    """

    uri: str
    path: Path | None
    version: int
    text: str

    @property
    def filename(self) -> str:
        """What findings call it."""
        return str(self.path) if self.path is not None else self.uri

    @property
    def source(self) -> Source:
        """The text to analyse."""
        return Source(self.filename, self.text.removeprefix("\ufeff"))


def opened(item: types.TextDocumentItem) -> Document | None:
    """The document that an editor has opened; ``None`` for what is not looked at: other languages, other places.

    A text without a file (``untitled:``) is judged by itself. What stands elsewhere, in a history or an archive, is
    nobody's program.
    """
    path = path_of(item.uri)
    if path is None and uri_scheme(item.uri) != "untitled":
        return None
    if item.language_id != "python" and (path is None or path.suffix != ".py"):
        return None
    return Document(item.uri, path, item.version, item.text)


def path_of(uri: str) -> Path | None:
    """The file that a URI names; ``None`` where it names none."""
    found = to_fs_path(uri)
    return absolute(Path(found)) if found else None


def changed(
    document: Document, version: int, changes: Sequence[types.TextDocumentContentChangeEvent], columns: Columns
) -> Document:
    """The document after some changes, each of which builds on the one before."""
    text = document.text
    for change in changes:
        place = getattr(change, "range", None)
        text = change.text if place is None else _spliced(text, place, change.text, columns)
    return replace(document, version=version, text=text)


def _spliced(text: str, place: types.Range, content: str, columns: Columns) -> str:
    starts = line_starts(text)
    first = columns.offset(text, starts, place.start)
    last = max(first, columns.offset(text, starts, place.end))
    return text[:first] + content + text[last:]
