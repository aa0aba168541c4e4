"""A language client: it starts the server as an editor does and speaks with it over standard input and output."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds after which an answer is missing."""
ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {
        "workspaceEdit": {"documentChanges": True},
        "didChangeWatchedFiles": {"dynamicRegistration": True},
        "didChangeConfiguration": {"dynamicRegistration": True},
        "configuration": True,
        "workspaceFolders": True,
        "fileOperations": {"didRename": True, "didDelete": True, "didCreate": True},
    },
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "codeAction": {
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
            "disabledSupport": True,
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "source.fixAll"]}},
        },
    },
    "window": {"workDoneProgress": True},
}


class ResponseError(Exception):
    """What the server answers where it cannot do what it was asked for."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]


class Client:
    """One editor.

    :param configuration: what it answers when the server asks for its settings.
    """

    def __init__(self, *, configuration: object = None) -> None:
        self.configuration = configuration
        self.process = subprocess.Popen(
            [sys.executable, "-m", "session_lint", "server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        self.capabilities: dict[str, Any] = {}
        self.published: dict[str, dict[str, Any]] = {}
        self.history: list[dict[str, Any]] = []
        self.opened: list[str] = []
        self.notes: list[dict[str, Any]] = []
        self.registered: list[str] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._inbox: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._count = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.errors: list[bytes] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    # the pipe

    def _read(self) -> None:
        pipe = self.process.stdout
        assert pipe is not None
        while header := pipe.readline():
            length = 0
            while header.strip():
                name, _, value = header.partition(b":")
                assert name.isascii(), header
                length = int(value) if name.lower() == b"content-length" else length
                header = pipe.readline()
            self._inbox.put(json.loads(pipe.read(length)))
        self._inbox.put(None)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.errors.append(line)

    def _write(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe = self.process.stdin
        assert pipe is not None
        pipe.write(b"Content-Length: %d\r\n\r\n" % len(data) + data)
        pipe.flush()

    def next(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next message of the server; what it asks meanwhile is answered."""
        message = self._inbox.get(timeout=patience)
        assert message is not None, (b"".join(self.errors)).decode()
        if "method" not in message:
            self._answers[message["id"]] = message
        elif "id" in message:
            self._asked(message)
        elif message["method"] == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]
            self.history.append(message["params"])
        else:
            self.notes.append(message)
        return message

    def _asked(self, message: dict[str, Any]) -> None:
        result: object = None
        if message["method"] == "client/registerCapability":
            self.registered += [one["method"] for one in message["params"]["registrations"]]
        elif message["method"] == "workspace/configuration":
            result = [self.configuration for _ in message["params"]["items"]]
        self._write({"id": message["id"], "result": result})

    # what an editor does

    def notify(self, method: str, params: object) -> None:
        """Tell the server something."""
        self._write({"method": method, "params": params})

    def begin(self, method: str, params: object) -> int:
        """Ask the server for something; its number is what the answer is found by."""
        self._count += 1
        self._write({"id": self._count, "method": method, "params": params})
        return self._count

    def answer(self, number: int) -> Any:  # noqa: ANN401  (what the protocol says)
        """The answer to something that was asked for."""
        while number not in self._answers:
            self.next()
        found = self._answers.pop(number)
        if "error" in found:
            raise ResponseError(found["error"])
        return found["result"]

    def ask(self, method: str, params: object) -> Any:  # noqa: ANN401  (as above)
        """Ask and wait for the answer."""
        return self.answer(self.begin(method, params))

    def initialize(self, *folders: Path, capabilities: dict[str, Any] | None = None, options: object = None) -> Client:
        """Begin."""
        found = self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folders[0].as_uri() if folders else None,
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name} for folder in folders],
                "capabilities": CAPABILITIES if capabilities is None else capabilities,
                "initializationOptions": {"delay": 0} if options is None else options,
            },
        )
        self.capabilities = found["capabilities"]
        self.notify("initialized", {})
        return self

    def open(self, uri: str, text: str, *, language: str = "python", version: int = 1) -> None:
        """Open a text."""
        self.opened.append(uri)
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def close(self, uri: str) -> None:
        """Close a text."""
        self.opened.remove(uri)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def close_all(self) -> None:
        """Close all texts and forget what was told of them."""
        for uri in [*self.opened]:
            self.close(uri)
        self.settle()
        self.published.clear()
        self.history.clear()
        self.notes.clear()

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        """Change a text."""
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": list(changes)})

    def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """What is wrong with a version of a text: what was told last, once nothing is to be done any more."""
        while uri not in self.published or (version is not None and self.published[uri].get("version") != version):
            self.next()
        self.settle()
        found: list[dict[str, Any]] = self.published[uri]["diagnostics"]
        return found

    def settle(self) -> None:
        """Wait until the server has looked at everything that is open."""
        self.ask("workspace/executeCommand", {"command": "session-lint.settle", "arguments": []})

    def actions(self, uri: str, line: int, *, only: list[str] | None = None) -> list[dict[str, Any]]:
        """What can be done about a line."""
        place = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 200}}
        context = {"diagnostics": [], **({"only": only} if only else {})}
        found = self.ask("textDocument/codeAction", {"textDocument": {"uri": uri}, "range": place, "context": context})
        return list(found)

    def end(self) -> int:
        """Shut the server down; its exit code."""
        self.ask("shutdown", None)
        self.notify("exit", None)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()


def apply(text: str, edit: dict[str, Any]) -> str:
    """A text with the edits of an action carried out; its columns are counted in ASCII."""
    (changed,) = edit["documentChanges"]
    for one in sorted(changed["edits"], key=lambda e: (e["range"]["start"]["line"],), reverse=True):
        lines = [*text.splitlines(keepends=True), ""]
        start, end = one["range"]["start"], one["range"]["end"]
        first = sum(map(len, lines[: start["line"]])) + start["character"]
        last = sum(map(len, lines[: end["line"]])) + end["character"]
        text = text[:first] + one["newText"] + text[last:]
    return text
