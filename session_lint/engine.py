"""The run: from files to findings, in order, on as many processes as it is worth.

Nothing that one file does hides the others: what cannot be read, decoded or parsed, and whatever goes wrong inside the
tool, is that file's own SES900.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from session_lint import keeping
from session_lint.documents import embeds, modules, placed
from session_lint.finding import Location
from session_lint.keeping import drawer
from session_lint.python.modules import module_name
from session_lint.python.project import root_of_project
from session_lint.python.remembered import forget_some
from session_lint.rules import catalogue
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.signs import imported, touches
from session_lint.source import SourceError, decode
from session_lint.stages import stage
from session_lint.suppress import heard, names_codes
from session_lint.values import dataclass

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from session_lint.analysis import ModuleFacts
    from session_lint.analysis.glossary import Entry
    from session_lint.finding import Finding
    from session_lint.keeping import Drawer
    from session_lint.rule import Rule
    from session_lint.settings import Settings
    from session_lint.source import Source

Answer = TypeVar("Answer")

FEW = 48  # files that are linted sooner than processes are started


@dataclass(frozen=True)
class FileReport:
    """What was found in one file.

    :param path: as it was named.
    :param findings: in the order of their places.
    :param cached: whether an earlier run found them.
    """

    path: str
    findings: tuple[Finding, ...]
    cached: bool = False


def lint_source(
    source: Source,
    settings: Settings,
    tree: ast.Module | None = None,
    *,
    noqa: bool = True,
) -> list[Finding]:
    """The findings in one module's text.

    :param tree: its syntax tree, where the caller has it already.
    :param noqa: whether flake8's comments count, too.
    :returns: the selected findings, in the order of their places; one SES900 where the text could not be analysed.
        Raises nothing.
    """
    findings = _guarded(source.filename, lambda: _found(source, settings, tree))
    return _said(source, findings, settings, noqa=noqa)


@stage("asking the rules")
def lint_file(path: Path, settings: Settings, *, thorough: bool = True) -> FileReport:
    """The findings in one file, from the cache where it has them. Raises nothing.

    :param thorough: whether it is parsed even where no word of it has to do with sessions, to tell of errors.
    """
    try:
        return _lint_file(path, settings, thorough=thorough)
    except Exception as error:  # noqa: BLE001  (whatever it is, it must not hide what other files have)
        return FileReport(str(path), tuple(_wanted(str(path), settings, _broken(str(path), error))))


def _lint_file(path: Path, settings: Settings, *, thorough: bool) -> FileReport:
    filename = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        return FileReport(filename, tuple(failed(filename, settings, f"cannot be read: {error.strerror or error}")))
    if embeds(filename):
        return _lint_embedded(data, path, settings, thorough=thorough)
    if not thorough:
        reason = _passed_over(data, path, settings)
        if reason is not None:
            return FileReport(filename, tuple(reason))
    return lint_content(data, path, settings)


def _passed_over(data: bytes, path: Path, settings: Settings, source: Source | None = None) -> list[Finding] | None:
    """What there is to say of a file in which no word has to do with sessions; ``None`` where one may.

    Nor has it to do with sessions if it is no Python; that it is no text is told all the same.

    :param source: its text, where the caller has it already.
    """
    try:
        if concerned(data, path, settings):
            return None
        source = source or decode(str(path), data)
        return None if "\0" in source.text else unconcerned(source, settings)
    except (SourceError, RecursionError, MemoryError):
        return None


def unconcerned(source: Source, settings: Settings, *, noqa: bool = True) -> list[Finding]:
    """What there is to say of a text in which no word has to do with sessions: of comments that silence nothing."""
    return _said(source, [], settings, noqa=noqa) if names_codes(source.text) else []


def concerned(data: bytes, path: Path, settings: Settings) -> bool:
    """Whether any word of a file's content may have to do with sessions."""
    from session_lint.vocabulary import vocabulary  # noqa: PLC0415  (what was found may hold still)

    words = vocabulary(settings.vocabulary)
    if settings.whole_project and not imported(data, path, words.sources):
        return touches(data.decode("latin-1"))
    from session_lint.analysis import concerns, concerns_alone  # noqa: PLC0415  (where no session comes from anywhere)

    if not settings.whole_project:
        return concerns_alone(data, words)
    if settings.cache:
        keeping.introduce(path, settings)
    return concerns(data, path, words)


def prepare(path: Path, settings: Settings) -> None:
    """Learn beforehand what all files of a file's project need, so that processes that are forked then have it."""
    concerned(b"", path, settings)


def describe(path: Path, settings: Settings) -> tuple[list[Entry], list[Finding]]:
    """What one file defines that has to do with sessions, and why it could not be read. Raises nothing."""
    from session_lint.analysis.glossary import glossary  # noqa: PLC0415  (seldom)

    told, failures = ask(path, settings, glossary)
    return told or [], failures


def ask(
    path: Path, settings: Settings, question: Callable[[ModuleFacts], Answer]
) -> tuple[Answer | None, list[Finding]]:
    """What the facts of one file answer to a question, or why it could not be asked. Raises nothing.

    Of a notebook or a Markdown file nothing is asked: what it defines, nothing can import.
    """
    filename = str(path)
    if embeds(filename):
        return None, []
    told: list[Answer] = []

    def work() -> list[Finding]:
        told[:] = [question(facts_of(decode(filename, data), settings))]
        return []

    try:
        data = path.read_bytes()
    except OSError as error:
        return None, failed(filename, settings, f"cannot be read: {error.strerror or error}")
    failures = _wanted(filename, settings, _guarded(filename, work))
    return (told[0] if told else None), failures


def lint_content(
    data: bytes, path: Path, settings: Settings, tree: ast.Module | None = None, *, noqa: bool = True
) -> FileReport:
    """The findings in a file's content, from the cache where it has them. Raises nothing.

    What is kept is what was found before anything is silenced, which flake8 and the command do each in their way.

    :param tree: its syntax tree, where the caller has it already.
    :param noqa: whether flake8's comments count, too.
    """
    filename = str(path)
    if embeds(filename):
        return _lint_embedded(data, path, settings, noqa=noqa)
    place = drawer(data, path, settings)
    kept = place.get() if place else None
    if kept == () and not names_codes(data.decode("latin-1")):  # what could matter in there is ASCII
        return FileReport(filename, kept, cached=True)
    try:
        source = decode(filename, data)
    except SourceError as error:
        return FileReport(filename, tuple(failed(filename, settings, error.message, error.location)))
    return _lint_module(source, place, kept, settings, tree, noqa=noqa)


def _lint_embedded(
    data: bytes, path: Path, settings: Settings, *, noqa: bool = True, thorough: bool = True
) -> FileReport:
    """The findings in the modules that a file of another kind holds, each in the place where it is in the file.

    :param thorough: whether those are parsed, too, in which no word has to do with sessions.
    """
    filename = str(path)
    try:
        sources = modules(filename, data)
    except SourceError as error:
        return FileReport(filename, tuple(failed(filename, settings, error.message, error.location)))
    found: list[Finding] = []
    cached = bool(sources)
    for source in sources:
        text = source.text.encode(errors="surrogatepass")
        reason = None if thorough else _passed_over(text, path, settings, source)
        if reason is not None:
            found += [placed(finding, source) for finding in reason]
            cached = False
            continue
        content = f"{source.cells}\n{source.text}".encode(errors="surrogatepass")  # messages tell of cells, too
        place = drawer(content, path, settings)
        report = _lint_module(source, place, place.get() if place else None, settings, None, noqa=noqa)
        found += [placed(finding, source) for finding in report.findings]
        cached = cached and report.cached
    return FileReport(filename, tuple(_in_order(found)), cached)


def _lint_module(
    source: Source,
    place: Drawer | None,
    kept: tuple[Finding, ...] | None,
    settings: Settings,
    tree: ast.Module | None,
    *,
    noqa: bool,
) -> FileReport:
    filename = source.filename
    evidence: dict[str, bytes] = {}

    def work() -> list[Finding]:
        told = keeping.unconcerned(source, settings, place) if tree is None else None
        if told is None:
            return _found(source, settings, tree, evidence if place else None)
        source.parse()  # what is no Python is told in any case
        evidence.update(told)
        return []

    found = list(kept) if kept is not None else _guarded(filename, work)
    if place and kept is None and _analysed(found):  # else the next run may have more memory
        place.put(tuple(found), evidence)
    said = _said(source, found, settings, noqa=noqa)
    return FileReport(filename, tuple(said), cached=kept is not None)


def forget() -> None:
    """Read everything but the text at hand anew from now on: a run is over, files may change."""
    keeping.forget()


def lint_paths(
    paths: Sequence[Path], settings: Settings, jobs: int = 0, *, named: Collection[Path] | None = None
) -> Iterator[FileReport]:
    """The findings in files, one report each, in the order of the files, as things stand now.

    :param jobs: how many processes; 0 for as many as there are processors, where the files are more than a few.
    :param named: those that are parsed even where no word of them has to do with sessions, to tell of errors in them;
        ``None`` for all. Nothing else differs.
    """
    forget()
    thorough = frozenset(paths if named is None else named)
    processes = min(jobs or (_processors() if len(paths) > FEW else 1), len(paths))
    if processes > 1:
        from session_lint.parallel import lint_on  # noqa: PLC0415  (most runs are of a few files)

        yield from lint_on(processes, paths, settings, thorough)
        return
    roots = [root_of_project(path) for path in paths]
    last = {root: index for index, root in enumerate(roots)}
    for index, path in enumerate(paths):
        yield lint_file(path, settings, thorough=path in thorough)
        if last[roots[index]] == index != len(paths) - 1:  # the last one goes with the process, or the next run
            keeping.leave(roots[index])


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _found(
    source: Source, settings: Settings, tree: ast.Module | None, evidence: dict[str, bytes] | None = None
) -> list[Finding]:
    """What the selected rules say, and what could not be analysed.

    :param evidence: is told what that rests on beside the text.
    """
    facts = facts_of(source, settings, tree)
    findings: list[Finding] = []
    for rule in _running(settings, source.filename) if facts.module is not None else ():  # else it opens no session
        said = _asked(rule, facts)
        findings += [
            f for f in said if f.code != not_analysed.code or f not in findings
        ]  # what went wrong is told once
    if evidence is not None:
        evidence.update(facts.evidence)
    forget_some()
    return _in_order(findings)


def _running(settings: Settings, filename: str) -> list[Rule]:
    """The rules that are asked about a file; what could not be analysed is told in any case."""
    selected = _selected(settings, filename)
    return [rule for code, rule in catalogue().items() if code in selected or rule is not_analysed]


def _asked(rule: Rule, facts: ModuleFacts) -> list[Finding]:
    """What one rule says; what goes wrong in it hides nothing of the others."""
    try:
        return list(rule.check(facts))
    except (RecursionError, MemoryError, SourceError):
        raise  # a deeper stack may help
    except Exception as error:  # noqa: BLE001  (whatever it is, it is this rule's)
        return _broken(facts.source.filename, error)


def _broken(filename: str, error: Exception) -> list[Finding]:
    """The finding that says that the tool itself has failed."""
    reason = f"internal error: {type(error).__name__}: {error}".rstrip(": ")
    return [not_analysed.finding_at(filename, Location(1, 1), reason=reason)]


def _said(source: Source, found: list[Finding], settings: Settings, *, noqa: bool) -> list[Finding]:
    """What of the findings is reported: not those that comments silence, but the comments that silence nothing."""

    def work() -> list[Finding]:
        idle = _idle(source, found, settings) if names_codes(source.text) and _analysed(found) else []
        return heard(source, _in_order([*found, *idle]) if idle else found, noqa=noqa)

    return _wanted(source.filename, settings, _guarded(source.filename, work))


def _idle(source: Source, found: list[Finding], settings: Settings) -> list[Finding]:
    """What is to be said of comments that silence nothing."""
    from session_lint.rules.unused_suppression import rule  # noqa: PLC0415  (few texts have comments for us)
    from session_lint.suppress.idle import unused  # noqa: PLC0415

    if not settings.selected(rule, source.filename):
        return []
    return unused(source, found, _selected(settings, source.filename), require_reason=settings.require_reason)


def _selected(settings: Settings, filename: str) -> frozenset[str]:
    """The codes of the rules that run on a file."""
    return frozenset(code for code, rule in catalogue().items() if settings.selected(rule, filename))


def unread(finding: Finding) -> bool:
    """Whether a finding says that a file could not be analysed, which the next run may find otherwise."""
    return finding.code == not_analysed.code


def _analysed(found: Iterable[Finding]) -> bool:
    """Whether the findings are all that there is to say of a file."""
    return not any(map(unread, found))


def _in_order(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.location, finding.code))


def facts_of(source: Source, settings: Settings, tree: ast.Module | None = None) -> ModuleFacts:
    """What the rules are told of a module, with its project around it where the settings say so.

    :raises SourceError: where the text cannot be parsed.
    """
    from session_lint.analysis import analyse, analyse_file  # noqa: PLC0415  (what was found before may hold still)
    from session_lint.vocabulary import vocabulary  # noqa: PLC0415

    words, path = vocabulary(settings.vocabulary), Path(source.filename)
    if settings.whole_project:
        return analyse_file(source, tree, path, words)
    return analyse(source, source.parse() if tree is None else tree, module_name(path), words)


def retold(source: Source, settings: Settings) -> ModuleFacts | None:
    """The facts of a module that has been linted before, for those who show them; ``None`` where there are none."""
    try:
        return facts_of(source, settings)
    except Exception:  # noqa: BLE001  (SES900 has said it)
        return None


def _guarded(filename: str, work: Callable[[], list[Finding]]) -> list[Finding]:
    """The answer of some work, whatever happens in it; what needs a deep stack gets one."""
    try:
        try:
            return work()
        except (RecursionError, MemoryError):
            return _deeply(work)
        except SourceError as error:
            if not isinstance(error.__context__, (RecursionError, MemoryError)):
                raise
            return _deeply(work)
    except SourceError as error:
        return [not_analysed.finding_at(filename, error.location, reason=error.message)]
    except Exception as error:  # noqa: BLE001  (whatever it is, it is this file's and not the run's)
        return _broken(filename, error)


def _deeply(work: Callable[[], list[Finding]]) -> list[Finding]:
    from session_lint.deep import deeply  # noqa: PLC0415  (few texts need it)

    return deeply(work)


def failed(filename: str, settings: Settings, reason: str, location: Location = Location(1, 1)) -> list[Finding]:  # noqa: B008
    """A file's SES900, where it is wanted."""
    return _wanted(filename, settings, [not_analysed.finding_at(filename, location, reason=reason)])


def _wanted(filename: str, settings: Settings, findings: list[Finding]) -> list[Finding]:
    """The findings, with SES900 unless it was ignored: what is only not selected must not look clean."""
    if _analysed(findings) or not settings.ignored(not_analysed, filename):
        return findings
    return [finding for finding in findings if finding.code != not_analysed.code]
