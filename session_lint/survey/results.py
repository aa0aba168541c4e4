"""The results of a survey: an SQLite database that people query, and from which an interrupted survey goes on.

Each piece is put in as one transaction, with the digest by which it is known; a file is there once, whatever was
done twice. While a survey runs nobody else can use the database.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from session_lint.errors import UserError
from session_lint.finding import Finding
from session_lint.rules.file_not_analysed import rule as not_analysed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from session_lint.engine import FileReport
    from session_lint.survey.plans import Plan

APPLICATION = int.from_bytes(b"SESs", "big")
SCHEMA = """
CREATE TABLE surveyed (project TEXT PRIMARY KEY, pieces INTEGER NOT NULL, failure TEXT NOT NULL);
CREATE TABLE pieces (piece BLOB PRIMARY KEY, project TEXT NOT NULL);
CREATE TABLE files (
    path TEXT PRIMARY KEY, project TEXT NOT NULL, lines INTEGER NOT NULL, findings INTEGER NOT NULL,
    analysed INTEGER NOT NULL
);
CREATE TABLE findings (
    project TEXT NOT NULL, path TEXT NOT NULL, number INTEGER NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
    severity TEXT NOT NULL, message TEXT NOT NULL, cell INTEGER NOT NULL, row INTEGER NOT NULL,
    column INTEGER NOT NULL, symbol TEXT NOT NULL, url TEXT NOT NULL, finding TEXT NOT NULL,
    PRIMARY KEY (path, number)
);
CREATE INDEX files_by_project ON files (project);
CREATE INDEX findings_by_project ON findings (project);
CREATE INDEX pieces_by_project ON pieces (project);
CREATE VIEW projects AS
    SELECT project, coalesce(count(path), 0) AS files, coalesce(sum(lines), 0) AS lines,
        coalesce(sum(findings), 0) AS findings, count(path) - coalesce(sum(analysed), 0) AS unanalysed,
        pieces = (SELECT count(*) FROM pieces WHERE pieces.project = surveyed.project) AS complete, failure
    FROM surveyed LEFT JOIN files USING (project) GROUP BY project;
"""
INSERT = "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
VERSION = 1
_TABLES = ("findings", "files", "pieces", "surveyed")


@dataclass(frozen=True)
class Row:
    """What there is of a project.

    :param unanalysed: how many of its files could not be analysed.
    :param complete: whether all its pieces were done.
    :param failure: why it could not be surveyed, or not all of it.
    """

    project: str
    files: int
    lines: int
    findings: int
    unanalysed: int
    complete: bool
    failure: str


class Results:
    """The open database of a survey.

    :param file: is made where it does not exist.
    :raises UserError: where it is something else, or another survey uses it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._connection = sqlite3.connect(file, timeout=1, isolation_level=None)
            self._prepare()
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _prepare(self) -> None:
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("BEGIN EXCLUSIVE")
        known = [run(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        if known != [APPLICATION, VERSION]:
            if run("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise sqlite3.DatabaseError("it holds something else")
            for statement in SCHEMA.split(";"):
                run(statement)
            run(f"PRAGMA application_id = {APPLICATION}")
            run(f"PRAGMA user_version = {VERSION}")
        run("COMMIT")

    def _unusable(self, error: sqlite3.Error) -> UserError:
        if "locked" in str(error):
            return UserError(f"{self._file}: another program uses it; wait for it, or name another file: --output FILE")
        return UserError(f"{self._file}: not the results of a survey: {error}; name another file: --output FILE")

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def begin(self, plan: Plan) -> list[bytes]:
        """Take up a project, and forget what was known of it before it changed.

        :returns: the pieces that are still to be done.
        """
        project = _readable(plan.project)
        with self._connection as connection:
            connection.execute("BEGIN")
            rows = connection.execute("SELECT piece FROM pieces WHERE project = ?", (project,))
            done = {row[0] for row in rows}
            if not done or not done <= plan.pieces.keys():
                done = set()
                self._drop([project])
            connection.execute(
                "INSERT OR REPLACE INTO surveyed VALUES (?, ?, ?)", (project, len(plan.pieces), _readable(plan.failure))
            )
        return [piece for piece in plan.pieces if piece not in done]

    def put(self, plan: Plan, piece: bytes, reports: Sequence[FileReport], *, whole: bool = True) -> None:
        """Keep what was found in a piece, in the place of what was kept of its files.

        :param whole: whether that is all there is to say of it; else the next survey does it again.
        """
        project = _readable(plan.project)
        with self._connection as connection:
            connection.execute("BEGIN")
            for report in reports:
                path = _readable(report.path)
                connection.execute("DELETE FROM findings WHERE path = ?", (path,))
                analysed = all(finding.code != not_analysed.code for finding in report.findings)
                row = (path, project, plan.lines.get(report.path, 0), len(report.findings), analysed)
                connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", row)
                connection.executemany(
                    INSERT,
                    (_row(project, path, number, finding) for number, finding in enumerate(report.findings, 1)),
                )
            if whole:
                connection.execute("INSERT OR REPLACE INTO pieces VALUES (?, ?)", (piece, project))

    def keep_only(self, projects: Iterable[str]) -> None:
        """Drop all projects but some."""
        wanted = {_readable(project) for project in projects}
        with self._connection as connection:
            connection.execute("BEGIN")
            known = [row[0] for row in connection.execute("SELECT project FROM surveyed")]
            self._drop([project for project in known if project not in wanted])

    def _drop(self, projects: Sequence[str]) -> None:
        for table in _TABLES:
            self._connection.executemany(
                f"DELETE FROM {table} WHERE project = ?",  # noqa: S608  (one of ours)
                [(project,) for project in projects],
            )

    def rows(self) -> list[Row]:
        """What there is of each project, sorted."""
        rows = self._connection.execute("SELECT * FROM projects").fetchall()
        return sorted(
            (Row(*row) for row in rows),
            key=lambda row: Path(row.project).parts,
        )

    def codes(self) -> list[tuple[str, str, int]]:
        """The rules with findings, the most frequent first: code, name, and how many."""
        asked = "SELECT code, name, count(*) FROM findings GROUP BY code ORDER BY count(*) DESC, code"
        return self._connection.execute(asked).fetchall()

    def findings(self) -> list[Finding]:
        """All findings, in the order of their files and places."""
        found: dict[str, list[Finding]] = {}
        for path, text in self._connection.execute("SELECT path, finding FROM findings ORDER BY path, number"):
            found.setdefault(path, []).append(_finding(text))
        return [finding for path in sorted(found, key=lambda one: Path(one).parts) for finding in found[path]]

    def table(self, name: str) -> tuple[list[str], Iterator[tuple[object, ...]]]:
        """A table or view: the names of its columns, and its rows."""
        cursor = self._connection.execute(f"SELECT * FROM {name}")  # noqa: S608  (one of ours)
        return [column[0] for column in cursor.description], cursor


def _readable(text: str) -> str:
    """A path as a database can hold it: what is no character of Unicode is written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(project: str, path: str, number: int, finding: Finding) -> tuple[object, ...]:
    place = finding.location
    return (
        project,
        path,
        number,
        finding.code,
        finding.name,
        finding.severity.value,
        _readable(finding.message),
        place.cell,
        place.row,
        place.column,
        _readable(finding.symbol),
        finding.url,
        json.dumps(msgspec.to_builtins(finding)),  # in ASCII: names of files need not be Unicode
    )


def _finding(text: str) -> Finding:
    """A finding as it was, with the tuples of its plan that JSON made lists."""
    finding = msgspec.convert(json.loads(text), Finding)
    if finding.fix is None:
        return finding
    plan = tuple((name, _tuples(value)) for name, value in finding.fix.plan)
    return replace(finding, fix=replace(finding.fix, plan=plan))


def _tuples(value: object) -> object:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
