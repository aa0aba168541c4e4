"""Which requests and notifications the server answers, each in a few lines."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcContentModified, JsonRpcException

from session_lint.fixes import CannotFix
from session_lint.lsp import actions, pages
from session_lint.lsp.buffers import path_of
from session_lint.lsp.carrying_out import changes
from session_lint.lsp.parent import end_with
from session_lint.lsp.preferences import CONFIGURATION, SECTION, read_options
from session_lint.lsp.server import Outdated, SessionServer
from session_lint.lsp.silencing import code_at
from session_lint.lsp.workspace import check_workspace
from session_lint.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

logger = logging.getLogger(__name__)
REQUEST_FAILED = -32803  # the protocol's own word for a request that is right and cannot be followed
SETTLE = "session-lint.settle"
CHECK_WORKSPACE = "session-lint.checkWorkspace"
_PYTHON = types.FileOperationRegistrationOptions(
    [types.FileOperationFilter(types.FileOperationPattern("**/*"), scheme="file")]
)
_WATCHED = ["**/*.py", *(f"**/{name}" for name in CONFIGURATION)]


def make() -> SessionServer:
    """A server that answers."""
    server = SessionServer()
    _life(server)
    _settings(server)
    _files(server)
    _code(server)

    @server.command(CHECK_WORKSPACE)
    async def check() -> int:
        """Look at all files of the workspace; how many findings there are."""
        return await check_workspace(server)

    @server.command(SETTLE)
    async def settle() -> None:
        """Wait until everything that is open has been looked at."""
        await server.ask(lambda: None, patient=True)

    return server


def _life(server: SessionServer) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        _configure(server, params.initialization_options)
        server.begin()
        if params.process_id is not None:
            end_with(params.process_id)

    @server.feature(types.INITIALIZED)
    def initialized(_: types.InitializedParams) -> None:
        if _can(server, "did_change_watched_files"):
            watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
            _register(
                server,
                types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
                types.DidChangeWatchedFilesRegistrationOptions(watchers),
            )
        if _can(server, "did_change_configuration"):
            _register(
                server,
                types.WORKSPACE_DID_CHANGE_CONFIGURATION,
                types.DidChangeConfigurationRegistrationOptions(SECTION),
            )

    @server.feature(types.SHUTDOWN)
    def shutdown(_: None) -> None:
        server.analyst.stop()


def _settings(server: SessionServer) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configuration(params: types.DidChangeConfigurationParams) -> None:
        sent = params.settings if isinstance(params.settings, dict) else {}
        given = sent.get(SECTION)
        able = server.client_capabilities.workspace
        if given is None and able is not None and able.configuration:
            wanted = types.ConfigurationParams([types.ConfigurationItem(section=SECTION)])
            given = next(iter(await server.workspace_configuration_async(wanted)), None)
        if given:  # else what it said at the start still holds
            _configure(server, given)
            server.reconfigured()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(_: types.DidChangeWorkspaceFoldersParams) -> None:
        server.analyst.forget()


def _happened(server: SessionServer, event: types.FileEvent) -> None:
    """Take note of what has become of a file on the disk."""
    path = path_of(event.uri)
    if path is None:
        return
    if path.name in CONFIGURATION:
        server.reconfigured()
    elif event.type is not types.FileChangeType.Changed:
        server.analyst.forget()
    elif event.uri not in server.documents:
        server.analyst.saved_elsewhere(path)
    if event.type is types.FileChangeType.Deleted:
        server.show_file(str(path), ())


def _files(server: SessionServer) -> None:
    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def watched(params: types.DidChangeWatchedFilesParams) -> None:
        for event in params.changes:
            _happened(server, event)

    @server.feature(types.WORKSPACE_DID_CREATE_FILES, _PYTHON)
    def created(_: types.CreateFilesParams) -> None:
        server.analyst.forget()

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, _PYTHON)
    def renamed(params: types.RenameFilesParams) -> None:
        _gone(server, [file.old_uri for file in params.files])

    @server.feature(types.WORKSPACE_DID_DELETE_FILES, _PYTHON)
    def deleted(params: types.DeleteFilesParams) -> None:
        _gone(server, [file.uri for file in params.files])

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        path = path_of(params.text_document.uri)
        if path is not None and path.name in CONFIGURATION:
            server.reconfigured()
        elif not _can(server, "did_change_watched_files"):  # nobody else says what has changed beside it
            server.analyst.forget()


def _gone(server: SessionServer, uris: list[str]) -> None:
    """Forget files, and folders with all that is in them."""
    for uri in uris:
        for known in [*server.elsewhere]:
            path = path_of(known)
            if path is not None and (known == uri or known.startswith(f"{uri.rstrip('/')}/")):
                server.show_file(str(path), ())
    server.analyst.forget()


def _code(server: SessionServer) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=actions.KINDS, resolve_provider=True)
    )
    async def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        verdict = server.verdicts.get(params.text_document.uri)
        if document is None or verdict is None or verdict.document is not document:
            return []
        told = list(zip(verdict.findings, server.diagnostics(document.uri, verdict.findings), strict=True))
        here = [(finding, one) for finding, one in told if _touch(one.range, params.range)]
        kinds = params.context.only
        found = actions.offers(document, here, kinds)
        if any(finding.fix is not None for finding in verdict.findings):
            found += actions.fix_all(document, kinds)
        return found if _resolves(server) else [one async for one in _all_resolved(server, found)]

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction:
        return await _resolved(server, action)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.get(params.text_document.uri)
        verdict = server.verdicts.get(params.text_document.uri)
        if document is None:
            return None
        lines = document.source.lines
        location = server.columns.location(lines, params.position)
        rule = pages.rule_of(code_at(document.source, location))
        if rule is not None:
            return _markdown(pages.page(rule))
        current = verdict is not None and verdict.document is document
        findings = verdict.findings if verdict is not None and current else ()
        told = [pages.page_of(f) for f in findings if f.location <= location <= max(f.end_location, f.location)]
        return _markdown("\n\n---\n\n".join(told)) if told else None


async def _resolved(server: SessionServer, action: types.CodeAction) -> types.CodeAction:
    """An action with what it changes."""
    offer = actions.Offer.of(action.data)
    if offer is None or action.disabled is not None:
        return action
    document = server.documents.get(offer.uri)
    if document is None or document.version != offer.version:
        raise JsonRpcContentModified("the text was changed since this was offered")
    try:
        found = await server.ask(lambda: changes(server.analyst, document, offer), about=document)
    except Outdated:
        raise JsonRpcContentModified("the text was changed meanwhile") from None
    except CannotFix as error:
        raise JsonRpcException(f"not fixed: {error.reason}", REQUEST_FAILED) from None
    edits = actions.text_edits(document.source, found, server.columns)
    action.edit = actions.workspace_edit(document, edits, versioned=_versioned(server))
    return action


async def _all_resolved(server: SessionServer, offered: list[types.CodeAction]) -> AsyncIterator[types.CodeAction]:
    """Those of some actions that can be carried out, with what they change, for an editor that does not ask later."""
    for action in offered:
        try:
            resolved = await _resolved(server, action)
        except JsonRpcException as error:
            logger.info("%s: %s", action.title, error)
        else:
            if resolved.edit is not None:
                yield resolved


def _markdown(text: str) -> types.Hover:
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))


def _touch(one: types.Range, other: types.Range) -> bool:
    first, last = (other.start.line, other.start.character), (other.end.line, other.end.character)
    return (one.start.line, one.start.character) <= last and first <= (one.end.line, one.end.character)


def _configure(server: SessionServer, given: object) -> None:
    try:
        server.preferences.options = read_options(given)
    except SettingsError as error:
        server.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"session-lint: {error}"))


def _can(server: SessionServer, what: str) -> bool:
    """Whether the editor lets itself be told that the server wants to hear of something."""
    able: Any = getattr(server.client_capabilities.workspace, what, None)
    return bool(able and able.dynamic_registration)


def _register(server: SessionServer, method: str, options: object) -> None:
    registration = types.Registration(f"session-lint {method}", method, options)
    server.client_register_capability(types.RegistrationParams([registration]))


def _resolves(server: SessionServer) -> bool:
    """Whether the editor asks for what an action changes once somebody takes it."""
    able = server.client_capabilities.text_document
    support = able.code_action.resolve_support if able and able.code_action else None
    return bool(support and "edit" in support.properties)


def _versioned(server: SessionServer) -> bool:
    able = server.client_capabilities.workspace
    return bool(able and able.workspace_edit and able.workspace_edit.document_changes)


logging.getLogger("pygls").setLevel(logging.WARNING)
