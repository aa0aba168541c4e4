"""``session-lint survey``: lint many projects on a cluster."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN, FAILED, FOUND, INTERRUPTED
from session_lint.cli.options import survey_options
from session_lint.cli.outputs import Destination, destinations
from session_lint.cli.progress import progress
from session_lint.cli.run import forget, from_stdin, groups, settings_for, source_of
from session_lint.cli.screen import Screen, option
from session_lint.errors import UserError
from session_lint.python.modules import absolute
from session_lint.python.project import root_of_project
from session_lint.report.concise import many, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.files import Missing
    from session_lint.settings import Settings
    from session_lint.survey.plans import Choose
    from session_lint.survey.results import Results

WORK, RESULTS = "Workers", "Results"
FILE = Path("session-lint-survey.sqlite3")
_CHOICE = (
    *("select", "extend_select", "ignore", "extend_ignore", "exclude", "extend_exclude"),
    *("force_exclude", "markdown", "isolated", "no_project"),
)
PARQUET, STATE, PAGE = ".parquet", ".sqlite3", ".html"


def _reports(context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> list[Destination]:
    """``--report FILE.html``, or ``--report FORMAT:FILE`` as ``check`` has it."""
    return destinations(context, parameter, [f"html:{v}" if v.endswith(PAGE) and ":" not in v else v for v in values])


@click.command(
    cls=Screen,
    examples=(
        "session-lint survey ~/repositories --report survey.html",
        "session-lint survey ~/repositories --scheduler tcp://10.0.0.1:8786",
    ),
)
@survey_options
@option(WORK, "--workers", metavar="N", type=click.IntRange(min=0), default=0, help="Processes; 0: one a processor.")
@option(WORK, "--scheduler", metavar="ADDRESS", help="Use the workers of a Dask scheduler that runs.")
@option(
    RESULTS,
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=FILE,
    show_default=True,
    help="SQLite, or FILE.parquet.",
)
@option(
    RESULTS,
    "--report",
    metavar="FILE",
    multiple=True,
    callback=_reports,
    help="A page (FILE.html), or FORMAT:FILE as `check` has them.",
)
@option(RESULTS, "--exit-zero", is_flag=True, help="Exit with 0 where something was found.")
@click.pass_context
def survey(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Lint many projects: each path is one, or a folder of some (default: the current folder).

    Workers lint the projects in pieces. Ctrl-C ends a survey, and the same command goes on where it stopped; projects
    that have changed since are done again. It needs `pip install 'session-lint[dask]'`.

    Exit codes: 0 clean, 1 findings, 2 it could not do its work, 130 interrupted.
    """
    if from_stdin(paths):
        raise click.UsageError("standard input is no project: name folders")
    if given["scheduler"] and given["workers"]:
        raise click.UsageError("--workers are this machine's own, --scheduler has others: give one of them")
    context.exit(_survey(paths or ["."], given))


def _survey(paths: Sequence[str], given: dict[str, Any]) -> int:
    """Run a survey, and say what came of it.

    :returns: the exit code.
    :raises UserError: where it cannot be done.
    """
    from session_lint.survey.cluster import crew  # noqa: PLC0415  (an extra, and slow to import)
    from session_lint.survey.projects import projects  # noqa: PLC0415
    from session_lint.survey.results import Results  # noqa: PLC0415
    from session_lint.survey.running import survey as run  # noqa: PLC0415

    export = _see_places(given)
    folders = projects(paths)
    results = Results(given["output"].with_name(given["output"].name + STATE) if export else given["output"])
    try:
        try:
            with (
                progress(len(folders), "surveying") as step,
                crew(given["scheduler"], given["workers"], [str(folder) for folder in folders]) as workers,
            ):
                run(folders, _chooser(given), workers, results, step)
        except UserError as error:
            raise UserError(f"{error}{_kept(results)}") from None
        except KeyboardInterrupt:
            click.echo(f"session-lint: interrupted{_kept(results)}", err=True)
            return INTERRUPTED
        return _tell(results, export(results, given["output"]) if export else [given["output"]], given)
    finally:
        results.close()


def _see_places(given: dict[str, Any]) -> Callable[[Results, Path], list[Path]] | None:
    """See that all that is to be written can be.

    :returns: what writes the results in another form than that in which they are kept.
    :raises UserError: where something cannot be written, or a library for it is missing.
    """
    from session_lint.report import reporter  # noqa: PLC0415  (see above)
    from session_lint.writing import place_for  # noqa: PLC0415

    for place in (given["output"], *(one.path for one in given["report"])):
        place_for(place)
    for one in given["report"]:
        reporter(one.form)
    if given["output"].suffix != PARQUET:
        return None
    from session_lint.survey.parquet import write  # noqa: PLC0415  (an extra)

    return write


def _chooser(given: dict[str, Any]) -> Choose:
    """What says which files of a project are looked at, wherever it is asked: nothing in it is about this process."""
    config = given["config"] and absolute(given["config"])
    return partial(_chosen, {name: given[name] for name in _CHOICE} | {"config": config, "no_cache": True})


def _chosen(given: dict[str, Any], folder: Path) -> tuple[list[tuple[Settings, list[Path]]], list[Missing]]:
    forget()  # a worker serves many surveys
    return groups([str(folder)], {**given, "root": folder})


def _kept(results: Results) -> str:
    """The end of a message about a survey that has not come to its end."""
    rows = results.rows()
    done = sum(row.complete for row in rows)
    return f"; {many(done, 'project')} done so far, the same command goes on from there" if rows else ""


def _tell(results: Results, written: Sequence[Path], given: dict[str, Any]) -> int:
    """Write the reports, and print the summary.

    :returns: the exit code.
    :raises UserError: where there was nothing to lint.
    """
    from session_lint.survey.summary import summary  # noqa: PLC0415  (see above)

    rows = results.rows()
    if not any(row.files or row.failure for row in rows):
        raise UserError("no Python file is in what was named")
    _write_reports(results, sum(row.files for row in rows), given)
    click.echo(summary(rows, results.codes()), nl=False)
    click.echo(f"results: {', '.join(shown(str(file)) for file in written)}")
    if any(row.failure for row in rows):
        return FAILED
    return FOUND if any(row.findings for row in rows) and not given["exit_zero"] else CLEAN


def _write_reports(results: Results, checked: int, given: dict[str, Any]) -> None:
    if not given["report"]:
        return
    from session_lint.report import render  # noqa: PLC0415  (see above)
    from session_lint.report.run import Run  # noqa: PLC0415
    from session_lint.writing import overwrite  # noqa: PLC0415

    run = Run(results.findings(), checked, source_of, facts=_Facts(given))
    for one in given["report"]:
        overwrite(one.path, render(one.form, run).encode(errors="backslashreplace"))


class _Facts:
    """What the rules were told of a file by its name; ``None`` where it is gone or cannot be analysed.

    :param given: the options of the survey.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = {**given, "no_cache": True}
        self._root = Path()

    def __call__(self, filename: str) -> ModuleFacts | None:
        from session_lint import engine  # noqa: PLC0415  (see above)

        path, source = Path(filename), source_of(filename)
        root = root_of_project(path)
        if root != self._root:  # what is known of thousands of projects would fill the memory
            engine.forget()
            self._root = root
        return None if source is None else engine.retold(source, settings_for(path, self._given))
