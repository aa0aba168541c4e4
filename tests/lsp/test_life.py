"""How the server begins and ends, and what it does when something is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from session_lint.lsp.parent import alive
from tests.lsp.client import PATIENCE, Client, ResponseError
from tests.lsp.conftest import USERS
from tests.lsp.test_diagnostics import codes
from tests.lsp.texts import MODELS, large

if TYPE_CHECKING:
    from pathlib import Path


def test_it_ends_with_0_after_a_shutdown(fresh: Client, shop: Path) -> None:
    assert 0 == fresh.initialize(shop).end()


@pytest.mark.parametrize("how", ["exit", "end of input"])
def test_it_ends_with_1_without_one(fresh: Client, shop: Path, how: str) -> None:
    fresh.initialize(shop)
    assert fresh.process.stdin is not None
    if how == "exit":
        fresh.notify("exit", None)
    else:
        fresh.process.stdin.close()
    assert 1 == fresh.process.wait(PATIENCE)


def test_it_ends_with_the_process_that_has_started_it(fresh: Client, shop: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    params = {"processId": parent.pid, "rootUri": shop.as_uri(), "capabilities": {}}
    fresh.ask("initialize", params)
    assert fresh.process.poll() is None
    parent.communicate(b"\n")
    assert 1 == fresh.process.wait(PATIENCE)


def test_a_process_that_is_there_and_one_that_is_not() -> None:
    assert alive(os.getpid())
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not alive(gone.pid)


def test_it_goes_on_after_what_it_does_not_understand(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    with pytest.raises(ResponseError) as caught:
        client.ask("textDocument/nonsense", {})
    assert -32601 == caught.value.code
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": "file:///not/open.py", "version": 3}, "contentChanges": []}
    )
    client.notify("$/nonsense", {})
    with pytest.raises(ResponseError):
        client.ask(
            "codeAction/resolve", {"title": "x", "data": {"uri": uri, "version": 99, "what": "fix", "finding": []}}
        )
    assert {"title": "x"} == client.ask("codeAction/resolve", {"title": "x"})
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 1))


def test_a_request_that_is_cancelled_is_answered_so_and_the_next_one_is_answered(client: Client, shop: Path) -> None:
    (shop / "models.py").write_text(MODELS, encoding="utf-8")
    uri = (shop / "orders.py").as_uri()
    client.open(uri, large(400))
    assert client.diagnostics(uri, 1)
    (action,) = client.actions(uri, 0, only=["source.fixAll"])
    begun = time.monotonic()
    number = client.begin("codeAction/resolve", action)
    client.notify("$/cancelRequest", {"id": number})
    with pytest.raises(ResponseError) as caught:
        client.answer(number)
    assert -32800 == caught.value.code
    assert client.actions(uri, 0, only=["source.fixAll"])
    client.settle()
    assert time.monotonic() - begun < PATIENCE


def test_only_the_last_of_many_versions_is_told_in_the_end(client: Client, shop: Path) -> None:
    uri = (shop / "users.py").as_uri()
    client.open(uri, USERS)
    for version in range(2, 40):
        client.change(uri, version, {"text": USERS + "\n" * version})
    assert [("SES101", 4)] == codes(client.diagnostics(uri, 39))
    versions = [told["version"] for told in client.history if told["uri"] == uri]
    assert sorted(versions) == versions
    assert 39 == versions[-1]


def test_the_extra_that_is_missing_is_named() -> None:
    hidden = "import sys; sys.modules['pygls'] = None; sys.modules['lsprotocol'] = None; sys.argv[1:] = ['server']"
    program = f"{hidden}; from session_lint.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, input="", check=False)
    assert 2 == done.returncode
    assert "pip install 'session-lint[server]'" in done.stderr
