"""Findings kept between runs, by the content that they were found in and by what else they rest on.

An entry's *dependencies* are questions about the rest of the project, opaque here, with the answers they had: it counts
only while each of them is answered the same. A key keeps its last few entries, which differ in their dependencies: who
goes back to another branch finds that branch's findings again.

The store is one SQLite file in ``.session_lint_cache``. It is a convenience and never an authority: what is damaged,
locked, read-only or somebody else's is done without, and every entry carries a digest of all that it says.
Nothing that is kept can hold code.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from session_lint.digests import blake2b
from session_lint.entries import decoded, encoded
from session_lint.frames import packed, unpacked
from session_lint.installation import fingerprint
from session_lint.store import FOLDER, forget, opened, remove

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from session_lint.finding import Finding
    from session_lint.settings import Settings

KEPT_DAYS = 30
KEPT_ENTRIES = 3  # of one key
DAY = 86_400 * 1_000_000_000  # in nanoseconds, as the store tells time
_ROWS = "SELECT digest, asked, content, used FROM findings WHERE key = ? ORDER BY used DESC"
_NOTE = "SELECT digest, x'', content, used FROM notes WHERE key = ?"
_COUNT = "SELECT count(*) FROM findings WHERE key = ?"
_THIN = """DELETE FROM findings WHERE key = ? AND digest NOT IN
    (SELECT digest FROM findings WHERE key = ? ORDER BY used DESC LIMIT ?)"""


class Cache:
    """An open store; once something is wrong with it, an empty one that keeps nothing.

    :param root: the folder that holds, or will hold, the store's own folder.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = opened(self._folder)
            forget(self._connection, time.time_ns() - KEPT_DAYS * DAY)
        except OSError:
            self.close()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._give_up(error)

    def get(self, key: bytes, answer: Callable[[str], bytes]) -> tuple[Finding, ...] | None:
        """The findings kept under a key that still hold, or ``None``.

        :param answer: what a question is answered with now.
        """
        if self._connection is None:
            return None
        try:
            for newer, row in enumerate(self._connection.execute(_ROWS, (key,)).fetchall()):
                if _sound(key, row) and _holds(row[1], answer):
                    findings = decoded(row[2])
                    self._touch(key, row[0], row[3], last=not newer)
                    return findings
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._give_up(error)
        except (OSError, ValueError):  # it cannot be answered, which is not the same
            return None
        return None

    def put(self, key: bytes, findings: tuple[Finding, ...], dependencies: Mapping[str, bytes]) -> None:
        """Keep findings under a key; those that would not come back equal are not kept.

        :param dependencies: the questions whose answers the findings rest on, with these answers.
        """
        if self._connection is None:
            return
        try:
            pairs = sorted((q.encode(errors="surrogateescape"), a) for q, a in dependencies.items())
            asked = packed(part for pair in pairs for part in pair)
            content = encoded(findings)
            row = (key, _digest(key, asked, content), asked, content, time.time_ns())
            self._connection.execute("INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?, ?)", row)
            if self._connection.execute(_COUNT, (key,)).fetchone()[0] > KEPT_ENTRIES:
                self._connection.execute(_THIN, (key, key, KEPT_ENTRIES))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._give_up(error)
        except ValueError:
            return

    def recall(self, key: bytes) -> bytes | None:
        """What was last kept under a key by :meth:`remember`."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute(_NOTE, (key,)).fetchone()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._give_up(error)
            return None
        return row[2] if row is not None and _sound(key, row) else None

    def remember(self, key: bytes, content: bytes) -> None:
        """Keep some bytes under a key, in the place of what was kept there."""
        if self._connection is None:
            return
        try:
            row = (key, _digest(key, b"", content), content, time.time_ns())
            self._connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)", row)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._give_up(error)

    def _touch(self, key: bytes, digest: bytes, used: object, *, last: bool) -> None:
        """Note that an entry was used: once a day, and when it was not the last one to be."""
        now = time.time_ns()
        if self._connection is not None and not (last and isinstance(used, int) and used // DAY == now // DAY):
            self._connection.execute("UPDATE findings SET used = ? WHERE key = ? AND digest = ?", (now, key, digest))

    def _give_up(self, error: Exception) -> None:
        self.close()
        # Locked, read-only, a full disk: it may be sound. Damaged: the next run makes it anew.
        if not isinstance(error, sqlite3.OperationalError) or "no such" in str(error):
            with contextlib.suppress(OSError):
                remove(self._folder)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; after that it keeps nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def key_of(data: bytes, filename: str, root: Path, settings: Settings, tool: str | None = None) -> bytes:
    """What findings depend on in the first place, as one digest.

    :param data: the file's content.
    :param filename: as it was named, which findings repeat.
    :param root: the project's, which names its modules.
    :param tool: the :func:`session_lint.installation.fingerprint`, where it is known already.
    """
    digest = blake2b(_fixed(settings, Path.cwd(), tool or fingerprint()), digest_size=32)
    for part in (os.fsencode(filename), os.fsencode(root), data):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


@cache
def _fixed(settings: Settings, here: Path, tool: str) -> bytes:
    """What does not change from file to file of a run; file names and patterns are read from where it runs."""
    return blake2b(repr((tool, settings, here)).encode(errors="surrogateescape"), digest_size=32).digest()


def _sound(key: bytes, row: tuple[object, ...]) -> bool:
    digest, asked, content, _ = row
    return isinstance(asked, bytes) and isinstance(content, bytes) and digest == _digest(key, asked, content)


def _holds(asked: bytes, answer: Callable[[str], bytes]) -> bool:
    """Whether every question is answered as it was."""
    parts = unpacked(asked)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return all(answer(question.decode(errors="surrogateescape")) == given for question, given in pairs)


def _digest(key: bytes, asked: bytes, content: bytes) -> bytes:
    digest = blake2b(len(asked).to_bytes(8, "big"), key=key, digest_size=16)
    digest.update(asked)
    digest.update(content)
    return digest.digest()
