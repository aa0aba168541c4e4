"""``check --diff-base REV``: only what stands on lines that were touched since a revision.

A finding counts where its own line or a line of its way was added or changed, and where lines were deleted between its
first line and its last: the ``close()`` that is gone has no line any more. What is compared is the files as they are
now with the point where the branch left REV: what is not committed yet counts, and so does all of a new file.
Of notebooks the code of the cells is compared: new outputs touch nothing.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.cli.git import GitError, git, top_of
from session_lint.cli.run import source_of
from session_lint.documents import NOTEBOOK, text_of
from session_lint.errors import UserError
from session_lint.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from session_lint.finding import Finding, Location

_HUNK = re.compile(rb"@@ -\S+ \+(?P<first>\d+)(?:,(?P<count>\d+))? @@")
_ESCAPED = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_PLAIN = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_DIFF = ("--unified=0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames", "--src-prefix=a/")


@dataclass
class Touched:
    """What was touched in one file.

    :param rows: the lines that were added or changed.
    :param gaps: the lines behind which something was deleted.
    :param whole: whether the whole file is new.
    """

    rows: set[int] = field(default_factory=set)
    gaps: set[int] = field(default_factory=set)
    whole: bool = False

    def holds(self, rows: Iterable[int]) -> bool:
        """Whether some lines, or what lies between the first and the last of them, were touched."""
        rows = sorted(rows)
        return self.whole or any(row in self.rows for row in rows) or any(rows[0] <= g < rows[-1] for g in self.gaps)


def changed(findings: Iterable[Finding], base: str) -> list[Finding]:
    """The findings that have to do with what was touched since a revision.

    :raises UserError: where a file is in no repository, or the repository does not know the revision.
    """
    touched: dict[Path, dict[Path, Touched]] = {}
    return [finding for finding in findings if _counts(finding, base, touched)]


def _counts(finding: Finding, base: str, known: dict[Path, dict[Path, Touched]]) -> bool:
    rows: dict[str, set[int]] = defaultdict(set)
    rows[finding.filename].add(_row(finding.filename, finding.location))
    for step in finding.trace:
        rows[step.filename].add(_row(step.filename, step.location))
    return any(
        found.holds(where)
        for name, where in rows.items()
        if (found := _touched(Path(name).resolve(), base, known)) is not None
    )


def _row(filename: str, location: Location) -> int:
    """A place's row in the text of its file; of a notebook, in that of all its cells."""
    source = source_of(filename) if location.cell else None
    return location.row if source is None else source.in_text(location).row


def _touched(path: Path, base: str, known: dict[Path, dict[Path, Touched]]) -> Touched | None:
    top = top_of(path.parent)
    if top is None:
        raise UserError(f"--diff-base {base}: {path} is in no git repository; run without it, or where there is one")
    if top not in known:
        known[top] = repository(top, base)
    return known[top].get(path)


def repository(top: Path, base: str) -> dict[Path, Touched]:
    """What was touched in a repository since a branch left a revision, by file.

    :raises UserError: where the repository does not know the revision.
    """
    try:
        git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    except GitError as error:
        why = str(error) or "there is no such revision"
        hint = "`git fetch` brings one that only the server has; a shallow clone lacks old ones"
        raise UserError(f"--diff-base {base}: {why} in {top}; {hint}") from None
    try:
        fork = git(top, "merge-base", base, "HEAD").decode().strip()
        diff = git(top, "diff", *_DIFF, "--dst-prefix=b/", fork, "--")
        new = git(top, "ls-files", "-z", "--others", "--exclude-standard")
    except GitError as error:
        why = str(error) or "it has no commit in common with HEAD"
        raise UserError(f"--diff-base {base}: {why}; name a revision that this branch comes from") from None
    found = {}
    for name, before, touched in _parsed(diff):
        path = top / name
        found[path] = _in_cells(top, f"{fork}:{before}", path) if name.lower().endswith(NOTEBOOK) else touched
    found.update(
        (top / name.decode(errors="surrogateescape"), Touched(whole=True)) for name in new.split(b"\0") if name
    )
    return {path.resolve(): touched for path, touched in found.items()}


def _in_cells(top: Path, before: str, path: Path) -> Touched:
    """What was touched in the text of a notebook's cells; all of it where one of the two cannot be read.

    :param before: what git calls the notebook as it was.
    """
    try:
        old = text_of(str(path), git(top, "cat-file", "blob", before))
        new = text_of(str(path), path.read_bytes())
    except (GitError, OSError, SourceError):  # it is new, or was none, or is none any more
        return Touched(whole=True)
    touched = Touched()
    for tag, _, _, first, last in difflib.SequenceMatcher(None, old.lines, new.lines, autojunk=False).get_opcodes():
        if tag == "delete":
            touched.gaps.add(first)
        elif tag != "equal":
            touched.rows.update(range(first + 1, last + 1))
    return touched


def _parsed(diff: bytes) -> Iterator[tuple[str, str, Touched]]:
    """The files of a diff without context, as they are called now and were before, with what was touched in them.

    Lines of content are counted, not read: one may look like a heading.
    """
    touched, before, left = Touched(), "", 0
    for line in diff.split(b"\n"):
        if left and line[:1] in (b"+", b"-"):
            left -= 1
        elif line.startswith(b"--- "):
            before = _name(line[4:], "a/")
        elif line.startswith(b"+++ "):
            touched = Touched()
            if line != b"+++ /dev/null":
                yield _name(line[4:], "b/"), before, touched
        elif hunk := _HUNK.match(line):
            first, count = int(hunk["first"]), int(hunk["count"] or 1)
            touched.rows.update(range(first, first + count))
            if not count:
                touched.gaps.add(first)
            left = count + _removed(line)


def _removed(hunk: bytes) -> int:
    """How many lines a hunk takes away."""
    _, comma, count = hunk.split(b" ", 2)[1].partition(b",")
    return int(count) if comma else 1


def _name(quoted: bytes, prefix: str) -> str:
    """A file's name as a diff writes it, without the prefix: in quotes where it has unusual characters."""
    text = quoted.rstrip(b"\t")
    if text.startswith(b'"'):
        text = _ESCAPED.sub(lambda found: bytes([_byte(found[1])]), text[1:-1])
    return text.decode(errors="surrogateescape").removeprefix(prefix)


def _byte(escape: bytes) -> int:
    return int(escape, 8) if len(escape) > 1 else _PLAIN[escape[0]]
