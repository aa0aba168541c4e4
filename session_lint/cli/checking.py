"""One run of ``check``: mend, lint, report, and the exit code of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_lint.cli.comparing import against_baseline, complain_of_gone
from session_lint.cli.exits import CLEAN, FAILED, FOUND, INTERRUPTED
from session_lint.cli.linting import Outcome, lint
from session_lint.cli.look import look
from session_lint.cli.outputs import FOR_PEOPLE, places, report, write_reports
from session_lint.cli.run import complain
from session_lint.cli.saying import say
from session_lint.finding import Severity
from session_lint.report.concise import many
from session_lint.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.cli.fix import Tally
    from session_lint.finding import Finding


def once(paths: Sequence[str], given: dict[str, Any]) -> int:
    """Mend, lint, report.

    :param given: the options of ``check``.
    :returns: the exit code.
    :raises UserError: where a report cannot be written, or settings or a revision cannot be followed.
    """
    wanted = places(given)
    tally: Tally | None = None
    if given["fix"] or given["diff"]:
        from session_lint.cli.fix import mend_paths  # noqa: PLC0415  (most runs only look)

        tally, missing = mend_paths(paths, given)
        if given["diff"]:
            complain(missing)
            return FAILED if missing or tally.failed else FOUND if tally.changed and not given["exit_zero"] else CLEAN
        if tally.changed and not given["quiet"]:
            say(f"{tally.applied} fixed in {many(len(tally.changed), 'file')}", err=True)
    outcome = lint(paths, given)
    if given["add_noqa"] and not outcome.interrupted:
        from session_lint.cli import adding  # noqa: PLC0415  (seldom)

        complain(outcome.missing)
        code = adding.add(outcome.reports, given)
        return FAILED if outcome.missing else code
    findings = reported(outcome, given)
    _print(outcome, findings, given)
    write_reports(outcome, findings, wanted)
    stale = complain_of_gone(outcome.baseline)
    complain(outcome.missing)
    if given["verbose"]:
        from session_lint.cli.verbose import tell  # noqa: PLC0415  (seldom)

        tell(outcome, given["config"])
    code = _exit_code(outcome, findings, given, tally)
    return FOUND if stale and code == CLEAN and not given["exit_zero"] else code


def reported(outcome: Outcome, given: dict[str, Any]) -> list[Finding]:
    """The findings of a run that count: all, or those that no baseline knows, or that a branch has brought."""
    outcome.baseline = against_baseline(outcome.reports, outcome.source, given)
    findings = outcome.findings if outcome.baseline is None else list(outcome.baseline.new)
    if given["diff_base"] is None:
        return findings
    from session_lint.cli.changed import changed  # noqa: PLC0415  (git is asked seldom)

    findings = changed(findings, given["diff_base"])
    if outcome.baseline is not None:
        outcome.baseline = replace(outcome.baseline, new=tuple(findings))
    return findings


def _print(outcome: Outcome, findings: Sequence[Finding], given: dict[str, Any]) -> None:
    """Print the report, unless it goes to a file or there is none."""
    form, looks = given["output_format"], look(given["color"])
    unknown = (outcome.missing and not outcome.reports) or outcome.interrupted  # then nothing is clear
    if not given["output_file"] and (findings or not (given["quiet"] or (unknown and form in FOR_PEOPLE))):
        text = _counted(outcome, findings, form) if given["statistics"] else report(outcome, findings, form, looks)
        say(text, nl=False, color=looks.colour)
    if outcome.interrupted:
        total = sum(len(files) for _, files in outcome.groups)
        done = f"{len(outcome.reports)} of {total} files were checked" if total else "no file was checked"
        say(f"session-lint: interrupted, so the report is incomplete: {done}", err=True)


def _counted(outcome: Outcome, findings: Sequence[Finding], form: str) -> str:
    from session_lint.cli.statistics import statistics  # noqa: PLC0415  (seldom)

    return statistics(findings, len(outcome.reports), form, outcome.baseline)


def _exit_code(outcome: Outcome, findings: Sequence[Finding], given: dict[str, Any], tally: Tally | None) -> int:
    if outcome.interrupted:
        return INTERRUPTED
    if outcome.missing or (tally and tally.failed):
        return FAILED
    if tally and tally.changed and given["exit_non_zero_on_fix"]:
        return FOUND
    order = list(Severity)
    grave = order[: order.index(Severity(given["error_on"])) + 1]
    return FOUND if any(one.severity in grave for one in findings) and not given["exit_zero"] else CLEAN
