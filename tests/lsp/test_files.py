"""Files that come, go and change while the server runs, and settings that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lsp.conftest import DB, USERS
from tests.lsp.test_diagnostics import LEAK, codes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lsp.client import Client

CREATED, CHANGED, DELETED = 1, 2, 3


def watched(client: Client, path: Path, kind: int) -> None:
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": kind}]})


def test_the_server_asks_to_be_told_of_files_and_settings(client: Client, shop: Path) -> None:
    client.settle()
    assert ["workspace/didChangeWatchedFiles", "workspace/didChangeConfiguration"] == client.registered


def test_a_file_that_changes_deletes_and_comes_back_on_disk(client: Client, shop: Path) -> None:
    uri, db = (shop / "users.py").as_uri(), shop / "db.py"
    client.open(uri, USERS)
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 1))
    db.write_text(DB.replace("return SessionLocal()", "return object()"), encoding="utf-8")
    watched(client, db, CHANGED)
    assert [] == client.diagnostics(uri, 1)
    db.unlink()
    watched(client, db, DELETED)
    assert [] == client.diagnostics(uri, 1)
    db.write_text(DB, encoding="utf-8")
    watched(client, db, CREATED)
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 1))


def test_a_file_that_is_renamed(client: Client, shop: Path) -> None:
    uri, db = (shop / "users.py").as_uri(), shop / "db.py"
    client.open(uri, USERS)
    client.diagnostics(uri, 1)
    db.rename(shop / "database.py")
    names = {"oldUri": db.as_uri(), "newUri": (shop / "database.py").as_uri()}
    client.notify("workspace/didRenameFiles", {"files": [names]})
    assert [] == client.diagnostics(uri, 1)


def test_the_configuration_file_is_read_again_when_it_changes(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    client.diagnostics(uri, 1)
    (shop / "pyproject.toml").write_text("[tool.session-lint]\nignore = ['SES101']\n", encoding="utf-8")
    watched(client, shop / "pyproject.toml", CHANGED)
    assert [] == client.diagnostics(uri, 1)


def test_a_wrong_configuration_file_is_told_of_at_its_line_and_once(client: Client, shop: Path) -> None:
    uri, file = (shop / "users.py").as_uri(), shop / "pyproject.toml"
    file.write_text("[project]\nname = 'shop'\n[tool.session-lint]\nselekt = ['SES1']\n", encoding="utf-8")
    client.open(uri, USERS)
    assert [] == client.diagnostics(uri, 1)
    (told,) = client.published[file.as_uri()]["diagnostics"]
    assert (3, 1) == (told["range"]["start"]["line"], told["severity"])
    assert "the nearest is 'select'" in told["message"]
    client.change(uri, 2, {"text": USERS + "\n"})
    client.diagnostics(uri, 2)
    assert 1 == len([note for note in client.notes if note["method"] == "window/showMessage"])
    file.write_text("[project]\nname = 'shop'\n", encoding="utf-8")
    watched(client, file, CHANGED)
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 2))
    assert [] == client.published[file.as_uri()]["diagnostics"]


def test_the_editors_settings_stand_over_the_files(fresh: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    fresh.initialize(shop, options={"settings": {"delay": 0, "ignore": ["SES1"]}}).open(uri, USERS)
    assert [] == fresh.diagnostics(uri, 1)
    fresh.notify("workspace/didChangeConfiguration", {"settings": {"session-lint": {"delay": 0, "select": ["SES101"]}}})
    assert [("SES101", 4)] == codes(fresh.diagnostics(uri, 1))
    fresh.notify("workspace/didChangeConfiguration", {"settings": {"session-lint": {"delay": 0, "noProject": True}}})
    assert [] == fresh.diagnostics(uri, 1)


def test_the_server_asks_for_settings_that_were_not_sent(fresh: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    fresh.initialize(shop).open(uri, USERS)
    fresh.diagnostics(uri, 1)
    fresh.configuration = {"delay": 0, "ignore": ["SES1"]}
    fresh.notify("workspace/didChangeConfiguration", {"settings": None})
    while fresh.published[uri]["diagnostics"]:
        fresh.next()
    assert [] == fresh.diagnostics(uri, 1)


def test_settings_of_the_editor_that_cannot_be_followed(fresh: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    fresh.initialize(shop, options={"delay": 0, "selct": ["SES1"]}).open(uri, USERS)
    assert [("SES101", 4)] == codes(fresh.diagnostics(uri, 1))
    assert "selct" in _message(fresh)
    fresh.notify("workspace/didChangeConfiguration", {"settings": {"session-lint": {"delay": 0, "select": ["SES777"]}}})
    assert [] == fresh.diagnostics(uri, 1)
    assert "no rule has the code 'SES777'" in _message(fresh)


def _message(client: Client) -> str:
    told: list[dict[str, Any]] = [note for note in client.notes if note["method"] == "window/showMessage"]
    return str(told[-1]["params"]["message"])


def test_an_editor_that_does_not_watch_files_is_told_the_truth_when_it_saves(plain: Client, shop: Path) -> None:
    uri, db = (shop / "users.py").as_uri(), shop / "db.py"
    plain.open(uri, USERS)
    assert [("SES101", 4)] == codes(plain.diagnostics(uri, 1))
    db.write_text(DB.replace("return SessionLocal()", "return object()"), encoding="utf-8")
    plain.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert [] == plain.diagnostics(uri, 1)


def test_all_files_of_the_workspace_on_request(fresh: Client, shop: Path) -> None:
    (shop / "more.py").write_text(LEAK, encoding="utf-8")
    fresh.initialize(shop).open((shop / "db.py").as_uri(), DB)
    command = {"command": "session-lint.checkWorkspace", "arguments": []}
    assert 2 == fresh.ask("workspace/executeCommand", command)
    assert [("SES101", 6)] == codes(fresh.published[(shop / "more.py").as_uri()]["diagnostics"])
    assert [("SES101", 4)] == codes(fresh.published[(shop / "users.py").as_uri()]["diagnostics"])
    kinds = [note["params"]["value"]["kind"] for note in fresh.notes if note["method"] == "$/progress"]
    assert ["begin", "end"] == [kinds[0], kinds[-1]]
    (shop / "more.py").unlink()
    watched(fresh, shop / "more.py", DELETED)
    fresh.settle()
    assert [] == fresh.published[(shop / "more.py").as_uri()]["diagnostics"]
