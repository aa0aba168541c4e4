"""``session-lint fix``: mend what can be mended."""

from __future__ import annotations

import difflib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from session_lint.cli.exits import CLEAN, FAILED, FOUND
from session_lint.cli.look import look
from session_lint.cli.options import options
from session_lint.cli.run import complain, from_stdin, groups, stdin_source
from session_lint.cli.screen import Screen
from session_lint.documents import embeds
from session_lint.engine import FileReport, lint_content, lint_paths
from session_lint.errors import UserError
from session_lint.mend import Mended, Stop, mend
from session_lint.report.concise import line_of, many, shown, spot
from session_lint.report.paint import Paint
from session_lint.report.patch import patch
from session_lint.source import Source, SourceError, decode
from session_lint.writing import WriteError, encoded, write

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.files import Missing
    from session_lint.finding import Finding
    from session_lint.settings import Settings


@dataclass
class Tally:
    """What a run has done so far."""

    changed: list[str] = field(default_factory=list)
    applied: int = 0
    left: int = 0
    failed: bool = False
    stopped: bool = False

    def add(self, mended: Mended) -> None:
        """Count one module."""
        self.applied += len(mended.applied)
        self.left += len(mended.left)


@click.command(cls=Screen, examples=("session-lint fix --diff src", "session-lint fix --unsafe --interactive src"))
@options
@click.option("--diff", is_flag=True, help="Show the changes as a unified diff and write nothing.")
@click.option("--unsafe", is_flag=True, help="Carry out fixes that need the author's eye, too.")
@click.option("--interactive", is_flag=True, help="Show each fix and ask before it is carried out, unsafe ones too.")
@click.option("--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 where a file was changed.")
@click.pass_context
def fix(context: click.Context, /, paths: Sequence[str], **given: Any) -> None:  # click's options
    """Carry out the fixes that provably leave the program as it is; with --unsafe the others, too.

    Style rules have fixes, too, and are off by default: `--extend-select SES104`.

    Exit codes: 0 nothing is left, 1 findings are left (with --diff: there are changes), 2 the tool could not do
    its work.
    """
    if from_stdin(paths):
        if given["interactive"]:
            raise click.UsageError("--interactive asks on standard input, which is what '-' reads")
        context.exit(_stdin(given))
    tally, missing = mend_paths(paths or ["."], given, tell=_unread)
    complain(missing)
    _summary(tally, given)
    if missing or tally.failed:
        context.exit(FAILED)
    if given["diff"] or given["exit_non_zero_on_fix"]:
        context.exit(FOUND if tally.changed or (tally.left and not given["diff"]) else CLEAN)
    context.exit(FOUND if tally.left else CLEAN)


def mend_paths(
    paths: Sequence[str], given: dict[str, Any], tell: Callable[[Sequence[Finding]], None] = lambda _findings: None
) -> tuple[Tally, list[Missing]]:
    """Mend all files that are named, those in folders included, or show how.

    :param given: the options; ``interactive`` may be missing.
    :param tell: is told the findings of each file that has none to mend.
    :returns: what was done, and the paths that could not be looked at.
    """
    tally = Tally()
    found, missing = groups(paths, given)
    for settings, files in found:
        for report in lint_paths(files, settings) if not tally.stopped else ():
            if not any(finding.fix is not None for finding in report.findings):
                tally.left += len(report.findings)
                tell(report.findings)
            elif not tally.stopped:
                _fix(report, settings, tally, given)
    return tally, missing


def _fix(report: FileReport, settings: Settings, tally: Tally, given: dict[str, Any]) -> None:
    path = Path(report.path)
    try:
        before = path.read_bytes()
        source = decode(str(path), before)
        mended = _mended(source, settings, given)
        _tell(str(path), mended)
        tally.stopped = tally.stopped or mended.stopped
        if mended.text != source.text:
            put(path, source, before, mended.text, only_shown=given["diff"])
            tally.changed.append(str(path))
        tally.add(mended)
    except BrokenPipeError:
        raise  # whoever reads the diff has seen enough
    except (SourceError, WriteError, OSError) as error:
        tally.failed = True
        tally.left += len(report.findings)
        click.echo(f"session-lint: {shown(str(path))}: {error}", err=True)


def put(path: Path, source: Source, before: bytes, text: str, *, only_shown: bool) -> None:
    """Put a new text in the place of a file's, or show the difference.

    :param before: the bytes that the file held when it was read.
    :raises WriteError: where the file cannot be written, or would not keep its other bytes.
    """
    if encoded(source.text, before, source.encoding) != before:
        raise WriteError(f"its bytes do not survive being decoded as {source.encoding}")
    if only_shown:
        _show(str(path), source.text, text)
    else:
        write(path, before, encoded(text, before, source.encoding))


def _mended(source: Source, settings: Settings, given: dict[str, Any]) -> Mended:
    if not given.get("interactive"):
        return mend(source, settings, unsafe=given["unsafe"] or settings.unsafe_fixes)
    return mend(source, settings, unsafe=True, ask=Asking(source.filename))


@dataclass
class Asking:
    """Shows the fixes of a file one by one.

    :param always: whether all that are left in the file were said to be wanted.
    """

    filename: str
    always: bool = False

    def __call__(self, finding: Finding, before: str, after: str) -> bool:
        """Whether a fix is wanted.

        :raises Stop: where the answer is that no more are.
        """
        if self.always:
            return True
        assert finding.fix is not None
        click.echo(f"\n{shown(self.filename)}:{finding.location.row}: {finding.code} {finding.message}")
        click.echo(f"{finding.fix.message} ({finding.fix.applicability.value})")
        if finding.fix.reason:
            click.echo(f"not safe, because {finding.fix.reason}")
        _show(self.filename, before, after)
        answer = click.prompt(
            "Carry it out? [y]es, [n]o, [a]ll in this file, [q]uit",
            type=click.Choice(["y", "n", "a", "q"], case_sensitive=False),
            default="n",
            show_choices=False,
        )
        if answer == "q":
            raise Stop
        self.always = answer == "a"
        return bool(answer in ("y", "a"))


def _unread(findings: Sequence[Finding]) -> None:
    """Say what could not be looked at: nobody else will, in a run that only mends."""
    for finding in findings:
        if finding.code == "SES900":
            place = f"{shown(finding.filename)}:{line_of(finding.location)}"
            click.echo(f"{place}: {finding.code} {finding.message}", err=True)


def _tell(path: str, mended: Mended) -> None:
    for problem in mended.problems:
        click.echo(f"{shown(path)}:{problem}", err=True)


def _stdin(given: dict[str, Any]) -> int:
    source, failed, settings, data = stdin_source(given)
    if source is None:
        click.echo(b"" if given["diff"] else data, nl=False)
        _unread(failed)
        return FAILED if failed else CLEAN
    if embeds(source.filename):
        return _left_alone(lint_content(data, Path(source.filename), settings).findings, data, given)
    mended = mend(source, settings, unsafe=given["unsafe"] or settings.unsafe_fixes)
    _tell(source.filename, mended)
    if given["diff"]:
        _show(source.filename, source.text, mended.text)
    else:
        click.echo(encoded(mended.text, data, source.encoding), nl=False)
    if given["diff"]:
        return FOUND if mended.applied else CLEAN
    return FOUND if mended.left or (mended.applied and given["exit_non_zero_on_fix"]) else CLEAN


def _show(path: str, before: str, after: str) -> None:
    """Print a diff; click leaves its escape sequences alone, which may be the file's own.

    :raises UserError: where there is no room for it, which is no fault of the file's.
    """
    try:
        click.echo(patch(unified(path, before, after), Paint(look())), nl=False, color=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"standard output: {error.strerror or error}") from None


def _left_alone(findings: Sequence[Finding], data: bytes, given: dict[str, Any]) -> int:
    """Give back what no fix rewrites, and say why."""
    for finding in findings:
        place = f"{shown(finding.filename)}:{spot(finding.location)}"
        click.echo(f"{place}: {finding.code} was not fixed: {finding.refusal or 'it has no fix'}", err=True)
    click.echo(b"" if given["diff"] else data, nl=False)
    return FOUND if findings and not given["diff"] else CLEAN


def unified(path: str, before: str, after: str) -> str:
    """A unified diff of a file's text, as ``git apply`` reads it."""
    name = shown(path).lstrip("/")
    old, new = (list(io.StringIO(text, newline="\n")) for text in (before, after))  # a form feed ends no line of a diff
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _summary(tally: Tally, given: dict[str, Any]) -> None:
    verb = "would be fixed" if given["diff"] else "fixed"
    files = many(len(tally.changed), "file")
    click.echo(f"{tally.applied} {verb} in {files}, {tally.left} left", err=given["diff"])  # a diff stays a diff
