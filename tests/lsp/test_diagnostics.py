"""What an editor is told of texts that are typed, and of those around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lsp.conftest import DB, USERS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp.client import Client

LEAK = """\
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()


def count(users):
    session = SessionLocal()
    return session.query(users).count()
"""
CLOSED = "    with fresh() as session:\n        return session.query(users).count()\n"


def codes(found: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(one["code"], one["range"]["start"]["line"]) for one in found]


def test_a_diagnostic_says_all_that_the_finding_does(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    (found,) = client.diagnostics(uri, 1)
    assert ("SES101", 1, "session-lint") == (found["code"], found["severity"], found["source"])
    assert found["codeDescription"]["href"].endswith("/session-not-closed.html")
    assert {"start": {"line": 4, "character": 14}, "end": {"line": 4, "character": 21}} == found["range"]
    related = [(one["location"]["uri"].rpartition("/")[2], one["message"]) for one in found["relatedInformation"]]
    assert ("db.py", "opened here") in related
    assert "users.py" in {name for name, _ in related}


def test_what_is_typed_counts_before_it_is_saved_in_the_file_and_in_others(client: Client, shop: Path) -> None:
    users, db = (shop / "users.py").as_uri(), (shop / "db.py").as_uri()
    client.open(users, USERS)
    client.open(db, DB)
    assert [("SES101", 4)] == codes(client.diagnostics(users, 1))
    everything = {"start": {"line": 5, "character": 0}, "end": {"line": 7, "character": 0}}
    client.change(db, 2, {"range": everything, "text": "def fresh():\n    return object()\n"})
    client.diagnostics(db, 2)
    assert [] == codes(client.diagnostics(users, 1))
    client.close(db)
    assert [("SES101", 4)] == codes(client.diagnostics(users, 1))


def test_a_closed_text_has_no_diagnostics_and_its_file_counts_again(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    client.diagnostics(uri, 1)
    client.close(uri)
    client.settle()
    assert [] == client.published[uri]["diagnostics"]


def test_a_syntax_error_is_told_where_it_is_and_goes_again(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    client.diagnostics(uri, 1)
    place = {"line": 4, "character": 21}
    client.change(uri, 2, {"range": {"start": place, "end": place}, "text": " = ("})
    assert [("SES900", 4)] == codes(client.diagnostics(uri, 2))
    end = {"line": 4, "character": 25}
    client.change(uri, 3, {"range": {"start": place, "end": end}, "text": ""})
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 3))


def test_changes_of_one_notification_build_on_each_other(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, "")
    client.change(
        uri, 2, {"text": LEAK}, {"range": _at(0, 0), "text": "# one\n"}, {"range": _at(1, 0), "text": "# two\n"}
    )
    assert [("SES101", 8)] == codes(client.diagnostics(uri, 2))


def _at(line: int, column: int) -> dict[str, dict[str, int]]:
    return {"start": {"line": line, "character": column}, "end": {"line": line, "character": column}}


def test_columns_are_counted_in_words_of_utf_16(client: Client, shop: Path) -> None:
    columns(client, shop, "utf-16", 26)


def test_columns_are_counted_in_bytes_where_that_was_agreed_on(plain: Client, shop: Path) -> None:
    columns(plain, shop, "utf-8", 30)


def columns(client: Client, shop: Path, encoding: str, column: int) -> None:
    assert encoding == client.capabilities["positionEncoding"]
    uri = (shop / "users.py").as_uri()
    client.open(uri, LEAK.replace("session = SessionLocal()", "a = '😀😀'; session = SessionLocal()"))
    (found,) = client.diagnostics(uri, 1)
    assert {"line": 6, "character": column} == found["range"]["start"]
    client.change(
        uri, 2, {"range": {"start": {"line": 6, "character": column}, **_end(6, column + 14)}, "text": "None"}
    )
    assert [] == client.diagnostics(uri, 2)


def _end(line: int, column: int) -> dict[str, dict[str, int]]:
    return {"end": {"line": line, "character": column}}


def test_lines_end_where_python_and_the_protocol_say(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    text = LEAK.replace("\n\n\ndef", "\n\x0c\n'\u2028'\n\ndef").replace("\n", "\r\n")
    client.open(uri, text)
    assert [("SES101", 7)] == codes(client.diagnostics(uri, 1))
    client.change(uri, 2, {"range": {"start": {"line": 7, "character": 14}, **_end(7, 28)}, "text": "None"})
    assert [] == client.diagnostics(uri, 2)


def test_a_text_without_a_file_is_judged_by_itself(client: Client, shop: Path) -> None:
    client.open("untitled:Untitled-1", LEAK)
    assert [("SES101", 6)] == codes(client.diagnostics("untitled:Untitled-1", 1))


@pytest.mark.parametrize(("uri", "language"), [("git:/shop/users.py?HEAD", "python"), ("file:///shop/a.txt", "text")])
def test_what_is_no_program_of_this_place_is_left_alone(client: Client, shop: Path, uri: str, language: str) -> None:
    client.open(uri, LEAK, language=language)
    client.settle()
    assert {} == client.published


def test_files_outside_of_every_folder_and_without_one_are_looked_at(
    client: Client, shop: Path, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    uri = (tmp_path / "alone" / "not_there_yet.py").as_uri()
    client.open(uri, LEAK)
    assert [("SES101", 6)] == codes(client.diagnostics(uri, 1))


def test_an_excluded_file_is_left_alone(client: Client, shop: Path) -> None:
    (shop / "venv").mkdir()
    (shop / "pyproject.toml").write_text("[tool.session-lint]\n", encoding="utf-8")
    uri = (shop / "venv" / "users.py").as_uri()
    client.open(uri, LEAK)
    assert [] == client.diagnostics(uri, 1)


def test_two_folders_have_each_their_own_settings(client: Client, shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text("[tool.session-lint]\nignore = ['SES101']\n", encoding="utf-8")
    client.open((other / "users.py").as_uri(), LEAK)
    client.open((shop / "more.py").as_uri(), LEAK)
    assert [] == client.diagnostics((other / "users.py").as_uri(), 1)
    assert [("SES101", 6)] == codes(client.diagnostics((shop / "more.py").as_uri(), 1))


def test_a_client_without_related_information_reads_the_way_in_the_message(plain: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    plain.open(uri, LEAK)
    (found,) = plain.diagnostics(uri, 1)
    assert "relatedInformation" not in found
    assert "\n  line 8: leaves here, still open" in found["message"]


def test_an_unused_suppression_is_shown_as_unnecessary(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, "x = 1  # session-lint: ignore[SES101]\n")
    (found,) = client.diagnostics(uri, 1)
    assert ("SES901", [1]) == (found["code"], found["tags"])
