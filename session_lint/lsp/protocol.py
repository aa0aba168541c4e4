"""The protocol's own part: it hands the texts of an editor to the server, and says how the process ends.

pygls keeps texts of its own, with lines that Unicode's separators end, too; the server keeps them as Python reads them.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

if TYPE_CHECKING:
    from session_lint.lsp.server import SessionServer

logger = logging.getLogger(__name__)


class Protocol(LanguageServerProtocol):
    """Standard requests and notifications, as this server takes them."""

    _server: SessionServer

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Take up a text."""
        self._server.open(params.text_document)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Change a text."""
        self._server.change(params.text_document.uri, params.text_document.version, params.content_changes)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Leave a text to its file."""
        self._server.close(params.text_document.uri)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]
        """End the process: with 0 after a request to shut down, else with 1."""
        sys.exit(self._server.exit_code)

    @property
    def asked_to_end(self) -> bool:
        """Whether the editor has asked for that before."""
        return self._shutdown
