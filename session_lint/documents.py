"""Files that hold Python among other things, and the modules in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint.source import Source, decode
from session_lint.values import replace

if TYPE_CHECKING:
    from session_lint.finding import Finding

NOTEBOOK = ".ipynb"
MARKDOWN = ".md"


def embeds(filename: str) -> bool:
    """Whether a file holds Python among other things, by its name."""
    return filename.lower().endswith((NOTEBOOK, MARKDOWN))


def modules(filename: str, data: bytes) -> list[Source]:
    """The modules in a file: itself, all cells of a notebook as one, each block of a Markdown file.

    :param data: the file's bytes.
    :raises SourceError: where it is not what its name says.
    """
    if filename.lower().endswith(NOTEBOOK):
        from session_lint.notebook import notebook  # noqa: PLC0415  (most runs see none)

        found = notebook(filename, data)
        return [] if found is None else [found]
    if filename.lower().endswith(MARKDOWN):
        from session_lint.markdown import blocks  # noqa: PLC0415  (most runs see none)

        return blocks(filename, data)
    return [decode(filename, data)]


def text_of(filename: str, data: bytes) -> Source:
    """The text that places in a file are places in, as it was written: the file's own, and that of a notebook's cells.

    :raises SourceError: where the file is not what its name says.
    """
    if filename.lower().endswith(MARKDOWN):
        from session_lint.markdown import text_of as text  # noqa: PLC0415  (most runs see none)

        return Source(filename, text(data))
    if filename.lower().endswith(NOTEBOOK):
        from session_lint.notebook import notebook  # noqa: PLC0415  (most runs see none)

        return notebook(filename, data, written=True) or Source(filename, "")
    return decode(filename, data)


def placed(finding: Finding, source: Source) -> Finding:
    """A finding in one of a file's modules as one in the file, which no fix rewrites.

    :param source: the module.
    """
    if source.cells:
        from session_lint.notebook import in_cells  # noqa: PLC0415  (most runs see none)

        return in_cells(finding, source)
    if finding.fix is None:
        return finding
    from session_lint.markdown import REFUSAL  # noqa: PLC0415  (most runs see none)

    return replace(finding, fix=None, refusal=REFUSAL)
