"""``session-lint check``: report what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli import adding
from session_lint.cli.baseline import baseline_options
from session_lint.cli.checking import once, reported
from session_lint.cli.combinations import refuse
from session_lint.cli.defaults import filled
from session_lint.cli.look import look
from session_lint.cli.options import FILES, SETTINGS, options
from session_lint.cli.outputs import destinations
from session_lint.cli.run import settings_for
from session_lint.cli.screen import Screen, option
from session_lint.finding import Severity
from session_lint.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

FIXES, REPORT, RUN, EXIT = (
    "Fixes",
    "Report",
    "Run",
    "Exit code (0 clean, 1 findings, 2 it could not work, 130 interrupted)",
)
_SHOW = "List them; check nothing."
_FIX = "Write safe fixes; show; unsafe, too."
_SILENCE = "Silence what is found by comments; why."
_TALK = "Be silent when all is well; tell more."
_EXITS = "0 all the same; 1 where --fix wrote."


@click.command(
    cls=Screen,
    examples=(
        "session-lint check src",
        "session-lint check --diff-base origin/main --report json:found.json",
    ),
)
@options
@option(FILES, "--diff-base", metavar="REV", help="Only findings on what changed since.")
@option(FILES, "--dependents", is_flag=True, help="And the files that import these.")
@option(SETTINGS, "--show-files", is_flag=True, help=_SHOW)
@option(SETTINGS, "--show-settings", is_flag=True, help=_SHOW)
@option(FIXES, "--fix", is_flag=True, help=_FIX)
@option(FIXES, "--diff", is_flag=True, help=_FIX)
@option(FIXES, "--unsafe", is_flag=True, help=_FIX)
@option(FIXES, "--add-noqa", is_flag=True, help=_SILENCE)
@option(FIXES, "--reason", metavar="TEXT", callback=adding.reason, help=_SILENCE)
@baseline_options(REPORT)
@option(
    REPORT,
    "--output-format",
    metavar="FORMAT",
    type=click.Choice(FORMATS),
    default=None,
    help=f"{', '.join(FORMATS)}.",
)
@option(
    REPORT,
    "--output-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it there instead of printing it.",
)
@option(
    REPORT,
    "--report",
    metavar="FORMAT:FILE",
    multiple=True,
    callback=destinations,
    help="A further report; may be repeated.",
)
@option(REPORT, "--statistics", is_flag=True, help="Count the findings of each rule.")
@option(
    REPORT,
    "--color",
    metavar="WHEN",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="auto, always, never.",
)
@option(RUN, "--quiet", "-q", is_flag=True, help=_TALK)
@option(RUN, "--verbose", "-v", is_flag=True, help=_TALK)
@option(RUN, "--jobs", "-j", metavar="N", type=click.IntRange(min=0), help="Processes; 0: one a processor.")
@option(RUN, "--watch", "-w", is_flag=True, help="Check again whenever a file changes.")
@option(
    EXIT,
    "--error-on",
    metavar="SEVERITY",
    type=click.Choice([one.value for one in Severity]),
    default=None,
    help="1 from there: error, warning, style.",
)
@option(EXIT, "--exit-zero", is_flag=True, help=_EXITS)
@option(EXIT, "--exit-non-zero-on-fix", is_flag=True, help=_EXITS)
@click.pass_context
def check(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Look for session mistakes in files and folders; `-` is standard input."""
    asked, given = given, filled(given, paths)
    refuse(paths, given)
    paths = paths or ["."]
    if given["dependents"]:
        from session_lint.cli.dependents import with_dependents  # noqa: PLC0415  (only hooks ask)

        paths = with_dependents(paths, lambda path: settings_for(path, given))
    if given["show_settings"] or given["show_files"]:
        from session_lint.cli.listing import show  # noqa: PLC0415  (seldom)

        context.exit(show(paths, asked))
    if given["watch"]:
        from session_lint.cli.watch import watch  # noqa: PLC0415  (seldom)

        context.exit(watch(paths, given, look(given["color"]), lambda outcome: reported(outcome, given)))
    context.exit(once(paths, given))
