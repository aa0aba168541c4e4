"""The server: what an editor has open, what is known of it, and what the editor is told."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.lsp.server import LanguageServer

import session_lint
from session_lint.lsp import buffers
from session_lint.lsp.analyst import Analyst, Call, Verdict
from session_lint.lsp.diagnostics import diagnostic, lines_on_disk, uri_of
from session_lint.lsp.positions import Columns
from session_lint.lsp.preferences import Preferences
from session_lint.lsp.protocol import Protocol
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from session_lint.finding import Finding
    from session_lint.lsp.buffers import Document
    from session_lint.settings import SettingsError

    T = TypeVar("T")

logger = logging.getLogger(__name__)


class Outdated(Exception):  # noqa: N818  (nothing went wrong)
    """The text is another one by now."""


class SessionServer(LanguageServer):
    """One editor's server."""

    def __init__(self) -> None:
        super().__init__(
            "session-lint",
            session_lint.__version__,
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            protocol_cls=Protocol,
            max_workers=2,
        )
        self.preferences = Preferences()
        self.columns = Columns()
        self.documents: dict[str, Document] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.elsewhere: dict[str, tuple[Finding, ...]] = {}
        self._complained: dict[str, list[str]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.analyst = Analyst(self.preferences, self._told, self._went_wrong)

    @property
    def exit_code(self) -> int:
        """What the process ends with: 0 where the editor has asked it to shut down before."""
        return 0 if isinstance(self.protocol, Protocol) and self.protocol.asked_to_end else 1

    def begin(self) -> None:
        """Take up work: the editor has said what it can do."""
        self._loop = asyncio.get_running_loop()
        encoding = self.protocol.workspace.position_encoding
        self.columns = Columns(encoding or types.PositionEncodingKind.Utf16)
        self.analyst.start()

    # what is open

    def open(self, item: types.TextDocumentItem) -> None:
        """Take up a text."""
        document = buffers.opened(item)
        if document is not None:
            self.documents[item.uri] = document
            self.elsewhere.pop(item.uri, None)
            self.analyst.changed(document, opened=True)

    def change(self, uri: str, version: int, changes: Sequence[types.TextDocumentContentChangeEvent]) -> None:
        """Change a text."""
        document = self.documents.get(uri)
        if document is not None:
            self.documents[uri] = buffers.changed(document, version, changes, self.columns)
            self.analyst.changed(self.documents[uri])

    def close(self, uri: str) -> None:
        """Leave a text to its file."""
        if self.documents.pop(uri, None) is not None:
            self.verdicts.pop(uri, None)
            self.analyst.closed(uri)
            self._publish(uri, None, [])

    def lines(self, filename: str) -> Sequence[str]:
        """The lines of an open text, or of a file."""
        for document in self.documents.values():
            if document.filename == filename:
                return physical_lines(document.text)
        return lines_on_disk(filename)

    # what is known

    def _told(self, verdict: Verdict) -> None:
        self._soon(lambda: self.show(verdict))

    def _went_wrong(self, error: BaseException) -> None:
        logger.error("an analysis failed", exc_info=error)
        self._soon(lambda: self.say(types.MessageType.Error, f"internal error: {type(error).__name__}: {error}"))

    def _soon(self, work: Callable[[], None]) -> None:
        """Do something on the event loop."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def say(self, kind: types.MessageType, message: str) -> None:
        """Put a message into the editor's log."""
        self.window_log_message(types.LogMessageParams(kind, message))

    def show(self, verdict: Verdict) -> None:
        """Tell the editor what is known of a text, unless it is another one by now."""
        document = verdict.document
        if self.documents.get(document.uri) is not document:
            return
        if verdict.error is not None:
            self.complain(verdict.error)
        self.verdicts[document.uri] = verdict
        self._publish(document.uri, document.version, self.diagnostics(document.uri, verdict.findings))

    def show_file(self, filename: str, findings: tuple[Finding, ...]) -> None:
        """Tell the editor what is wrong in a file that is not open."""
        uri = uri_of(filename)
        if uri in self.documents or not (findings or uri in self.elsewhere):
            return
        if findings:
            self.elsewhere[uri] = findings
        else:
            del self.elsewhere[uri]
        self._publish(uri, None, self.diagnostics(uri, findings))

    def diagnostics(self, uri: str, findings: Sequence[Finding]) -> list[types.Diagnostic]:
        """Findings as the editor is told them."""
        cache: dict[str, Sequence[str]] = {}

        def lines(filename: str) -> Sequence[str]:
            if filename not in cache:
                cache[filename] = self.lines(filename)
            return cache[filename]

        return [diagnostic(one, uri, lines, self.columns, related=self._related) for one in findings]

    @property
    def _related(self) -> bool:
        able = self.client_capabilities.text_document
        return bool(able and able.publish_diagnostics and able.publish_diagnostics.related_information)

    def _publish(self, uri: str, version: int | None, found: list[types.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    # settings

    def complain(self, error: SettingsError) -> None:
        """Tell of settings that cannot be followed: once in a message, and at their lines."""
        if str(error) in self._complained:
            return
        told: dict[str, list[types.Diagnostic]] = {}
        for mistake in error.mistakes:
            row = (mistake.line or 1) - 1
            place = types.Range(types.Position(row, 0), types.Position(row + 1, 0))
            what = f"{mistake.key}: {mistake.what}" if mistake.key else mistake.what
            one = types.Diagnostic(place, what, types.DiagnosticSeverity.Error, source="session-lint")
            told.setdefault(uri_of(str(mistake.file)), []).append(one)
        for uri, found in told.items():
            self._publish(uri, None, found)
        self._complained[str(error)] = [*told]
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, f"session-lint: {error}"))

    def reconfigured(self) -> None:
        """Look everything up anew: settings have changed."""
        for uri in {uri for uris in self._complained.values() for uri in uris}:
            self._publish(uri, None, [])
        self._complained.clear()
        self.preferences.forget()
        self.analyst.forget()

    # what is asked of the thread

    async def ask(self, work: Callable[[], T], *, about: Document | None = None, patient: bool = False) -> T:
        """The answer of some work on the thread that analyses.

        :param about: the text that it is about.
        :raises Outdated: where that text was changed meanwhile.
        """
        call = Call(work, about, patient=patient)
        self.analyst.call(call)
        try:
            found: T = await asyncio.wrap_future(call.answer)
        except asyncio.CancelledError:
            call.dropped = True
            raise
        except InterruptedError:
            raise Outdated from None
        return found
