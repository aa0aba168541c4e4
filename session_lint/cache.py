"""Findings kept between runs, by the content that they were found in.

The store is one SQLite file in ``.session_lint_cache``. It is a convenience and never an authority: what is damaged,
locked, read-only or somebody else's is done without, and every entry carries a digest of its key and its content.
Entries are MessagePack, which holds values and cannot hold code.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from session_lint import __version__
from session_lint.finding import Finding

if TYPE_CHECKING:
    from session_lint.settings import Settings

FOLDER = ".session_lint_cache"
FILE = "findings.sqlite3"
TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Findings of session-lint; may be deleted at any time.\n"
SCHEMA = 1
APPLICATION = int.from_bytes(b"SESl", "big")
KEPT_DAYS = 30
PATIENCE = 1.0  # seconds to wait for another process's lock

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Finding, ...]).decode


class Cache:
    """An open store; once something is wrong with it, an empty one that keeps nothing.

    :param root: the folder that holds, or will hold, the store's own folder.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER
        self._connection: sqlite3.Connection | None = None
        self._today = int(time.time() // 86_400)
        try:
            self._connection = _opened(self._folder)
            _forget(self._connection, self._today - KEPT_DAYS)
        except (OSError, sqlite3.Error):
            self.close()

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        """The findings kept under a key, or ``None``."""
        if self._connection is None:
            return None
        try:
            row = self._connection.execute("SELECT digest, content, day FROM findings WHERE key = ?", (key,)).fetchone()
            if row is None or not _sound(key, row):
                return None
            if row[2] != self._today:
                self._connection.execute("UPDATE findings SET day = ? WHERE key = ?", (self._today, key))
            return tuple(_frozen(finding) for finding in _decode(row[1]))
        except msgspec.MsgspecError:
            return None
        except sqlite3.Error as error:
            self._give_up(error)
            return None

    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None:
        """Keep findings under a key; those that would not come back equal are not kept."""
        if self._connection is None:
            return
        try:
            content = _encode(findings)
            if tuple(_frozen(finding) for finding in _decode(content)) != findings:
                return
            row = (key, _digest(key, content), content, self._today)
            self._connection.execute("INSERT OR REPLACE INTO findings VALUES (?, ?, ?, ?)", row)
        except (TypeError, ValueError, msgspec.MsgspecError):
            return
        except sqlite3.Error as error:
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        self.close()
        if not isinstance(error, sqlite3.OperationalError):  # damaged: the next run makes it anew
            with contextlib.suppress(OSError):
                _remove(self._folder)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; after that it keeps nothing."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def key_of(data: bytes, filename: str, module: str, settings: Settings) -> bytes:
    """What findings depend on, as one digest: the content, the file's names, the settings and the tool itself."""
    digest = hashlib.blake2b(_fixed(settings), digest_size=32)
    for part in (filename.encode(errors="surrogateescape"), module.encode(errors="surrogateescape"), data):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


@cache
def _fixed(settings: Settings) -> bytes:
    """What does not change from file to file of a run."""
    place = str(Path.cwd()) if settings.per_file_ignores else ""
    return hashlib.sha256(repr((fingerprint(), settings, place)).encode(errors="surrogateescape")).digest()


@cache
def fingerprint() -> str:
    """The tool itself, in one word: its version, its sources and tables, and the Python that runs it."""
    digest = hashlib.sha256(f"{__version__} {sys.version} {SCHEMA}".encode())
    package = Path(__file__).parent
    for file in sorted(f for f in package.rglob("*") if f.suffix in (".py", ".toml")):
        digest.update(f"\0{file.relative_to(package).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _opened(folder: Path) -> sqlite3.Connection:
    """A connection to the store in a folder, made anew where it is not one.

    :raises OSError: where there can be none.
    :raises sqlite3.Error: where there can be none.
    """
    _prepare(folder)
    file = folder / FILE
    if file.is_symlink():
        raise OSError("the store is a link to elsewhere")
    try:
        return _patiently(file)
    except sqlite3.OperationalError:  # locked, read-only, a full disk: it may be sound
        raise
    except sqlite3.DatabaseError:  # damaged, or somebody else's
        _remove(folder)
        return _patiently(file)


def _remove(folder: Path) -> None:
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
        columns = "key BLOB PRIMARY KEY, digest BLOB, content BLOB, day INTEGER"
        connection.execute(f"CREATE TABLE findings ({columns}) WITHOUT ROWID")
        connection.execute("CREATE INDEX by_day ON findings (day)")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    connection.execute("COMMIT")


def _forget(connection: sqlite3.Connection, day: int) -> None:
    """Drop what was last used before a day."""
    if connection.execute("SELECT 1 FROM findings WHERE day < ? LIMIT 1", (day,)).fetchone():
        connection.execute("DELETE FROM findings WHERE day < ?", (day,))


def _prepare(folder: Path) -> None:
    """Make the folder, marked as a cache for backup tools and as ignored for git."""
    if folder.is_symlink():
        raise OSError("the cache folder is a link to elsewhere")
    if folder.is_dir():
        return
    folder.mkdir(exist_ok=True)
    (folder / "CACHEDIR.TAG").write_text(TAG, "utf-8")
    (folder / ".gitignore").write_text("# made by session-lint\n*\n", "utf-8")


def _sound(key: bytes, row: tuple[object, ...]) -> bool:
    return isinstance(row[1], bytes) and row[0] == _digest(key, row[1])


def _digest(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, key=key, digest_size=16).digest()


def _frozen(finding: Finding) -> Finding:
    """A decoded finding, with the tuples of its plan that the encoding made lists."""
    if finding.fix is None:
        return finding
    plan = tuple((name, _tuples(value)) for name, value in finding.fix.plan)
    return replace(finding, fix=replace(finding.fix, plan=plan))


def _tuples(value: object) -> object:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
