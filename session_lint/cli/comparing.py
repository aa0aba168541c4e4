"""What a run has found beside what a baseline has recorded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.cli.run import settings_for
from session_lint.cli.saying import say
from session_lint.report.concise import many

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from session_lint.baseline import Comparison, Entry
    from session_lint.engine import FileReport
    from session_lint.recording import Baseline
    from session_lint.settings import Settings
    from session_lint.source import Source

MOST_TOLD = 10
"""How many entries of which nothing is left are named one by one."""


def against_baseline(
    found: Sequence[FileReport], source: Callable[[str], Source | None], given: dict[str, Any]
) -> Comparison | None:
    """What is new in a run, where the options or the settings ask for that.

    :param source: the text of a file by its name.
    :raises BaselineError: where the baseline cannot be used.
    """
    wanted = given["baseline"]
    if wanted is None:
        wanted = given["baseline_file"] is not None or bool(here(given).baseline)
    if not wanted:
        return None
    from session_lint.recording import read  # noqa: PLC0415  (most runs need none)

    return compared(read(place(given)), found, source, given)


def complain_of_gone(comparison: Comparison | None) -> bool:
    """Say which entries have to be removed from a baseline, and whether there are any."""
    if comparison is None or not comparison.gone:
        return False
    for entry in comparison.gone[:MOST_TOLD]:
        times = f" ({entry.count} times)" if entry.count > 1 else ""
        where = f" in {entry.symbol}" if entry.symbol else ""
        say(f"session-lint: gone: {entry.path}: {entry.code}{where}: {entry.text}{times}", err=True)
    more = len(comparison.gone) - MOST_TOLD
    if more > 0:
        say(f"session-lint: gone: {more} more", err=True)
    number = many(comparison.number_gone, "recorded finding")
    say(f"session-lint: {number} gone: take them out with `session-lint baseline --prune`", err=True)
    return True


def compared(
    recorded: Baseline, found: Sequence[FileReport], source: Callable[[str], Source | None], given: dict[str, Any]
) -> Comparison:
    """What of the findings of a run a baseline has recorded, and what of it is gone.

    :param source: the text of a file by its name.
    """
    from session_lint.rules import catalogue  # noqa: PLC0415  (most runs need none)
    from session_lint.rules.file_not_analysed import rule as not_analysed  # noqa: PLC0415

    unread = {f.filename for report in found for f in report.findings if f.code == not_analysed.code}
    seen = {recorded.place(report.path) for report in found if report.path not in unread}
    rules = catalogue()

    def looked(entry: Entry) -> bool:
        """Whether the run looked for what an entry records: its rule ran, and its file was read or is gone."""
        path, rule = recorded.path(entry), rules.get(entry.code)
        if rule is None:
            return True
        settings = settings_for(path, given)
        ran = not settings.ignored(rule, str(path)) if rule is not_analysed else settings.selected(rule, str(path))
        return ran and (entry.path in seen or not path.is_file())

    findings = [finding for report in found for finding in report.findings]
    return recorded.compared(findings, source, looked)


def here(given: dict[str, Any]) -> Settings:
    """The settings of the current folder, with the options over them."""
    return settings_for(Path.cwd(), given)


def place(given: dict[str, Any]) -> Path:
    """The baseline's file: the one that is named, else that of the settings, else the usual one beside them."""
    from session_lint.recording import FILE  # noqa: PLC0415  (most runs need none)

    settings = here(given)
    root = settings.root or Path.cwd()
    return Path.cwd() / given["baseline_file"] if given["baseline_file"] else root / (settings.baseline or FILE)
