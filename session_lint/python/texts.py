"""The texts of one project's files, as they stand, and what follows from a text alone.

Nothing here rests on two files at once, so that a change of one costs only what is known of that one: the long-lived
process of an editor keeps this, and works out anew what texts mean together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from session_lint.digests import blake2b
from session_lint.python.layout import Layout
from session_lint.python.mentions import LETTERS, namer
from session_lint.python.stopping import go_on
from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable
    from pathlib import Path

    from session_lint.python.scopes import Scopes
    from session_lint.source import Source

_LARGEST = 1_500_000
"""Bytes of the largest file that is followed into; what is larger is data, or was generated."""
_DEFINED = re.compile(rb"^(?:async[ \t]+def|def|class)[ \t]+(%s+)" % LETTERS, re.MULTILINE)
_ASSIGNED = re.compile(rb"^(%s+)[ \t]*(?::[^=\n]*)?=[^=]" % LETTERS, re.MULTILINE)


@dataclass(frozen=True)
class Parsed:
    """A text that was parsed: what it is called by, and what its scopes bind."""

    source: Source
    tree: ast.Module
    module: str
    scopes: Scopes


class Texts:
    """The texts of one project.

    :param root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self._bytes: dict[Path, bytes] = {}
        self._marks: dict[Path, bytes] = {}
        self._parsed: dict[Path, Parsed | None] = {}
        self._holding: dict[str, dict[Path, None]] = {}
        self._naming: dict[str, dict[Path, bool]] = {}
        self._defined: dict[Path, frozenset[bytes]] = {}

    def content(self, path: Path) -> bytes:
        """The bytes of a file; none where it cannot be read."""
        if path not in self._bytes:
            try:
                self._bytes[path] = path.read_bytes() if path.is_file() else b""  # a pipe would be waited for
            except OSError:
                self._bytes[path] = b""
        return self._bytes[path]

    def defined(self, path: Path) -> frozenset[bytes]:
        """The names of the functions and classes that a module's text defines, without those that it assigns to, too.

        It is not parsed for that: what is defined under a condition is left out.
        """
        if path not in self._defined:
            content = self.content(path)
            self._defined[path] = frozenset(_DEFINED.findall(content)).difference(_ASSIGNED.findall(content))
        return self._defined[path]

    def mark(self, path: Path) -> bytes:
        """What tells a file's content from any other; nothing where there is none."""
        if path not in self._marks:
            content = self.content(path)
            self._marks[path] = blake2b(content, digest_size=16).digest() if content else b""
        return self._marks[path]

    def replace(self, path: Path, data: bytes | None) -> None:
        """Let other bytes stand for a file from now on; ``None`` for what the disk says."""
        self._parsed.pop(path, None)
        self._stands(path, data)

    def _stands(self, path: Path, data: bytes | None) -> None:
        before = self._bytes.pop(path, None)
        if data is not None:
            self._bytes[path] = data
        self._marks.pop(path, None)
        self._defined.pop(path, None)
        for known in self._naming.values():
            known.pop(path, None)
        if self._holding and (before is None or before != self.content(path)):
            self._hold_anew(path, before or b"")

    def _hold_anew(self, path: Path, before: bytes) -> None:
        """Correct which words a file holds: only those around what has changed can have come or gone."""
        content = self.content(path)
        old, new = _around(before, content, max(map(len, self._holding)) * 4)
        listed = path in self.layout.places
        for word, files in self._holding.items():
            wanted = word.encode()
            if wanted in new or wanted in old:
                files.pop(path, None)
                if listed and wanted in content:
                    files[path] = None

    def holding(self, word: str) -> list[Path]:
        """The files whose bytes hold a word, in their order."""
        if word not in self._holding:
            wanted = word.encode()
            self._holding[word] = {path: None for path in self.layout.files if wanted in self.content(path)}
        return sorted(self._holding[word], key=self.layout.places.__getitem__)

    def naming(self, name: str) -> list[Path]:
        """The files whose bytes hold a name, or the end of a path of names, where it may stand."""
        known = self._naming.setdefault(name, {})
        finds = namer(name)
        found = []
        for path in self.holding(name):
            if path not in known:
                known[path] = finds(self.content(path))
            if known[path]:
                found.append(path)
        return found

    def having(self, words: frozenset[str], paths: Iterable[Path]) -> list[Path]:
        """Those of some files whose bytes hold one of some words as a whole word."""
        found = {path for word in words for path in self.naming(word)}
        return [path for path in paths if path in found]

    def stand_in(self, path: Path, source: Source, tree: ast.Module | None) -> Parsed:
        """A text that need not be its file's, parsed; it stands for the file from now on.

        :raises SourceError: where it cannot be parsed.
        """
        data = source.text.encode(errors="surrogatepass")
        if self.content(path) == data:
            from session_lint.source import undecoded  # noqa: PLC0415  (as below)

            source = undecoded(source, self.content(path))
        elif not self._says(path, source.text):
            self._stands(path, data)
        return self._take(path, source, tree)

    def _says(self, path: Path, text: str) -> bool:
        from session_lint.source import SourceError, decode  # noqa: PLC0415  (as below)

        try:
            return decode(str(path), self.content(path)).text == text
        except SourceError:
            return False

    def _take(self, path: Path, source: Source, tree: ast.Module | None) -> Parsed:
        from session_lint.python.scopes import scopes  # noqa: PLC0415  (bytes alone may tell all that is asked)
        from session_lint.python.trees import compact  # noqa: PLC0415  (the same)

        name = self.layout.name(path)
        tree = tree or compact(source.parse())
        found = Parsed(source, tree, name, scopes(tree, name, package=path.stem == "__init__"))
        self._parsed[path] = found
        return found

    def parsed(self, path: Path) -> Parsed | None:
        """A file's text, parsed; ``None`` where it cannot be read or parsed, or is larger than anyone writes."""
        if path not in self._parsed:
            go_on()
            self._parsed[path] = self._read(path)
        return self._parsed[path]

    def _read(self, path: Path) -> Parsed | None:
        from session_lint.source import SourceError, decode, undecoded  # noqa: PLC0415  (as above)

        data = self.content(path)
        if not data or len(data) > _LARGEST:
            return None
        try:
            return self._take(path, undecoded(decode(str(path), data), data), None)
        except (SourceError, RecursionError, MemoryError):
            return None


def _around(before: bytes, after: bytes, margin: int) -> tuple[bytes, bytes]:
    """What differs between two texts, with so many bytes around it that any word which came or went is whole."""
    shortest = min(len(before), len(after))
    start = _same(before, after, shortest)
    end = _same(before[::-1], after[::-1], shortest - start)
    first = max(0, start - margin)
    return before[first : len(before) - end + margin], after[first : len(after) - end + margin]


def _same(one: bytes, other: bytes, most: int) -> int:
    """How many bytes two texts have in common at their start."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
