"""A look at all files of the workspace, those that are not open included."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

from session_lint.engine import lint_file
from session_lint.files import discover, excluded
from session_lint.lsp.buffers import path_of
from session_lint.lsp.diagnostics import uri_of
from session_lint.python.modules import absolute
from session_lint.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.finding import Finding
    from session_lint.lsp.server import SessionServer

TITLE = "session-lint: looking at all files"


async def check_workspace(server: SessionServer) -> int:
    """Tell what is wrong in all files of the workspace.

    :returns: how many findings there are; those of open texts are counted as they were told last.
    """
    token = await _token(server)
    files = [file for folder in roots(server) for file in await server.ask(lambda f=folder: _files(server, f))]  # type: ignore[misc]
    count = 0
    seen: set[str] = set()
    for number, file in enumerate(files):
        if token is not None:
            if server.work_done_progress.tokens[token].cancelled():
                break
            done = types.WorkDoneProgressReport(
                message=f"{number} of {len(files)} files", percentage=100 * number // len(files)
            )
            server.work_done_progress.report(token, done)
        seen.add(uri_of(str(file)))
        count += await _check(server, file)
    else:
        for uri in {*server.elsewhere} - seen:
            path = path_of(uri)
            if path is not None:
                server.show_file(str(path), ())
    if token is not None:
        server.work_done_progress.end(token, types.WorkDoneProgressEnd(message=f"{count} findings"))
    return count


def roots(server: SessionServer) -> list[Path]:
    """The folders of the workspace; none where there are none."""
    uris = [folder.uri for folder in server.workspace.folders.values()] or [server.workspace.root_uri or ""]
    return [path for uri in uris if (path := path_of(uri)) is not None and path.is_dir()]


async def _token(server: SessionServer) -> str | None:
    """What the editor shows the progress by; ``None`` where it shows none."""
    window = server.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = str(uuid.uuid4())
    await server.work_done_progress.create_async(token)
    server.work_done_progress.begin(token, types.WorkDoneProgressBegin(title=TITLE, cancellable=True, percentage=0))
    return token


async def _check(server: SessionServer, file: Path) -> int:
    verdict = server.verdicts.get(uri_of(str(file)))
    if verdict is not None:
        return len(verdict.findings)
    try:
        findings = await server.ask(lambda: _found(server, file), patient=True)
    except SettingsError as error:
        server.complain(error)
        return 0
    server.show_file(str(file), findings)
    return len(findings)


def _files(server: SessionServer, folder: Path) -> list[Path]:
    """The files of a folder; all of those that its settings do not leave out."""
    try:
        settings = server.preferences.settings_for(folder / "any.py")
    except SettingsError:
        return []
    return [absolute(file) for file in discover([str(folder)], settings)[0]]


def _found(server: SessionServer, file: Path) -> tuple[Finding, ...]:
    settings = server.preferences.settings_for(file)
    return () if excluded(file, settings) else lint_file(file, settings).findings
