"""``session-lint migrate``: take a code base from sessions by hand to scopes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN, FAILED, FOUND
from session_lint.cli.fix import put
from session_lint.cli.options import file_options
from session_lint.cli.progress import progress
from session_lint.cli.run import complain, groups
from session_lint.cli.screen import Screen
from session_lint.documents import embeds
from session_lint.migration import Site, Verdict, aiming_at, as_json, as_markdown, counted, factories, migrate, sites
from session_lint.report.concise import many, shown
from session_lint.source import SourceError, decode
from session_lint.writing import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from session_lint.settings import Settings

REPORT = "session-lint-migration"


@dataclass
class Run:
    """What a migration has seen and done."""

    planned: list[Site] = field(default_factory=list)
    left: list[Site] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    failed: bool = False

    def complain(self, path: Path, what: object) -> None:
        """Say what was wrong with a file; the others go on."""
        self.failed = True
        click.echo(f"session-lint: {shown(str(path))}: {what}", err=True)


@click.command("migrate", cls=Screen, examples=("session-lint migrate --dry-run src",))
@file_options
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option("--diff", is_flag=True, help="Show the changes as a unified diff and write nothing.")
@click.option("--unsafe", is_flag=True, help="Carry out rewrites that need the author's eye, too.")
@click.option("--scope", metavar="NAME", help="The dotted name of the committing scope to aim at: shop.db.work.")
@click.option(
    "--report",
    metavar="PATH",
    default=REPORT,
    show_default=True,
    help="Where the report goes: PATH.md and PATH.json; empty for none.",
)
@click.pass_context
def migration(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Rewrite sessions that are managed by hand: to the project's own scope, or a `with`.

    First it says what there is: how many places, how many of them can be rewritten safely, and why the others cannot,
    file by file. Then it rewrites the safe ones, and writes a report of what is left to do by hand. The scope to aim
    at is the project's own, wherever it is defined, else the reference module's, else `with Session.begin()`.

    Exit codes: 0 nothing is left to do by hand, 1 something is, 2 the tool could not do its work.
    """
    found, missing = groups(paths or ["."], given)
    run = Run()
    chosen = [(file, settings) for settings, files in found for file in files if not embeds(str(file))]
    files = [(file, _aimed(settings, file, given["scope"])) for file, settings in chosen]
    plan = {file: told for file, settings in files if (told := _planned(file, settings, run))}
    run.planned = [site for told in plan.values() for site in told]
    click.echo("\n".join(_plan_lines(plan)), err=given["diff"])
    complain(missing)
    if given["dry_run"]:
        run.left = [site for site in run.planned if site.verdict is not Verdict.SAFE]
    else:
        _carry_out([(file, settings) for file, settings in files if file in plan], run, given)
    if run.planned and not (given["dry_run"] or given["diff"]):
        report = _write_report(run, Path(given["report"])) if given["report"] else ""
        rest = f"{len(run.left)} left to do by hand" if run.left else "nothing is left to do by hand"
        click.echo(f"{many(len(run.changed), 'file')} rewritten, {rest}{report}")
    if missing or run.failed:
        context.exit(FAILED)
    context.exit(FOUND if run.left else CLEAN)


def _aimed(settings: Settings, file: Path, scope: str | None) -> Settings:
    """The settings for a file, with the scope that was asked for over the factories that the file names."""
    settings = replace(settings, cache=False)
    if not scope:
        return settings
    try:
        source = decode(str(file), file.read_bytes())
        return aiming_at(settings, scope, factories(source, settings))
    except (OSError, SourceError):
        return settings  # which the plan will say


def _planned(file: Path, settings: Settings, run: Run) -> list[Site]:
    try:
        return sites(decode(str(file), file.read_bytes()), settings)
    except SourceError as error:
        run.complain(file, error.message)
    except OSError as error:
        run.complain(file, error.strerror or error)
    return []


def _plan_lines(plan: dict[Path, list[Site]]) -> Iterator[str]:
    """The plan: the sum, the reasons, and each file."""
    found = [site for told in plan.values() for site in told]
    if not found:
        yield "no session is managed by hand"
        return
    counts = counted(found)
    sums = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    yield f"{many(len(found), 'session')} managed by hand in {many(len(plan), 'file')}: {sums}"
    for reason, count in Counter(site.reason for site in found if site.reason).most_common():
        yield f"  {count} times: {reason}"
    for file, told in plan.items():
        counts = counted(told)
        yield f"{shown(str(file))}: " + ", ".join(f"{n} {verdict.value}" for verdict, n in counts.items() if n)


def _carry_out(files: list[tuple[Path, Settings]], run: Run, given: dict[str, Any]) -> None:
    with progress(len(files), "rewriting", hidden=given["diff"]) as step:
        for file, settings in files:
            step()
            try:
                _rewrite(file, settings, run, given)
            except BrokenPipeError:
                raise  # whoever reads the diff has seen enough
            except (SourceError, WriteError, OSError) as error:
                run.complain(file, error)


def _rewrite(file: Path, settings: Settings, run: Run, given: dict[str, Any]) -> None:
    before = file.read_bytes()
    source = decode(str(file), before)
    mended = migrate(source, settings, unsafe=given["unsafe"])
    for problem in mended.problems:
        click.echo(f"{shown(str(file))}:{problem}", err=True)
    run.left += sites(replace(source, text=mended.text), settings)
    if mended.text == source.text:
        return
    put(file, source, before, mended.text, only_shown=given["diff"])
    run.changed.append(shown(str(file)))


def _write_report(run: Run, path: Path) -> str:
    """Write the report for people and the one for programs; what the last line says of them."""
    told = [replace(site, file=shown(site.file)) for site in run.left]
    texts = {
        ".md": as_markdown(run.planned, told, run.changed),
        ".json": json.dumps(as_json(run.planned, told, run.changed), indent=2) + "\n",
    }
    for suffix, text in texts.items():
        target = path.with_name(path.name + suffix)
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WriteError(f"{shown(str(target))}: {error.strerror or error}") from None
    return f": {shown(str(path))}.md"
