"""How long the corpus takes, and what is found in it, beside other linters in the same run.

``python benchmarks/run.py`` fetches what is missing of the corpus, runs everything in turn, round by round, prints
tables and writes ``benchmarks/results.json`` (the figures), ``docs/performance.md`` with its charts (``page.py``), and
``findings.json`` in the folder of the corpus (the findings, which ``verdicts.py`` reads). Pylint, pyflakes, semgrep and
leakguard-ast take part where they are installed. A group of linters ends with the round in which its time is up; what
counts of each linter is its quickest round. The exit status is 1 where a file could not be analysed for a fault of the
tool, 2 where a linter does not run, or session-lint finds something else with a cache or on one process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import linters
import page
from corpus import ROOT, CorpusError, Package, fetch, packages
from linters import Linter, RunError, script
from measure import Cost, cost

if TYPE_CHECKING:
    from collections.abc import Sequence

FINDINGS = ROOT / "findings.json"
GROUPS = {
    "corpus": ((), linters.WHOLE),
    "part": (("argilla-server",), linters.PART),
    "flake8 with sessions": (("argilla-server", "optuna"), linters.IN_FLAKE8),
    "flake8 without sessions": (("docutils", "requests", "rich"), linters.IN_FLAKE8),
}
"""What is run on what: packages, none for the whole corpus, and linters."""
MINUTES = 1.5


def timed(command: list[str]) -> tuple[float, str]:
    """Run a linter in the corpus folder.

    :returns: wall seconds and its standard output.
    :raises RunError: where its status is neither 0 nor 1.
    """
    start = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise RunError(f"{' '.join(command[:4])} …: status {done.returncode}\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def folders() -> list[str]:
    """The unpacked packages, by name."""
    missing = [package.name for package in packages() if not package.folder.is_dir()]
    if missing:
        raise RunError(f"not fetched yet: {', '.join(missing)} (run benchmarks/corpus.py)")
    return [package.folder.name for package in packages()]


def session_lint(*options: str) -> list[dict[str, Any]]:
    """What ``session-lint check`` finds in the corpus, each with the edits that would mend it."""
    command = [script("session-lint"), "check", "--isolated", "--output-format", "json", *options, *folders()]
    return json.loads(timed(command)[1])  # type: ignore[no-any-return]


class Race:
    """Linters that run in turn on the same folders.

    :param root: the folder of the corpus.
    :param names: of the folders in it.
    """

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self.root = root
        self.names = names
        self.runs: dict[Linter, list[Cost]] = {}
        self.missing: list[str] = []
        self.load = os.getloadavg()[0]

    def run(self, runners: Sequence[Linter], minutes: float) -> None:
        """Rounds until the time is up, one at least.

        :raises RunError: where a linter that everybody has is missing, or one ends in an unexpected way.
        """
        end = time.monotonic() + minutes * 60
        while not self.runs or time.monotonic() < end:
            for linter in runners:
                if linter.name not in self.missing and not (linter.once and linter in self.runs):
                    self._once(linter)
            print(f"  round {max(map(len, self.runs.values()))}", flush=True)

    def _once(self, linter: Linter) -> None:
        shutil.rmtree(self.root / ".session_lint_cache", ignore_errors=True)
        with TemporaryDirectory() as cache:
            try:
                command = linter.command(self.names, Path(cache))
            except RunError:
                if linter.package in ("session-lint", "ruff", "flake8"):
                    raise
                command = []
            if not command or not _installed(command, linter.package):
                self.missing.append(linter.name)
                return
            for _ in range(linter.warm):
                cost(command, self.root, XDG_CACHE_HOME=cache)
            ran = cost(command, self.root, XDG_CACHE_HOME=cache)  # nothing that earlier runs kept helps a cold one
            if ran.status not in linter.statuses:
                raise RunError(f"{linter.name}: status {ran.status}\n{ran.error[-2000:]}")
            self.runs.setdefault(linter, []).append(ran)
        shutil.rmtree(self.root / ".session_lint_cache", ignore_errors=True)

    def results(self) -> dict[str, Any]:
        """The figures of the quickest rounds."""
        paths = [path for name in self.names for path in Path(self.root, name).rglob("*.py")]
        return {
            "packages": list(self.names),
            "files": len(paths),
            "lines": sum(path.read_bytes().count(b"\n") for path in paths),
            "rounds": max(map(len, self.runs.values())),
            "day": time.strftime("%Y-%m-%d"),
            "load": round(self.load, 1),
            "missing": self.missing,
            "runs": {linter.name: _quickest(linter, runs) for linter, runs in self.runs.items()},
        }


def _quickest(linter: Linter, runs: Sequence[Cost]) -> dict[str, Any]:
    return {
        "seconds": round(min(run.seconds for run in runs), 3),
        "processor": round(min(run.processor for run in runs), 3),
        "peak": max(run.peak for run in runs),
        "findings": dict(sorted(Counter(linters.codes(linter, runs[-1].out)).items())),
    }


def _installed(command: list[str], package: str) -> bool:
    """Whether what a command runs is there; a script that was found is."""
    if command[1] != "-m":
        return True
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def versions() -> dict[str, str]:
    """The versions of the linters: those of this environment, and what the others say of themselves."""
    found = {}
    for name in ("session-lint", "ruff", "flake8", "pyflakes", "pylint", "semgrep", "leakguard-ast"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            words = {"semgrep": ["semgrep", "--version"], "leakguard-ast": ["leakguard", "version"]}.get(name)
            if words and shutil.which(words[0]):
                said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
                found[name] = next(iter(re.findall(r"\d+\.\d[\w.]*", said)), "?")
    return found


def same(race: Race) -> None:
    """Whether session-lint says the same in whatever way it is run.

    :raises RunError: where it does not.
    """
    own = [linter for linter in race.runs if linter.package == "session-lint"]
    said = {linter.name: {run.out for run in race.runs[linter]} for linter in own}
    if len({out for outs in said.values() for out in outs}) > 1:
        raise RunError(f"not the same findings: {', '.join(said)}")


def internal_errors(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The SES900 findings that are a fault of the tool, not of the file."""
    return [found for found in findings if found["code"] == "SES900" and "internal error" in found["message"]]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), help="of the groups of linters")
    parser.add_argument("--packages", nargs="+", metavar="NAME", help="in place of each group's own packages")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of each group, after which no round begins")
    parser.add_argument("--corpus", type=Path, default=ROOT, metavar="DIR", help="where it is unpacked")
    parser.add_argument("--only-own", action="store_true", help="only renew findings.json, with session-lint alone")
    return parser.parse_args()


def main() -> int:
    """Run everything; see the head of this file."""
    options = _options()
    try:
        if not options.only_own:
            _race(options)
        if options.corpus != ROOT or options.packages or "corpus" not in options.only:
            return 0
        findings = session_lint("--no-cache")
    except (RunError, CorpusError) as error:
        print(error, file=sys.stderr)
        return 2
    FINDINGS.write_text(json.dumps(findings, indent=1) + "\n", "utf-8")
    broken = internal_errors(findings)
    print(f"\ninternal errors (SES900): {len(broken)}")
    for found in broken:
        print(f"  {found['filename']}: {found['message']}")
    return 1 if broken else 0


def _race(options: argparse.Namespace) -> None:
    """Run the groups, and write and print the figures."""
    known = json.loads(page.RESULTS.read_text("utf-8")) if page.RESULTS.exists() else {"groups": {}}
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), "linters": versions()}
    groups = known["groups"]
    for name in options.only:
        wanted, runners = GROUPS[name]
        race = Race(options.corpus, [package.folder.name for package in _chosen(options.packages or wanted, options)])
        print(f"{name}: {', '.join(race.names)}", flush=True)
        race.run(runners, options.minutes)
        same(race)
        groups[name] = race.results()
        print(page.figures(groups[name]), flush=True)
        page.RESULTS.write_text(json.dumps({"groups": groups, **machine}, indent=1) + "\n", "utf-8")
    page.write()


def _chosen(names: Sequence[str], options: argparse.Namespace) -> list[Package]:
    """The packages of some names, all that use SQLAlchemy for none; fetched where they are not there."""
    known = [*packages(), *packages(kind="plain")]
    if unknown := set(names) - {package.name for package in known}:
        raise RunError(f"not in corpus.toml: {', '.join(sorted(unknown))}")
    chosen = [package for package in known if package.name in names] if names else packages()
    for package in chosen:
        if options.corpus == ROOT:
            fetch(package)
        elif not (options.corpus / package.folder.name).is_dir():
            raise RunError(f"{options.corpus} has no {package.folder.name}")
    return chosen


if __name__ == "__main__":
    raise SystemExit(main())
