"""Jupyter notebooks: their code cells as one text, in order, since they share one scope; and the way back to the cells.

Only what is needed is decoded: outputs, which are most of a notebook, are passed over.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from session_lint.finding import Location
from session_lint.magics import python_only
from session_lint.source import Cell, Source, SourceError, begins_indented, physical_lines

if TYPE_CHECKING:
    from session_lint.finding import Finding, Step

OLDEST = 4
"""The first of notebooks' formats that has its cells in one list."""
REFUSAL = "a notebook is not rewritten: the cell has to be changed where it is edited"
_ROW = re.compile(r"\blines? (?P<first>\d+)(?: to (?P<last>\d+))?(?! of )\b")
_BYTE = re.compile(r" \(byte (\d+)\)$")


class _Cell(msgspec.Struct):
    cell_type: str
    source: str | list[str] = ""


class _Language(msgspec.Struct):
    name: str = ""
    language: str = ""


class _Metadata(msgspec.Struct):
    language_info: _Language | None = None
    kernelspec: _Language | None = None


class _Notebook(msgspec.Struct):
    nbformat: int
    cells: list[_Cell] = []
    metadata: _Metadata | None = None


_decoded = msgspec.json.Decoder(_Notebook, strict=False).decode


def notebook(filename: str, data: bytes, *, written: bool = False) -> Source | None:
    """The Python of a notebook.

    :param data: the file's bytes.
    :param written: whether to leave the text as it was written, what only IPython reads included.
    :returns: one text that knows its cells; ``None`` where the notebook's language is another one.
    :raises SourceError: where it is no notebook, or one that is too old.
    """
    try:
        read = _decoded(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _not_read(data, error) from None
    if read.nbformat < OLDEST:
        raise SourceError(
            f"notebook of format {read.nbformat}: read from format {OLDEST} on;"
            f" `jupyter nbconvert --to notebook --nbformat {OLDEST}` brings it there"
        )
    return _joined(filename, read, written=written) if _is_python(read.metadata) else None


def _not_read(data: bytes, error: Exception) -> SourceError:
    said = str(error)
    at = _BYTE.search(said)
    row = data[: int(at[1])].count(b"\n") + 1 if at else 1
    return SourceError(f"not a notebook: {_BYTE.sub('', said)}", Location(row, 1))


def _is_python(metadata: _Metadata | None) -> bool:
    """Whether a notebook says that it is Python, or nothing."""
    if metadata is None:
        return True
    said = [
        metadata.language_info.name if metadata.language_info else "",
        metadata.kernelspec.language if metadata.kernelspec else "",
    ]
    language = next((one.lower() for one in said if one), "python")
    return language.startswith(("python", "ipython"))


def _joined(filename: str, read: _Notebook, *, written: bool) -> Source:
    texts: list[str] = []
    cells: list[Cell] = []
    row = 0
    for number, cell in enumerate(read.cells, 1):
        text = cell.source if isinstance(cell.source, str) else "".join(cell.source)
        if cell.cell_type != "code" or not text.strip():
            continue
        text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n") + "\n"
        python = python_only(text)
        if begins_indented(physical_lines(python)):
            texts.append("if True:\n")  # IPython takes the indent off; as a body it keeps its columns
            row += 1
        texts.append(text if written else python)
        cells.append(Cell(number, row + 1, row := row + len(physical_lines(text))))
    return Source(filename, "".join(texts), cells=tuple(cells))


def in_cells(finding: Finding, source: Source) -> Finding:
    """A finding in a notebook's text as one in its cells: the places, and the rows that are told in words.

    :param source: the notebook's text.
    """
    steps = tuple(_step(step, source) for step in finding.trace)
    refusal = finding.refusal if finding.fix is None else REFUSAL
    return replace(
        finding,
        message=_told(finding.message, source),
        location=source.in_cell(finding.location),
        end_location=source.in_cell(finding.end_location),
        trace=steps,
        fix=None,
        refusal=_told(refusal, source),
    )


def _step(step: Step, source: Source) -> Step:
    told = replace(step, message=_told(step.message, source))
    if step.filename != source.filename:
        return told
    end = source.in_cell(step.end_location) if step.end_location is not None else None
    return replace(told, location=source.in_cell(step.location), end_location=end)


def _told(message: str, source: Source) -> str:
    """A message with the rows in it as rows of cells; those of other files have the file behind them."""

    def told(match: re.Match[str]) -> str:
        first = source.in_cell(Location(int(match["first"]), 1))
        last = source.in_cell(Location(int(match["last"] or match["first"]), 1))
        rows = f"lines {first.row} to {last.row}" if match["last"] else f"line {first.row}"
        return f"{rows} of cell {first.cell}" if first.cell else match[0]

    return _ROW.sub(told, message)
