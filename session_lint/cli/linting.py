"""One run over everything that was named, as far as it gets."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint import stages
from session_lint.cli.progress import progress
from session_lint.cli.run import from_stdin, groups, settings_for, source_of, stdin_source
from session_lint.documents import embeds
from session_lint.engine import FileReport, lint_content, lint_paths, lint_source, retold, unread
from session_lint.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.baseline import Comparison
    from session_lint.files import Missing
    from session_lint.finding import Finding
    from session_lint.settings import Settings
    from session_lint.source import Source


@dataclass
class Outcome:
    """What a run has found.

    :param groups: the files, by the settings that hold for them.
    :param reports: one for each file that was looked at, in the order of their paths.
    :param missing: the paths that could not be looked at.
    :param texts: the texts that stand in no file.
    :param settings: those that hold for each file, by its name.
    :param seconds: how long each stage took, by its name.
    :param interrupted: whether somebody ended it before its end.
    :param baseline: what was found beside what is recorded, where a baseline counts.
    :param given: the command's options.
    :param stages: how long each stage of the analysis took in all processes together, where somebody asks.
    """

    groups: list[tuple[Settings, list[Path]]] = field(default_factory=list)
    reports: list[FileReport] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    texts: dict[str, Source | None] = field(default_factory=dict)
    settings: dict[str, Settings] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    interrupted: bool = False
    baseline: Comparison | None = None
    given: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """All that was found, in the order of the files."""
        return [finding for report in self.reports for finding in report.findings]

    def facts(self, filename: str) -> ModuleFacts | None:
        """What the rules were told of a file; ``None`` where it is gone or cannot be analysed."""
        source = self.source(filename)
        settings = self.settings.get(filename) or settings_for(Path(filename), self.given)
        return None if source is None else retold(source, settings)

    def source(self, filename: str) -> Source | None:
        """The text of a file by its name; ``None`` where it is gone."""
        return self.texts[filename] if filename in self.texts else source_of(filename)


def lint(paths: Sequence[str], given: dict[str, Any]) -> Outcome:
    """Lint what is named, the files in folders included; an interruption ends it with what it has.

    :param paths: files, folders, or ``-`` alone; empty for the current folder.
    :param given: the command's options.
    :raises SettingsError: where settings cannot be followed.
    """
    outcome = Outcome(given=given)
    try:
        if from_stdin(paths):
            _standard_input(outcome, given)
        else:
            _files(outcome, paths or ["."], given)
    except KeyboardInterrupt:
        outcome.interrupted = True
    return outcome


def _files(outcome: Outcome, paths: Sequence[str], given: dict[str, Any]) -> None:
    """What is found in files: told again where everything looks as it did, or looked for."""
    snapshot = None
    if any(map(os.path.isdir, paths)):
        from session_lint.snapshot import Snapshot  # noqa: PLC0415  (a hook names files)

        snapshot = Snapshot.of(paths, given)
    told = snapshot.told() if snapshot is not None and not given.get("verbose") else None
    if told is not None:
        outcome.reports = [FileReport(file, found, cached=True) for file, found in told]
        return
    _look_for(outcome, paths, given)
    if snapshot is not None and not outcome.missing and not any(map(unread, outcome.findings)):
        snapshot.keep([(r.path, r.findings) for r in outcome.reports], [settings for settings, _ in outcome.groups])


def _look_for(outcome: Outcome, paths: Sequence[str], given: dict[str, Any]) -> None:
    begun = time.perf_counter()
    if given.get("verbose"):
        stages.watch()
    outcome.groups, outcome.missing = groups(paths, given)
    outcome.settings = {str(file): settings for settings, files in outcome.groups for file in files}
    outcome.seconds["finding the files"] = time.perf_counter() - begun
    begun, named = time.perf_counter(), frozenset(map(Path, paths))
    try:
        with progress(sum(len(files) for _, files in outcome.groups), hidden=given["quiet"]) as step:
            for settings, files in outcome.groups:
                for report in lint_paths(files, settings, given["jobs"], named=named):
                    outcome.reports.append(report)
                    step()
    finally:
        outcome.reports.sort(key=lambda report: Path(report.path).parts)
        outcome.seconds["analysing them"] = time.perf_counter() - begun
        outcome.stages = stages.taken()


def _standard_input(outcome: Outcome, given: dict[str, Any]) -> None:
    source, failures, settings, data = stdin_source(given)
    name = given["stdin_filename"] or "<stdin>"
    outcome.texts[name], outcome.settings[name] = source, settings
    if source is not None and embeds(name):
        outcome.reports.append(lint_content(data, Path(name), settings))
        return
    findings = failures if source is None else lint_source(source, settings)
    outcome.reports.append(FileReport(name, tuple(findings)))
