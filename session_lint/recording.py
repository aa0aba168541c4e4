"""The file of a baseline: read, checked and written.

Each entry has a line of its own, with an empty line before the next. Removing an entry leaves that empty line, so that
two branches that remove neighbours can be merged: git takes two changes for a conflict where nothing between them has
stayed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from session_lint.baseline import Entry, compare
from session_lint.fingerprint import fingerprint
from session_lint.settings import SettingsError
from session_lint.writing import WriteError, create, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from session_lint.baseline import Comparison, Mark
    from session_lint.finding import Finding
    from session_lint.source import Source

FILE = ".session-lint-baseline.json"
VERSION = 1
ABOUT = "Known findings of session-lint. It only shrinks: session-lint baseline --prune removes what is gone."
LONGEST = 100
"""Characters of a line of code that an entry quotes, for people."""
_CONFLICT = ("<<<<<<< ", ">>>>>>> ")


class BaselineError(SettingsError):
    """A baseline that cannot be used; the message names the file and says what to do."""


@dataclass(frozen=True)
class Baseline:
    """A baseline as it stands in its file.

    :param data: the file's bytes.
    """

    file: Path
    entries: tuple[Entry, ...] = ()
    data: bytes = b""

    def place(self, filename: str) -> str:
        """How entries name a file: from the baseline's folder, with slashes, whether it is below that or not."""
        try:
            relative = os.path.relpath(filename, self.file.parent)
        except ValueError:  # another drive
            relative = os.path.abspath(filename)  # noqa: PTH100  # links stay as they are
        return relative.replace(os.sep, "/")

    def path(self, entry: Entry) -> Path:
        """The file that an entry is about, which may be gone."""
        return self.file.parent / entry.path

    def entry(self, finding: Finding, source: Source | None, reason: str = "") -> Entry:
        """What is recorded of one finding.

        :param source: the text of its file; ``None`` where that is gone.
        """
        row, lines = finding.location.row, source.lines_of(finding.location.cell) if source is not None else []
        line = lines[row - 1].strip() if row <= len(lines) else ""
        text = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}\u2026"
        mark = fingerprint(finding, source)
        return Entry(self.place(finding.filename), finding.code, finding.symbol, text, mark, reason=reason)

    def compared(
        self,
        findings: Iterable[Finding],
        source: Callable[[str], Source | None],
        looked: Callable[[Entry], bool],
    ) -> Comparison:
        """What is new, known and gone.

        :param findings: all that a run found.
        :param source: the text of a file by its name.
        :param looked: whether the run looked for what an entry records; otherwise it is not called gone.
        """
        marked = [(f, (self.place(f.filename), fingerprint(f, source(f.filename)))) for f in findings]
        return compare(self.entries, marked, looked, lambda entry: self.path(entry).is_file())

    def written(self, entries: Iterable[Entry]) -> None:
        """Put other entries in the file, all or nothing.

        :raises WriteError: where it cannot be written, or has changed since it was read.
        """
        content = _changed(self.data, sorted(entries))
        try:
            if self.data:
                write(self.file, self.data, content)
            else:
                create(self.file, content)
        except (OSError, WriteError) as error:
            raise WriteError(f"{self.file}: {getattr(error, 'strerror', None) or error}") from None


def read(file: Path) -> Baseline:
    """A baseline from its file.

    :raises BaselineError: where it cannot be read, or is none.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BaselineError(f"{file}: there is no baseline yet; record one with `session-lint baseline`") from None
    except OSError as error:
        raise BaselineError(f"{file}: cannot be read: {error.strerror or error}") from None
    return Baseline(file, _entries(file, data), data)


def _entries(file: Path, data: bytes) -> tuple[Entry, ...]:
    """The entries in a file's bytes.

    :raises BaselineError: where they are not what a baseline holds.
    """
    advice = "; mend the line, or take the file from version control again"
    try:
        text = data.decode()
        for row, line in enumerate(text.split("\n"), 1):
            if line.startswith(_CONFLICT):
                raise BaselineError(
                    f"{file}: line {row}: a merge was not finished: keep the entries of both sides,"
                    " then run `session-lint baseline --prune`"
                )
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise BaselineError(f"{file}: line {error.lineno}: not JSON: {error.msg}{advice}") from None
    except (UnicodeDecodeError, RecursionError) as error:
        raise BaselineError(f"{file}: not a baseline: {error}{advice}") from None
    if not isinstance(content, dict) or not isinstance(content.get("findings"), list):
        raise BaselineError(f"{file}: not a baseline: there is no list `findings`; `session-lint baseline` writes one")
    if content.get("version") != VERSION:
        raise BaselineError(
            f"{file}: version: this session-lint reads {VERSION}, not {content.get('version')!r}; record it anew"
        )
    found: dict[Mark, Entry] = {}
    for number, plain in enumerate((one for one in content["findings"] if one is not None), 1):
        entry = _entry(f"{file}: entry {number}", plain)
        if entry.mark in found:
            raise BaselineError(
                f"{file}: entry {number}: {entry.path} has {entry.fingerprint} twice; remove one of them"
            )
        found[entry.mark] = entry
    return tuple(found.values())


def _entry(where: str, plain: Any) -> Entry:  # noqa: ANN401  (what JSON holds)
    try:
        return msgspec.convert(plain, Entry, strict=True)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `$.")
        key = f" {key.rstrip('`')}:" if key else ""
        raise BaselineError(f"{where}:{key} {message[0].lower()}{message[1:]}") from None


def rendered(entries: Iterable[Entry]) -> bytes:
    """A baseline's file: UTF-8, line feeds on every system, the same for the same entries."""
    head = f'{{\n"version": {VERSION},\n"about": {json.dumps(ABOUT)},\n"findings": [\n\n'
    return head.encode() + b"".join(_line(entry) + b"\n\n" for entry in sorted(entries)) + b"null\n]\n}\n"


def _line(entry: Entry) -> bytes:
    plain = asdict(entry)
    if not entry.reason:
        del plain["reason"]
    # A name that is no text has surrogates, which backslashes escape as JSON does.
    return json.dumps(plain, ensure_ascii=False).encode(errors="backslashreplace") + b","


def _changed(before: bytes, entries: Sequence[Entry]) -> bytes:
    """The file with other entries; where it has a line for each of them, the other lines stay where they are."""
    whole, fresh = rendered(entries), {entry.mark: _line(entry) for entry in entries}
    lines: list[bytes] = []
    for line in before.replace(b"\r\n", b"\n").split(b"\n"):
        if not _holds_entry(line):
            lines.append(line)
        elif (mark := _mark(line)) in fresh:
            lines.append(fresh.pop(mark))
    return whole if fresh or _skeleton(lines) != _skeleton(whole.split(b"\n")) else b"\n".join(lines)


def _holds_entry(line: bytes) -> bool:
    return line.startswith(b'{"')


def _mark(line: bytes) -> Mark:
    """The mark of the entry in a line; an empty one where that is not all of it."""
    try:
        plain = json.loads(line.rstrip(b","))
        return plain["path"], plain["fingerprint"]
    except (ValueError, KeyError):
        return "", ""


def _skeleton(lines: Iterable[bytes]) -> list[bytes]:
    return [line for line in lines if line and not _holds_entry(line)]
