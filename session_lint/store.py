"""The file that findings are kept in: opened, made, thrown away.

It is an SQLite database in a folder of its own. What is not one, or not in today's form, is replaced; what is locked,
read-only or on a full disk is left as it is.
"""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ".session_lint_cache"
FILE = "findings.sqlite3"
MARKS = {
    "CACHEDIR.TAG": "Signature: 8a477f597d28d172789f06886806bc55\n# Findings of session-lint; may be deleted.\n",
    ".gitignore": "# made by session-lint\n*\n",
}
SCHEMA = 3
APPLICATION = int.from_bytes(b"SESl", "big")
PATIENCE = 1.0  # seconds to wait for another process's lock
Damage = (sqlite3.DatabaseError, UnicodeDecodeError)  # the latter where SQLite's own message quotes what is damaged


def opened(folder: Path) -> sqlite3.Connection:
    """A connection to the store in a folder, made anew where it is not one.

    :raises OSError: where there can be none.
    :raises sqlite3.Error: where there can be none.
    :raises UnicodeDecodeError: where it is damaged.
    """
    _prepare(folder)
    file = folder / FILE
    if file.is_symlink():
        raise OSError("the store is a link to elsewhere")
    try:
        return _patiently(file)
    except sqlite3.OperationalError:  # locked, read-only, a full disk: it may be sound
        raise
    except Damage:  # or somebody else's
        remove(folder)
        return _patiently(file)


def remove(folder: Path) -> None:
    """Take the store's files away."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (folder / name).unlink(missing_ok=True)


def _patiently(file: Path) -> sqlite3.Connection:
    """A connection, once no other process is making the store: SQLite itself does not wait for that."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return _connected(file)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
        time.sleep(0.005)


def _connected(file: Path) -> sqlite3.Connection:
    # It is used by one thread at a time, which need not be the one that opened it, nor the one that collects it.
    connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        connection.text_factory = bytes  # what damage made a text of need not be one
        connection.execute("PRAGMA synchronous = OFF")  # a crash may lose entries; their digests tell
        if not _ours(connection):
            _create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _ours(connection: sqlite3.Connection) -> bool:
    pragmas = ("application_id", "user_version")
    return [connection.execute(f"PRAGMA {pragma}").fetchone() for pragma in pragmas] == [(APPLICATION,), (SCHEMA,)]


def _create(connection: sqlite3.Connection) -> None:
    """Make the store in an empty file, unless another process was quicker.

    :raises sqlite3.DatabaseError: where the file holds something else.
    """
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    if not _ours(connection):
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("not a store of findings in this form")
        columns = "key BLOB, digest BLOB, asked BLOB, content BLOB, used INTEGER, PRIMARY KEY (key, digest)"
        connection.execute(f"CREATE TABLE findings ({columns}) WITHOUT ROWID")
        connection.execute("CREATE INDEX by_use ON findings (used)")
        columns = "key BLOB PRIMARY KEY, digest BLOB, content BLOB, used INTEGER"
        connection.execute(f"CREATE TABLE notes ({columns}) WITHOUT ROWID")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def forget(connection: sqlite3.Connection, moment: int) -> None:
    """Drop what was last used before a moment."""
    if connection.execute("SELECT 1 FROM findings WHERE used < ? LIMIT 1", (moment,)).fetchone():
        connection.execute("DELETE FROM findings WHERE used < ?", (moment,))
        connection.execute("DELETE FROM notes WHERE used < ?", (moment,))


def _prepare(folder: Path) -> None:
    """Make the folder, marked as a cache for backup tools and as ignored for git."""
    if folder.is_symlink():
        raise OSError("the cache folder is a link to elsewhere")
    folder.mkdir(exist_ok=True)
    for name, text in MARKS.items():
        file = folder / name
        if not os.path.lexists(file):
            _mark(file, text)


def _mark(file: Path, text: str) -> None:
    """Make a file with a text, or none; another process may be quicker."""
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except FileExistsError:
        return
    except OSError:  # a full disk
        file.unlink(missing_ok=True)
        raise
