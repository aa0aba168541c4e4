"""What an editor can offer to do about findings: carry out a fix, all safe ones, or silence a finding by a comment.

An offer is made at once; what it would change is worked out when somebody takes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from session_lint.finding import Applicability
from session_lint.lsp.diagnostics import identity
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.source import physical_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.finding import Edit, Finding
    from session_lint.lsp.buffers import Document
    from session_lint.lsp.positions import Columns
    from session_lint.source import Source

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.session-lint"
KINDS: list[types.CodeActionKind | str] = [types.CodeActionKind.QuickFix, FIX_ALL]


@dataclass(frozen=True)
class Offer:
    """What can be done, as plain values that come back when it is taken.

    :param what: ``fix``, ``fix-all`` or ``ignore``.
    :param finding: what tells the finding from others; empty for all.
    """

    uri: str
    version: int
    what: str
    finding: tuple[object, ...] = ()

    @classmethod
    def of(cls, data: Any) -> Offer | None:  # noqa: ANN401  (what an editor sends)
        """An offer that has come back; ``None`` where it is not one of ours."""
        try:
            return cls(str(data["uri"]), int(data["version"]), str(data["what"]), tuple(data["finding"]))
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def data(self) -> dict[str, object]:
        """The plain values."""
        return {"uri": self.uri, "version": self.version, "what": self.what, "finding": list(self.finding)}


def offers(
    document: Document, findings: Sequence[tuple[Finding, types.Diagnostic]], wanted: Sequence[str] | None
) -> list[types.CodeAction]:
    """What can be done about some findings.

    :param findings: those of the place that was asked about.
    :param wanted: the kinds of actions that were asked for; ``None`` for all.
    """
    found: list[types.CodeAction] = []
    if _asked(types.CodeActionKind.QuickFix.value, wanted):
        for finding, diagnostic in findings:
            found += _fixes(document, finding, diagnostic)
        for finding, diagnostic in findings:
            found += _silence(document, finding, diagnostic)
    return found


def fix_all(document: Document, wanted: Sequence[str] | None) -> list[types.CodeAction]:
    """The offer to carry out all safe fixes of a text."""
    if not _asked(FIX_ALL, wanted):
        return []
    offer = Offer(document.uri, document.version, "fix-all")
    return [types.CodeAction("Fix all safe findings of session-lint", FIX_ALL, data=offer.data)]


def _asked(kind: str, wanted: Sequence[str] | None) -> bool:
    """Whether a kind of action is wanted: itself, or a kind that it belongs to."""
    return not wanted or any(kind == one or kind.startswith(f"{one}.") or not one for one in wanted)


def _fixes(document: Document, finding: Finding, diagnostic: types.Diagnostic) -> Iterator[types.CodeAction]:
    fix = finding.fix
    if fix is not None:
        safe = fix.applicability is Applicability.SAFE
        offer = Offer(document.uri, document.version, "fix", tuple(identity(finding)))
        yield types.CodeAction(
            f"{fix.message} ({finding.code})" if safe else f"{fix.message} (unsafe: {fix.reason})",
            types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            is_preferred=safe or None,
            data=offer.data,
        )
    elif finding.refusal:
        yield types.CodeAction(
            f"Fix {finding.code}",
            types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic],
            disabled=types.CodeActionDisabled(finding.refusal),
        )


def _silence(document: Document, finding: Finding, diagnostic: types.Diagnostic) -> Iterator[types.CodeAction]:
    if finding.code in (not_analysed.code, unused_suppression.code):
        return
    offer = Offer(document.uri, document.version, "ignore", tuple(identity(finding)))
    yield types.CodeAction(
        f"Ignore {finding.code} ({finding.name}) on this line",
        types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic],
        data=offer.data,
    )


def text_edits(source: Source, changes: Sequence[Edit], columns: Columns) -> list[types.TextEdit]:
    """Edits as the protocol has them."""
    lines = physical_lines(source.text)
    return [types.TextEdit(columns.range(lines, edit.location, edit.end_location), edit.content) for edit in changes]


def workspace_edit(document: Document, changes: list[types.TextEdit], *, versioned: bool) -> types.WorkspaceEdit:
    """Edits of one text, of the version that they were worked out for."""
    if not versioned:
        return types.WorkspaceEdit(changes={document.uri: changes})
    identifier = types.OptionalVersionedTextDocumentIdentifier(document.uri, document.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identifier, list(changes))])
