"""The text of one file: its bytes, its encoding, its lines and its columns.

The only place that decodes bytes and the only place that turns the UTF-8 byte columns of
:mod:`ast` into character columns. Nothing here knows what the text means.
"""

from __future__ import annotations

import io
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from session_lint.finding import Location
from session_lint.stages import stage
from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable
    from pathlib import Path


class SourceError(Exception):
    """A file that cannot be read, decoded or parsed.

    :param message: what is wrong, in words for the file's author.
    :param location: where in the file, the first character when nothing better is known.
    """

    def __init__(self, message: str, location: Location = Location(1, 1)) -> None:  # noqa: B008
        super().__init__(message)
        self.message = message
        self.location = location


@dataclass(frozen=True)
class Cell:
    """A notebook's cell in the text of all of them.

    :param number: its place among all cells, from 1.
    :param first: the row of its first line, and ``last`` that of its last.
    """

    number: int
    first: int
    last: int


@dataclass(frozen=True)
class Source:
    """One module's text.

    :param filename: as the user named the file; shown in findings.
    :param text: the decoded text, line ends as they stand in the file.
    :param encoding: what :pep:`263` says the bytes are written in.
    :param cells: the cells of a notebook whose text it is, in order.
    """

    filename: str
    text: str
    encoding: str = "utf-8"
    cells: tuple[Cell, ...] = ()

    @cached_property
    def lines(self) -> list[str]:
        """The physical lines as Python counts them, ends included."""
        return _lines_of(self.text)

    def lines_of(self, cell: int) -> list[str]:
        """The lines that a place counts in: all, or those of one cell; none where there is no such cell."""
        if not cell:
            return self.lines
        return next((self.lines[one.first - 1 : one.last] for one in self.cells if one.number == cell), [])

    def in_cell(self, location: Location) -> Location:
        """A place in the text as one in the cell that it is in."""
        cell = next((one for one in reversed(self.cells) if one.first <= location.row), None)
        return location if cell is None else Location(location.row - cell.first + 1, location.column, cell.number)

    def in_text(self, location: Location) -> Location:
        """A place in a cell as one in the text; one that is in no cell stays what it is."""
        cell = next((one for one in self.cells if one.number == location.cell), None)
        return location if cell is None else Location(location.row + cell.first - 1, location.column)

    def location(self, row: int, byte_column: int) -> Location:
        """The place of an :mod:`ast` position.

        :param row: line, from 1.
        :param byte_column: offset in UTF-8 bytes, from 0, as ``ast`` counts.
        :returns: line from 1, character column from 1.
        """
        if row > len(self.lines):
            return Location(row, byte_column + 1)
        line = self.lines[row - 1]
        if line.isascii():
            return Location(row, byte_column + 1)
        return Location(row, len(line.encode()[:byte_column].decode(errors="replace")) + 1)

    def start(self, node: ast.AST) -> Location:
        """Where a node begins."""
        return self.location(node.lineno, node.col_offset)  # type: ignore[attr-defined]

    def end(self, node: ast.AST) -> Location:
        """Where a node ends, exclusive."""
        return self.location(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    @stage("parsing")
    def parse(self) -> ast.Module:
        """The syntax tree.

        :raises SourceError: where the text is not Python that this interpreter reads.
        """
        import ast  # noqa: PLC0415  (what was found before is told without a tree)
        import warnings  # noqa: PLC0415

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an invalid escape is the user's own linter's business
                return ast.parse(self.text, self.filename, type_comments=False)
        except SyntaxError as error:
            row, column = error.lineno or 1, error.offset or 1
            raise SourceError(f"syntax error: {error.msg}", Location(max(row, 1), max(column, 1))) from None
        except ValueError as error:  # a null byte
            raise SourceError(str(error)) from None
        except (RecursionError, MemoryError):
            raise SourceError("nested too deeply to be parsed") from None


class _Undecoded(Source):
    """A text that is decoded whenever it is asked for."""

    def __init__(self, filename: str, data: bytes, encoding: str) -> None:
        self.__dict__.update(filename=filename, encoding=encoding, cells=(), data=data)

    @property
    def text(self) -> str:
        return _text(self.__dict__["data"], self.encoding)

    @property
    def lines(self) -> list[str]:
        return _lines(self.__dict__["data"], self.encoding)


def _lines_of(text: str) -> list[str]:
    return io.StringIO(text, newline=None).readlines()


@lru_cache(maxsize=8)
def _lines(data: bytes, encoding: str) -> list[str]:
    return _lines_of(_text(data, encoding))


@lru_cache(maxsize=8)
def _text(data: bytes, encoding: str) -> str:
    return data.decode(encoding).removeprefix("\ufeff")


def undecoded(source: Source, data: bytes) -> Source:
    """The same text for no memory, for one that is kept for long and looked at seldom.

    With one character beyond the first 65,536 in it, Python takes four bytes for each.

    :param data: what it was decoded from, which is kept anyway.
    """
    return _Undecoded(source.filename, data, source.encoding)


def decode(filename: str, data: bytes) -> Source:
    """A file's bytes as text, by its byte order mark or coding line.

    :raises SourceError: where the bytes are not what the file says they are.
    """
    try:
        encoding = _encoding(data)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise SourceError(f"cannot be decoded: {error.msg}") from None
    except (UnicodeDecodeError, LookupError) as error:
        row = data[: getattr(error, "start", 0)].count(b"\n") + 1
        raise SourceError(f"cannot be decoded: {error}", Location(row, 1)) from None
    return Source(filename, text.removeprefix("\ufeff"), encoding)


def _encoding(data: bytes) -> str:
    """What bytes are written in.

    :raises SyntaxError: where they say what is not so, or cannot be.
    """
    head = data[: data.find(b"\n", data.find(b"\n") + 1) + 1 or len(data)]
    if head.isascii() and b"coding" not in head:
        return "utf-8"
    if any(name in head for name in _UTF_8_TOO):
        return "utf-8"
    from tokenize import detect_encoding  # noqa: PLC0415  (few files say anything)

    return detect_encoding(io.BytesIO(data).readline)[0]


_UTF_8_TOO = (b"future_fstrings", b"future-fstrings")
"""Encodings that a package brings for old Pythons; what is written in them is UTF-8.

Source: https://pypi.org/project/future-fstrings/
"""


def read(path: Path, filename: str | None = None) -> Source:
    """A file from disk.

    :raises SourceError: where it cannot be read or decoded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}") from None
    return decode(filename or str(path), data)


def begins_indented(lines: Iterable[str]) -> bool:
    """Whether the first line with code on it is indented."""
    return next((line for line in lines if line.strip() and line.lstrip()[0] != "#"), "")[:1].isspace()


def physical_lines(text: str) -> list[str]:
    """A text's lines with their ends, cut where Python cuts them: not at form feeds or Unicode's own separators."""
    return io.StringIO(text, newline="").readlines()


def encode(text: str) -> bytes:
    """A text as the bytes that :func:`decode` makes it of again, where there are such."""
    plain = text.encode(errors="surrogatepass")
    try:
        encoding = _encoding(plain)
        return text.encode(encoding)
    except (SyntaxError, UnicodeEncodeError, LookupError):
        return plain
