"""``session-lint map``: the picture of a code base's sessions."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint import mapping
from session_lint.cli.exits import CLEAN, FAILED
from session_lint.cli.options import file_options
from session_lint.cli.progress import progress
from session_lint.cli.run import complain, complain_of_unread, groups
from session_lint.cli.screen import Screen
from session_lint.report.map import FORMATS, render
from session_lint.report.map.groups import Opening
from session_lint.writing import overwrite, place_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.mapping import SessionMap

EXAMPLES = (
    "session-lint map src --output-format html --output-file map.html",
    "session-lint map src --output-format svg --focus shop.orders > orders.svg",
)


@click.command("map", cls=Screen, examples=EXAMPLES)
@file_options
@click.option("--output-format", type=click.Choice(FORMATS), default="text", show_default=True, help="What to draw.")
@click.option("--output-file", type=click.Path(path_type=Path), help="The file to write it to.")
@click.option(
    "--depth", type=click.IntRange(min=0), metavar="N", help="Open N levels of packages, not what there is room for."
)
@click.option("--focus", metavar="PACKAGE", default="", help="The package or module to show.")
@click.pass_context
def session_map(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Draw which modules get their sessions in which way (default: the current folder).

    By hand, by a scope, the global one, or a request's; what each goes through, who closes, where a module mixes
    them, and which entries reach the global session. In large projects a package is one box.

    Exit codes: 0 done, 2 the tool could not do its work.
    """
    if given["output_file"]:
        place_for(given["output_file"])
    found, missing = groups(paths or ["."], given)
    with progress(sum(len(files) for _, files in found), "reading") as step:
        told, failures = mapping.session_map(found, step)
    if given["focus"]:
        told = _focused(told, given["focus"])
    text = render(given["output_format"], told, Opening(given["depth"], given["focus"]))
    if given["output_file"]:
        overwrite(given["output_file"], text.encode(errors="backslashreplace"))
    else:
        click.echo(text, nl=False)
    complain(missing)
    complain_of_unread(failures)
    context.exit(FAILED if missing or failures else CLEAN)


def _focused(told: SessionMap, package: str) -> SessionMap:
    """The part of a map that was asked for.

    :raises click.UsageError: where it has no such package.
    """
    inside = told.within(package)
    if inside.modules or inside.definitions:
        return inside
    parts = [node.name.split(".") for node in told.modules]
    names = sorted({".".join(name[:depth]) for name in parts for depth in range(1, len(name) + 1)})
    near = difflib.get_close_matches(package, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise click.UsageError(f"--focus: no module with a session is called {package!r}, or lies in it{hint}")
