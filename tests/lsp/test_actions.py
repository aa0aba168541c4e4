"""What an editor is offered to do about findings, and the pages that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lsp.client import ResponseError, apply
from tests.lsp.test_diagnostics import LEAK, codes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp.client import Client

TWO = LEAK + LEAK.partition("\n\n\n")[2].replace("def count", "def number").join(["\n\n", ""])
REFUSED = LEAK.replace("session = SessionLocal()", "number, session = 1, SessionLocal()")
UNSAFE = """\
from flask import Flask, g
from sqlalchemy.orm import sessionmaker

SessionLocal = sessionmaker()
app = Flask(__name__)


@app.before_request
def open_session():
    g.db = SessionLocal()
"""


def titles(actions: list[dict[str, Any]]) -> list[str]:
    return [action["title"] for action in actions]


def taken(client: Client, actions: list[dict[str, Any]], title: str) -> dict[str, Any]:
    (action,) = [one for one in actions if one["title"].startswith(title)]
    found: dict[str, Any] = client.ask("codeAction/resolve", action)["edit"]
    return found


@pytest.fixture(name="uri")
def _uri(client: Client, shop: Path) -> str:
    uri = (shop / "users.py").as_uri()
    client.open(uri, TWO)
    client.diagnostics(uri, 1)
    return uri


def test_a_safe_fix_is_preferred_and_mends_that_finding_alone(client: Client, uri: str) -> None:
    actions = client.actions(uri, 6, only=["quickfix"])
    assert ["Open the session in a `with` (SES101)", "Ignore SES101 (session-not-closed) on this line"] == titles(
        actions
    )
    assert [True, None] == [action.get("isPreferred") for action in actions]
    assert all("edit" not in action for action in actions)
    edit = taken(client, actions, "Open")
    assert {"uri": uri, "version": 1} == edit["documentChanges"][0]["textDocument"]
    client.change(uri, 2, {"text": apply(TWO, edit)})
    assert [("SES101", 11)] == codes(client.diagnostics(uri, 2))


def test_all_safe_fixes_at_once(client: Client, uri: str) -> None:
    actions = client.actions(uri, 0, only=["source.fixAll"])
    assert ["source.fixAll.session-lint"] == [action["kind"] for action in actions]
    client.change(uri, 2, {"text": apply(TWO, taken(client, actions, "Fix all"))})
    assert [] == client.diagnostics(uri, 2)


def test_a_finding_is_silenced_by_a_comment_and_a_second_one_joins_it(client: Client, uri: str) -> None:
    edit = taken(client, client.actions(uri, 6), "Ignore")
    text = apply(TWO, edit)
    assert "    session = SessionLocal()  # session-lint: ignore[SES101]" == text.splitlines()[6]
    client.change(uri, 2, {"text": text})
    assert [("SES101", 11)] == codes(client.diagnostics(uri, 2))
    text = text.replace("ignore[SES101]", "ignore[SES901]")
    client.change(uri, 3, {"text": text})
    client.diagnostics(uri, 3)
    text = apply(text, taken(client, client.actions(uri, 6), "Ignore SES101"))
    assert text.splitlines()[6].endswith("# session-lint: ignore[SES901, SES101]")
    client.change(uri, 4, {"text": text})
    assert [("SES101", 11)] == codes(client.diagnostics(uri, 4))


def test_a_comment_stands_after_the_string_that_a_line_holds(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    text = LEAK.replace("session = SessionLocal()", 'session = SessionLocal(info={"a": """\n"""})')
    client.open(uri, text)
    client.diagnostics(uri, 1)
    client.change(uri, 2, {"text": apply(text, taken(client, client.actions(uri, 6), "Ignore"))})
    assert [] == client.diagnostics(uri, 2)


def test_unsafe_fixes_and_refused_ones_say_why(client: Client, shop: Path) -> None:
    unsafe, refused = (shop / "unsafe.py").as_uri(), (shop / "refused.py").as_uri()
    client.open(unsafe, UNSAFE)
    client.open(refused, REFUSED)
    client.diagnostics(unsafe, 1)
    client.diagnostics(refused, 1)
    one, *_ = client.actions(unsafe, 9, only=["quickfix"])
    other, *_ = client.actions(refused, 6, only=["quickfix"])
    assert ("isPreferred" in one, "(unsafe: " in one["title"], "disabled" in one) == (False, True, False)
    assert ("isPreferred" in other, bool(other["disabled"]["reason"])) == (False, True)


def test_an_offer_of_another_version_is_not_carried_out(client: Client, uri: str) -> None:
    actions = client.actions(uri, 6)
    client.change(uri, 2, {"text": "\n" + TWO})
    with pytest.raises(ResponseError) as caught:
        taken(client, actions, "Open")
    assert -32801 == caught.value.code


def test_an_editor_that_asks_no_further_gets_the_edits_at_once(plain: Client, shop: Path) -> None:
    uri = (shop / "actions.py").as_uri()
    plain.open(uri, LEAK)
    plain.diagnostics(uri, 1)
    first, *_ = plain.actions(uri, 6, only=["quickfix"])
    assert "    with SessionLocal() as session:\n" in first["edit"]["changes"][uri][0]["newText"]


def test_nothing_is_offered_where_nothing_was_found(client: Client, uri: str) -> None:
    assert [] == client.actions(uri, 1, only=["quickfix"])
    assert [] == client.actions("file:///nowhere/at_all.py", 1)


def hover(client: Client, uri: str, line: int, column: int) -> str:
    place = {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}}
    found = client.ask("textDocument/hover", place)
    return "" if found is None else str(found["contents"]["value"])


def test_a_hover_shows_the_way_and_the_rules_page(client: Client, uri: str) -> None:
    text = hover(client, uri, 6, 16)
    assert text.startswith("**SES101** session 'session' is still open when line 8 returns\n\n1. line 7: opened here")
    assert "## session-not-closed (SES101)" in text
    assert "Use instead:" in text
    assert "" == hover(client, uri, 6, 2)


def test_a_hover_on_a_suppression_shows_the_page_of_what_it_names(client: Client, uri: str) -> None:
    text = "x = 'SES101'  # noqa: SES101, E501\ny = 1  # session-lint: ignore[missing-commit]\n"
    client.change(uri, 2, {"text": text})
    client.diagnostics(uri, 2)
    assert hover(client, uri, 0, 25).startswith("## session-not-closed (SES101)")
    assert hover(client, uri, 1, 35).startswith("## missing-commit")
    assert "" == hover(client, uri, 0, 7)
    assert hover(client, uri, 0, 31).startswith("**SES901** ")
