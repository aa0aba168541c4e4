"""How long the corpus takes, and what is found in it, beside ruff and flake8 in the same run.

``python benchmarks/run.py`` prints a table and writes ``benchmarks/results.json`` (the figures) and
``benchmarks/.corpus/findings.json`` (the findings, which ``verdicts.py`` reads). Its exit status is 1 where a file
could not be analysed for a fault of the tool, 2 where a linter does not run.
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
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus import HERE, ROOT, packages, python_files

if TYPE_CHECKING:
    from collections.abc import Iterable

FINDINGS = ROOT / "findings.json"
PLAIN_FLAKE8 = """
import importlib.metadata as metadata, multiprocessing
found = metadata.distributions
metadata.distributions = lambda **words: (d for d in found(**words) if d.metadata["Name"] != "session-lint")
multiprocessing.set_start_method("fork")  # so that the workers miss the plugin too
from flake8.main.cli import main
raise SystemExit(main())
"""


_CODE = re.compile(r"^\S+:\d+:\d+: (SES\d{3})", re.MULTILINE)


class RunError(Exception):
    """A linter that is missing, or ended in another way than with or without findings."""


@dataclass(frozen=True)
class Run:
    """One linter over the whole corpus.

    :param linter: what ran, in words.
    :param seconds: wall time.
    :param findings: how many of each code.
    """

    linter: str
    seconds: float
    findings: dict[str, int]


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


def script(name: str) -> str:
    """A command of the environment that runs this file, else of the search path."""
    here = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([here, os.environ.get("PATH", "")]))
    if found is None:
        raise RunError(f"{name} is not installed")
    return found


def folders() -> list[str]:
    """The unpacked packages, by name."""
    missing = [package.name for package in packages() if not package.folder.is_dir()]
    if missing:
        raise RunError(f"not fetched yet: {', '.join(missing)} (run benchmarks/corpus.py)")
    return [package.folder.name for package in packages()]


def session_lint(*options: str) -> list[dict[str, Any]]:
    """What ``session-lint check`` finds in the corpus, each with the edits that would mend it."""
    return json.loads(_checked("json", *options)[1])  # type: ignore[no-any-return]


def _checked(form: str, *options: str) -> tuple[float, str]:
    """``session-lint check`` over the corpus: wall seconds and the report."""
    return timed([script("session-lint"), "check", "--isolated", "--output-format", form, *options, *folders()])


def own_runs() -> tuple[list[Run], list[dict[str, Any]]]:
    """session-lint by the file, then by the project without a cache, filling one and with a warm one; its findings."""
    shutil.rmtree(ROOT / ".session_lint_cache", ignore_errors=True)
    ways = {
        "session-lint, file by file": ("--no-cache", "--no-project"),
        "session-lint, no cache": ("--no-cache",),
        "session-lint, filling its cache": (),
        "session-lint, warm cache": (),
    }
    done = {name: _checked("concise", *options) for name, options in ways.items()}
    if len({report for name, (_, report) in done.items() if name != "session-lint, file by file"}) > 1:
        raise RunError("session-lint finds something else with a warm cache than without one")
    runs = [Run(name, seconds, _counted(_CODE.findall(report))) for name, (seconds, report) in done.items()]
    return runs, session_lint("--no-cache")


def other_runs() -> list[Run]:
    """Ruff and flake8, with and without the plugin, each without a cache."""
    ruff = [script("ruff"), "check", "--isolated", "--no-cache", "--no-respect-gitignore", "--select", "SIM115"]
    ruff_seconds, out = timed([*ruff, "--output-format", "json", *folders()])
    runs = [Run("ruff, SIM115", ruff_seconds, _counted(found["code"] or "syntax" for found in json.loads(out)))]
    flake8 = {
        "flake8 with the plugin, SES": ["-m", "flake8", "--isolated", "--select", "SES"],
        "flake8 without the plugin": ["-c", PLAIN_FLAKE8, "--isolated"],
    }
    for name, words in flake8.items():
        seconds, out = timed([sys.executable, *words, "--format", "%(code)s", *folders()])
        runs.append(Run(name, seconds, _counted(out.split())))
    return runs


def _counted(codes: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(codes).items()))


def internal_errors(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The SES900 findings that are a fault of the tool, not of the file."""
    return [found for found in findings if found["code"] == "SES900" and "internal error" in found["message"]]


def table(runs: list[Run], files: int, lines: int) -> str:
    """The figures as text; the ratio is to the first run."""
    rows = [f"{files:,} files, {lines:,} lines, Python {platform.python_version()}, {os.cpu_count()} processors", ""]
    rows += [f"{'linter':<34}{'seconds':>9}{'ratio':>8}{'lines/s':>12}  findings"]
    for run in runs:
        speed = f"{run.seconds:>9.2f}{run.seconds / runs[0].seconds:>8.2f}{lines / run.seconds:>12,.0f}"
        rows.append(f"{run.linter:<34}{speed}  {_named(run.findings)}")
    return "\n".join(rows)


def _named(findings: dict[str, int]) -> str:
    shown = {code: count for code, count in findings.items() if code.startswith(("SES", "SIM"))}
    others = sum(findings.values()) - sum(shown.values())
    return " ".join(f"{code}:{count}" for code, count in (shown | ({"others": others} if others else {})).items())


def main() -> int:
    """Run everything; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--only-own", action="store_true", help="run session-lint alone")
    options = parser.parse_args()
    try:
        runs, findings = own_runs()
        if not options.only_own:
            runs += other_runs()
    except RunError as error:
        print(error, file=sys.stderr)
        return 2
    paths = [path for package in packages() for path in python_files(package)]
    lines = sum(path.read_bytes().count(b"\n") for path in paths)
    FINDINGS.write_text(json.dumps(findings, indent=1) + "\n", "utf-8")
    if not options.only_own:
        _write_results(runs, len(paths), lines)
    print(table(runs, len(paths), lines))
    broken = internal_errors(findings)
    print(f"\ninternal errors (SES900): {len(broken)}")
    for found in broken:
        print(f"  {found['filename']}: {found['message']}")
    return 1 if broken else 0


def _write_results(runs: list[Run], files: int, lines: int) -> None:
    results = {
        "corpus": {package.name: package.version for package in packages()},
        "files": files,
        "lines": lines,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "linters": {name: version(name) for name in ("session-lint", "ruff", "flake8")},
        "runs": [{**asdict(run), "seconds": round(run.seconds, 2)} for run in runs],
    }
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
