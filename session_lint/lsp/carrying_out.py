"""What an offer changes, worked out on the thread that analyses, on the whole truth about its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_lint import analysis
from session_lint.fixes import CannotFix, differing
from session_lint.lsp.diagnostics import identity
from session_lint.lsp.silencing import silenced
from session_lint.mend import carried_out, mend

if TYPE_CHECKING:
    from session_lint.finding import Edit, Finding
    from session_lint.lsp.actions import Offer
    from session_lint.lsp.analyst import Analyst, Verdict
    from session_lint.lsp.buffers import Document


def changes(analyst: Analyst, document: Document, offer: Offer) -> tuple[Edit, ...]:
    """The edits of an offer.

    :raises CannotFix: where it cannot be done, with the reason.
    :raises SettingsError: where the text's settings cannot be followed.
    """
    verdict = analyst.settled(document)
    source = document.source
    if offer.what == "ignore":
        edit = silenced(source, _found(verdict, offer))
        if edit is None:
            raise CannotFix("no comment can stand on its line")
        return (edit,)
    settings = analyst.settings_for(document)
    if settings is None:
        raise CannotFix("the settings leave the file out")
    analysis.renew()
    try:
        if offer.what == "fix-all":
            after = mend(source, settings, unsafe=False).text
        else:
            after = carried_out(source, settings, _found(verdict, offer), verdict.findings)
    finally:
        analyst.disturbed(document)
    return differing(source.text, after)


def _found(verdict: Verdict, offer: Offer) -> Finding:
    """The finding that an offer is about.

    :raises CannotFix: where a look at the whole text did not find it.
    """
    for finding in verdict.findings:
        if tuple(identity(finding)) == offer.finding:
            return finding
    raise CannotFix("the finding is gone")
