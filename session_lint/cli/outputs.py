"""Where reports go: standard output, a file in its place, and further files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.report import FORMATS, render, reporter
from session_lint.report.run import Look, Run
from session_lint.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click

    from session_lint.cli.linting import Outcome
    from session_lint.finding import Finding


FOR_PEOPLE = ("full", "concise")
"""The formats that say nothing where nothing is known; a program expects its form in any case."""


@dataclass(frozen=True)
class Destination:
    """A file that a report is written to, in a format of its own."""

    form: str
    path: Path


def destinations(_context: click.Context, _parameter: click.Parameter, values: Sequence[str]) -> list[Destination]:
    """``--report FORMAT:PATH``, as often as it is given.

    :raises click.BadParameter: where the format is unknown.
    """
    found = []
    for value in values:
        form, colon, path = value.partition(":")
        if form not in FORMATS or not colon or not path:
            import click  # noqa: PLC0415  (a plain command line is read without)

            raise click.BadParameter(f"{value!r} is not FORMAT:PATH; the formats are {', '.join(FORMATS)}")
        found.append(Destination(form, Path(path)))
    return found


def places(given: dict[str, Any]) -> list[Destination]:
    """All files that a run has to write, each once, seen to be possible before any work is done.

    :raises UserError: where one cannot be written, or its format needs a library that is not installed.
    :raises click.UsageError: where two reports would go to one file.
    """
    for form in {given["output_format"], *(one.form for one in given["report"])}:
        reporter(form)
    whole = [Destination(given["output_format"], given["output_file"])] if given["output_file"] else []
    found = [*whole, *given["report"]]
    if not found:
        return []
    from session_lint.writing import place_for  # noqa: PLC0415  (most runs write nothing)

    for number, one in enumerate(found):
        place_for(one.path)
        if one.path.is_absolute() and not one.path.is_file() and one.path.exists():
            continue  # a device takes any number of reports
        if one.path.resolve() in [other.path.resolve() for other in found[:number]]:
            import click  # noqa: PLC0415  (as above)

            raise click.UsageError(f"{one.path}: two reports cannot go to one file; name another")
    return found


def write_reports(outcome: Outcome, findings: Sequence[Finding], wanted: Sequence[Destination]) -> None:
    """Write reports to their files, without colours.

    :raises WriteError: where one cannot be written.
    """
    for one in wanted:
        from session_lint.writing import overwrite  # noqa: PLC0415  (most runs write nothing)

        text = report(outcome, findings, one.form)
        overwrite(one.path, text.encode(errors="backslashreplace"))


def report(outcome: Outcome, findings: Sequence[Finding], form: str, look: Look | None = None) -> str:
    """Some findings of a run in a format."""
    run = Run(findings, len(outcome.reports), outcome.source, look or Look(), outcome.baseline, outcome.facts)
    return render(form, run)
