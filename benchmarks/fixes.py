"""The fixes held against the corpus: what they make of real files, and whether they keep what they promise.

``python benchmarks/fixes.py`` carries out the fixes of all rules, once those that are safe and once all, without
writing into the corpus, and checks each result; ``--fidelity`` also checks that every file of the corpus comes back
from the concrete tree byte for byte. Its exit status is 1 where a check failed, 2 where there is no corpus.
``fixes.toml`` beside it has those that were read.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from corpus import ROOT, packages, python_files
from linters import RunError
from run import folders

from session_lint.engine import forget, lint_paths, lint_source
from session_lint.finding import Severity
from session_lint.fixes import CannotFix, rewritten
from session_lint.fixes.parsing import faithful, parsed
from session_lint.mend import Mended, attempt, mend
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import rule as unused_suppression
from session_lint.settings import EVERYTHING, Settings
from session_lint.source import SourceError, decode
from session_lint.writing import WriteError, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from session_lint.engine import FileReport
    from session_lint.finding import Finding, Fix
    from session_lint.source import Source

SETTINGS = Settings(extend_select=(EVERYTHING,), cache=False)  # a cache would be written into the corpus
SHARED = ("SES101", "SES102", "SES104", "SES201", "SES202")
FATES = ("safe", "unsafe", "refused", "untried")
WAYS = {"safe": False, "unsafe": True}
WEIGHT = {Severity.STYLE: 0, Severity.WARNING: 1, Severity.ERROR: 2}
PROCESSES = 2
STEP = 500
GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}  # nobody's settings touch line ends


class Failure(NamedTuple):
    """A promise that was not kept.

    :param file: where, relative to the corpus.
    :param what: what was expected and what is there instead, in one line.
    """

    file: str
    what: str


class Kind(NamedTuple):
    """What stays of a finding when lines move."""

    code: str
    symbol: str
    message: str


class Fate(NamedTuple):
    """What a finding offers for its cure: one of ``FATES``, and why it is not the best of them."""

    word: str
    reason: str


class Fidelity(NamedTuple):
    """What became of a file on its way through the concrete tree.

    :param refusal: why it is refused, in words; empty where it came back.
    :param failure: what went wrong; empty where nothing did.
    """

    file: str
    refusal: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Outcome:
    """One file whose fixes were carried out.

    :param file: its name, relative to the corpus.
    :param source: its text.
    :param before: its bytes.
    :param after: its bytes with the fixes; the same ones where nothing was mended, or it cannot be written.
    :param found: the findings before.
    :param mended: what :func:`mend` says.
    """

    file: str
    source: Source
    before: bytes
    after: bytes
    found: tuple[Finding, ...]
    mended: Mended


def kinds(findings: Iterable[Finding]) -> Counter[Kind]:
    """How many findings there are of each kind."""
    return Counter(Kind(f.code, f.symbol, re.sub(r"\d+", "", f.message)) for f in findings)


def normalised(reason: str) -> str:
    """A reason without the lines and names of one file, so that equal ones can be counted."""
    return re.sub(r"\d+", "N", re.sub(r"'[^']*'|\"[^\"]*\"", "'…'", reason))


def lingering(before: Iterable[Finding], applied: Iterable[Finding], after: Iterable[Finding]) -> list[Kind]:
    """The kinds of mended findings of which more are left than should be."""
    done, left = kinds(applied), kinds(after)
    expected = kinds(before) - done
    return sorted(kind for kind in done if left[kind] > expected[kind])


def brought(before: Iterable[Finding], after: Iterable[Finding]) -> list[Finding]:
    """The findings that were not there before; a comment that silences nothing any more has done its work."""
    new = kinds(after) - kinds(before)
    return [f for f in after if kinds([f]).keys() & new.keys() and f.code != unused_suppression.code]


def heavy(new: Iterable[Finding], applied: Sequence[Finding]) -> list[Finding]:
    """Those of some new findings that weigh as much as the heaviest that was mended."""
    limit = max((WEIGHT[f.severity] for f in applied), default=0)
    return [f for f in new if WEIGHT[f.severity] >= limit]


def fate(source: Source, finding: Finding) -> Fate:
    """What a finding offers, as the report for machines tells it: a fix that the text does not take is none."""
    fix: Fix | None = finding.fix
    if fix is None:
        return Fate("refused" if finding.refusal else "untried", normalised(finding.refusal))
    try:
        attempt(source, partial(rewritten, source, fix))
    except CannotFix as error:
        return Fate("refused", normalised(error.reason))
    return Fate(fix.applicability.value, normalised(fix.reason))


def carried_out(file: str, path: Path, found: tuple[Finding, ...], *, unsafe: bool) -> Outcome:
    """The fixes of one file, carried out in memory."""
    before = path.read_bytes()
    source = decode(str(path), before)
    mended = mend(source, SETTINGS, unsafe=unsafe)
    try:
        kept = encoded(source.text, before, source.encoding) == before
        after = encoded(mended.text, before, source.encoding) if kept and mended.text != source.text else before
    except WriteError:
        after = before
    return Outcome(file, source, before, after, found, mended)


def faults(outcome: Outcome, *, unsafe: bool) -> Iterator[str]:
    """What is wrong with a result. The findings are looked for anew, without what was known while mending."""
    mended = outcome.mended
    yield from (problem for problem in mended.problems if "internal error" in problem)
    if (mended.text != outcome.source.text) != bool(mended.applied):
        yield f"{len(mended.applied)} findings mended, and the text is {_changed(outcome)}"
    if not mended.applied:
        return
    if outcome.after == outcome.before:
        yield "the result cannot be written in the file's encoding"
        return
    try:
        after = decode(outcome.source.filename, outcome.after)
    except SourceError as error:
        yield f"the result cannot be read: {error.message}"
        return
    if after.text != mended.text:
        yield "the result is not the same text when it is read again"
    if compiles(outcome.source) and not compiles(after):
        yield "the result does not compile"
    left = tuple(lint_source(after, SETTINGS))
    yield from _wrong(outcome, left)
    again = mend(after, SETTINGS, unsafe=unsafe)
    if again.text != after.text:
        codes = ", ".join(f.code for f in again.applied)
        yield f"running again changes the file again ({codes})"


def _changed(outcome: Outcome) -> str:
    return "the same" if outcome.mended.text == outcome.source.text else "another one"


def _wrong(outcome: Outcome, left: tuple[Finding, ...]) -> Iterator[str]:
    """What is wrong with the findings of a result."""
    mended = outcome.mended
    for kind in lingering(outcome.found, mended.applied, left):
        yield f"{kind.code} in {kind.symbol!r} was mended and is still there: {kind.message}"
    for finding in heavy(brought(outcome.found, left), mended.applied):
        yield f"line {finding.location.row} of the result has a new {finding.code}: {finding.message}"
    said, seen = ([(f.code, f.location, f.message) for f in findings] for findings in (mended.left, left))
    if said != seen:
        yield f"{len(said)} findings are said to be left, a new run finds {len(seen)}, or others"


def compiles(source: Source) -> bool:
    """Whether a text is a program: some that parse are none, with a ``return`` outside a function."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.parse(), source.filename, "exec", dont_inherit=True)
    except (SourceError, SyntaxError, ValueError):
        return False
    return True


def command_faults(root: Path, outcomes: Sequence[Outcome], *, unsafe: bool) -> Iterator[Failure]:
    """What is wrong with the diff that the command shows: it must apply, and give the very same bytes."""
    words = ["fix", "--diff", "--isolated", "--no-cache", "--extend-select", EVERYTHING]
    command = [sys.executable, "-m", "session_lint", *words, *(["--unsafe"] if unsafe else [])]
    names = [outcome.file for outcome in outcomes]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [*command, *names], cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode not in (0, 1):
        yield Failure("(command)", f"status {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    yield from diff_faults(done.stdout, outcomes)


def diff_faults(diff: bytes, outcomes: Iterable[Outcome]) -> Iterator[Failure]:
    """Where a diff does not lead from what files hold to what they should, in a copy of them."""
    with tempfile.TemporaryDirectory() as scratch:
        copies = {Path(scratch, outcome.file): outcome for outcome in outcomes}
        for copy, outcome in copies.items():
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(outcome.before)
        for option in ("--check", "--apply") if diff else ():
            complaints = _git_apply(diff, Path(scratch), option)
            yield from (Failure("(diff)", f"git apply {option}: {line}") for line in complaints)
        for copy, outcome in copies.items():
            if copy.read_bytes() != outcome.after:
                yield Failure(outcome.file, "the command's diff gives something else than the fixes do")


def _git_apply(diff: bytes, folder: Path, option: str) -> list[str]:
    environment = {**os.environ, **GIT, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    done = subprocess.run(
        ["git", "apply", option, "--whitespace=nowarn", "-"],  # noqa: S607  # the user's own
        cwd=folder,
        env=environment,
        input=diff,
        capture_output=True,
        check=False,
    )
    return done.stderr.decode(errors="replace").splitlines() or ["failed"] if done.returncode else []


def fidelity(path: Path, root: Path = ROOT) -> Fidelity:
    """One file through the concrete tree and back. Raises nothing: this runs in a process of its own."""
    file, text = path.relative_to(root).as_posix(), ""
    try:
        before = path.read_bytes()
        source = decode(file, before)
        text = source.text
        code = attempt(source, lambda: faithful(text, parsed(text).module.code))
        same = encoded(code, before, source.encoding) == before
        return Fidelity(file, failure="" if same else "the bytes that come back are others")
    except (SourceError, WriteError) as error:
        return Fidelity(file, refusal=str(error))
    except CannotFix as error:
        return Fidelity(file, error.reason, error.reason if "internal error" in error.reason else "")
    except Exception as error:  # noqa: BLE001  # whatever it is, it is this file's and the others go on
        return Fidelity(file, failure=f"{type(error).__name__}: {error}".partition("\n")[0])


def fidelities(paths: Sequence[Path], root: Path = ROOT, processes: int = PROCESSES) -> Iterator[Fidelity]:
    """All files through the concrete tree and back, in their order."""
    work = partial(fidelity, root=root)
    if processes == 1:
        yield from map(work, paths)
        return
    done = 0
    with ProcessPoolExecutor(processes) as pool:
        try:
            for answer in pool.map(work, paths, chunksize=16):
                yield answer
                done += 1
                if done % STEP == 0 or done == len(paths):
                    print(f"{done:,} of {len(paths):,} files", file=sys.stderr, flush=True)
        except BrokenProcessPool:
            file = paths[done].relative_to(root).as_posix()
            yield Fidelity(file, failure="a process died at this file, or at one soon after it")


def tried(reports: Sequence[FileReport], root: Path, *, unsafe: bool) -> tuple[list[Outcome], list[Failure]]:
    """The fixes of all files, and what is wrong with what they make."""
    outcomes, failures = [], []
    for report in reports:
        if any(finding.fix is not None for finding in report.findings):
            file = Path(report.path).relative_to(root).as_posix()
            try:
                outcomes.append(carried_out(file, Path(report.path), report.findings, unsafe=unsafe))
            except Exception:  # noqa: BLE001  # that it happens is the answer
                failures.append(Failure(file, f"mending raised\n{traceback.format_exc()}"))
    forget()
    for outcome in outcomes:
        try:
            failures += [Failure(outcome.file, fault) for fault in faults(outcome, unsafe=unsafe)]
        except Exception:  # noqa: BLE001  # here, too
            failures.append(Failure(outcome.file, f"looking at the result raised\n{traceback.format_exc()}"))
    failures += command_faults(root, outcomes, unsafe=unsafe) if outcomes else []
    return outcomes, failures


def internal_errors(reports: Iterable[FileReport], root: Path) -> list[Failure]:
    """The files whose first look ended in a fault of the tool."""
    return [
        Failure(Path(report.path).relative_to(root).as_posix(), finding.message)
        for report in reports
        for finding in report.findings
        if finding.code == not_analysed.code and "internal error" in finding.message
    ]


def fates(reports: Iterable[FileReport], codes: tuple[str, ...] = SHARED) -> Counter[tuple[str, Fate]]:
    """How many findings of each rule offer what, and why."""
    counts: Counter[tuple[str, Fate]] = Counter()
    for report in reports:
        chosen = [finding for finding in report.findings if finding.code in codes]
        if chosen:
            source = decode(report.path, Path(report.path).read_bytes())
            counts.update((finding.code, fate(source, finding)) for finding in chosen)
    return counts


def outcome_table(runs: Mapping[str, Sequence[Outcome]]) -> str:
    """What the fixes did, a column for each way to run them."""
    rows = [f"{'carried out':<38}" + "".join(f"{way:>9}" for way in runs)]
    figures = {
        "files with a finding that has a fix": [len(outcomes) for outcomes in runs.values()],
        "files changed": [sum(o.after != o.before for o in outcomes) for outcomes in runs.values()],
        "findings mended": [sum(len(o.mended.applied) for o in outcomes) for outcomes in runs.values()],
    }
    counted = [Counter(f.code for o in outcomes for f in o.mended.applied) for outcomes in runs.values()]
    for code in sorted(set(chain.from_iterable(counted))):
        figures[f"  {code}"] = [counts[code] for counts in counted]
    figures["fixes not carried out after all"] = [sum(len(o.mended.problems) for o in run) for run in runs.values()]
    come = [Counter(f.code for o in run for f in brought(o.found, o.mended.left)) for run in runs.values()]
    figures["new findings that weigh less"] = [counts.total() for counts in come]
    for code in sorted(set(chain.from_iterable(come))):
        figures[f"  new {code}"] = [counts[code] for counts in come]
    rows += [f"{name:<38}" + "".join(f"{n:>9,}" for n in numbers) for name, numbers in figures.items()]
    return "\n".join([*rows, *_not_carried_out(runs)])


def _not_carried_out(runs: Mapping[str, Sequence[Outcome]]) -> Iterator[str]:
    """The fixes that were offered and then not carried out, each with its place."""
    for way, outcomes in runs.items():
        for outcome in outcomes:
            yield from (f"not carried out ({way}): {outcome.file}:{problem}" for problem in outcome.mended.problems)


def fate_table(counts: Mapping[tuple[str, Fate], int], codes: tuple[str, ...] = SHARED) -> str:
    """How many findings of each rule get which kind of fix, then the reasons, the commonest first."""
    rows = [f"{'rule':<8}{'findings':>9}" + "".join(f"{word:>15}" for word in FATES)]
    for code in codes:
        own = {word: sum(n for (c, f), n in counts.items() if (c, f.word) == (code, word)) for word in FATES}
        every = sum(own.values())
        rows.append(f"{code:<8}{every:>9}" + "".join(f"{_share(n, every):>15}" for n in own.values()))
    for (code, found), number in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        if found.reason:
            rows.append(f"{number:>5}  {code} {found.word}: {found.reason}")
    return "\n".join(rows)


def _share(number: int, every: int) -> str:
    return f"{number} ({number / every:.0%})" if every else "-"


def fidelity_table(answers: Sequence[Fidelity]) -> str:
    """How many files come back, and which are refused and why."""
    refused = [answer for answer in answers if answer.refusal and not answer.failure]
    same = sum(not (answer.refusal or answer.failure) for answer in answers)
    rows = [f"{len(answers):,} files: {same:,} come back byte for byte, {len(refused):,} are refused in words"]
    for reason, number in Counter(normalised(answer.refusal) for answer in refused).most_common():
        rows.append(f"{number:>5}  {reason}")
        rows += [f"         {answer.file}" for answer in refused if normalised(answer.refusal) == reason]
    return "\n".join(rows)


def held(paths: Sequence[Path], root: Path = ROOT) -> tuple[str, list[Failure]]:
    """The report on the fixes of some files, and what failed; a failure names the way in which it came about."""
    reports = list(lint_paths(paths, SETTINGS))
    failures = internal_errors(reports, root)
    runs = {}
    for way, unsafe in WAYS.items():
        runs[way], failed = tried(reports, root, unsafe=unsafe)
        failures += [Failure(failure.file, f"{way}: {failure.what}") for failure in failed]
    return f"{outcome_table(runs)}\n\n{fate_table(fates(reports))}", failures


def main() -> int:
    """Hold the fixes against the corpus; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--fidelity", action="store_true", help="send every file through the concrete tree, too (slow)")
    options = parser.parse_args()
    try:
        folders()
    except RunError as error:
        print(error, file=sys.stderr)
        return 2
    paths = [path for package in packages() for path in python_files(package)]
    text, failures = held(paths)
    print(f"{len(paths):,} files\n\n{text}", flush=True)
    if options.fidelity:
        answers = list(fidelities(paths))
        failures += [Failure(answer.file, f"fidelity: {answer.failure}") for answer in answers if answer.failure]
        print(f"\n{fidelity_table(answers)}")
    print(f"\nfailures: {len(failures)}")
    for failure in failures:
        print(f"  {failure.file}: {failure.what}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
