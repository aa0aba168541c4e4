"""``docs/performance.md`` and its charts, made of ``results.json`` and ``growth.json``.

``python benchmarks/page.py`` writes them anew from the last figures; ``run.py`` and ``growth.py`` do so themselves.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aims
import chart
from corpus import packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
RESULTS, GROWTH = HERE / "results.json", HERE / "growth.json"
PAGE, PICTURES = DOCS / "performance.md", DOCS / "_static"
BARS, CURVES = "performance", "growth"
MEGA = 2**20
INTRODUCTION = """\
# Performance

What a run costs, beside other linters and by the size of what is linted. This page and its pictures are written by the
programs that measure, which anybody can run again:

```shell
python3 -m venv .venv-benchmarks
.venv-benchmarks/bin/pip install -e '.[test]' ruff pylint pyflakes semgrep leakguard-ast
.venv-benchmarks/bin/python benchmarks/run.py
.venv-benchmarks/bin/python benchmarks/growth.py --write
```

The first fetches the published packages of `benchmarks/corpus.toml`, as text that is never imported, and takes some
minutes. Linters that are not installed are left out.
"""


def write() -> None:
    """Write the page and the charts of what has been measured."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"groups": {}}
    growth = json.loads(GROWTH.read_text("utf-8")) if GROWTH.exists() else None
    for dark in (False, True):
        for name, picture in _pictures(results["groups"], growth, dark=dark):
            (PICTURES / f"{name}-{'dark' if dark else 'light'}.svg").write_text(picture, "utf-8")
    PAGE.write_text(text(results, growth), "utf-8")


def _pictures(groups: Mapping[str, Any], growth: Mapping[str, Any] | None, *, dark: bool) -> Iterator[tuple[str, str]]:
    """The names of the charts and what is drawn."""
    if "corpus" in groups:
        runs = {name: run["seconds"] for name, run in groups["corpus"]["runs"].items()}
        yield BARS, chart.bars("seconds on the clock; the axis is logarithmic", runs, dark=dark)
    if growth:
        series = {name.replace("_", " "): points for name, points in _points(growth) if len(points) > 1}
        across = "size: lines, files, statements, levels, sessions"
        yield CURVES, chart.lines("seconds of the processor by size", series, across, dark=dark)


def _points(growth: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[float, float]]]]:
    """The sizes and seconds of each shape."""
    for name, shape in growth["shapes"].items():
        yield name, [(run["size"], run["processor"]) for run in shape["runs"] if run["processor"] is not None]


def _shown(name: str, words: str) -> str:
    """A chart in the page, the one that suits its ground."""
    return "\n".join(
        f"```{{image}} _static/{name}-{ground}.svg\n:alt: {words}\n:class: only-{ground}\n```\n"
        for ground in ("light", "dark")
    )


def text(results: dict[str, Any], growth: dict[str, Any] | None) -> str:
    """The page."""
    parts = [INTRODUCTION.rstrip(), *aims.table(results["groups"], growth)]
    if results["groups"]:
        used = ", ".join(f"{name} {number}" for name, number in results["linters"].items())
        machine = f"{results['processors']} processors with Python {results['python']}"
        parts += [f"\n## Beside other linters\n\nMeasured on {machine}; {used}.", COLUMNS]
    for name, group in ((name, results["groups"][name]) for name in HEADS if name in results["groups"]):
        parts += [f"### {HEADS[name]}\n", _about(group), "", figures(group), ""]
        if group["missing"]:
            parts.append(f"Not installed, and so not run: {', '.join(group['missing'])}.\n")
        if name == "corpus":
            parts.append(_shown(BARS, "the seconds of the table as bars"))
        elif name == "part":
            parts.append(SLOWER)
    return "\n".join([*parts, *_growth(growth)]).rstrip() + "\n"


HEADS = {
    "corpus": "The corpus",
    "part": "One package, and the slower linters",
    "flake8 with sessions": "In flake8, packages that use sessions",
    "flake8 without sessions": "In flake8, packages that do not",
}
COLUMNS = """\
The linters of a table ran in turn, in one round or more, and each figure is that of the quickest. *Clock* is what one
waits for, *processor* what all processes of a run spent together, *peak* the memory of the largest of them. The load is
how many other processes wanted a processor: where there are many, the clock tells of them, too.
"""
SLOWER = """\
Semgrep runs the three rules of `benchmarks/semgrep.yml`, which are the nearest to SES101, SES102 and SES301 that its
patterns say; leakguard-ast leaves tests out, which nobody else does. pylint runs in one round only.
"""


ABOUT = ("SES", "SIM115", "R1732", "session-", "commit-")
"""How the codes begin that are about sessions and other resources."""


def _about(group: Mapping[str, Any]) -> str:
    """What was linted."""
    rounds = "one round" if group["rounds"] == 1 else f"{group['rounds']} rounds"
    known = {package.folder.name for package in packages()}
    named = ", ".join(group["packages"])
    what = f"the whole corpus: {named}" if known <= {*group["packages"]} else f"of the corpus only {named}"
    begun = f"{rounds} on {group['day']}, begun at a load of {group['load']}"
    return f"{group['files']:,} files, {group['lines']:,} lines, {begun}; {what}."


def figures(group: Mapping[str, Any]) -> str:
    """A table of what was run on the same files."""
    rows = [
        "| linter | clock | processor | peak | files/s | lines/s | findings |",
        "| --- | --: | --: | --: | --: | --: | --- |",
    ]
    for name, run in group["runs"].items():
        clock = run["seconds"]
        costs = f"{chart.seconds(clock)} | {chart.seconds(run['processor'])} | {run['peak'] / MEGA:,.0f} MB"
        speed = f"{group['files'] / clock:,.0f} | {group['lines'] / clock:,.0f}"
        rows.append(f"| {name} | {costs} | {speed} | {_named(run['findings'])} |")
    return "\n".join(rows)


def _named(findings: Mapping[str, int]) -> str:
    """The findings about sessions and resources by their codes, and how many others there are."""
    shown = {code: count for code, count in findings.items() if code.startswith(ABOUT)}
    others = sum(findings.values()) - sum(shown.values())
    return ", ".join(f"{count} {code}" for code, count in (shown | ({"others": others} if others else {})).items())


def _growth(growth: Mapping[str, Any] | None) -> Iterable[str]:
    """The part of the page about growth."""
    if not growth:
        return
    bound = growth["bound"]
    yield "\n## Growth\n"
    yield MEASURED.format(start=growth["start"], bound=bound)
    yield "| what grows | size: seconds | peak | exponent |\n| --- | --- | --: | --: |"
    for shape in growth["shapes"].values():
        runs = "; ".join(f"{run['size']:,}: {_answer(run, bound)}" for run in shape["runs"])
        peak = max(run["peak"] for run in shape["runs"]) / MEGA
        slope = "-" if shape["exponent"] is None else f"{shape['exponent']:.2f}"
        yield f"| {shape['what'].rstrip('.')} | {runs} | {peak:,.0f} MB | {slope} |"
    steep = [shape for shape in growth["shapes"].values() if _late(shape) or (shape["exponent"] or 0) > STEEP]
    if steep:
        names = "; ".join(shape["what"].rstrip(".").lower() for shape in steep)
        yield f"\nSteeper than {STEEP}, or not in time: {names}."
    yield f"\n{_shown(CURVES, 'seconds by size, for each of them')}"


MEASURED = """\
Programs that grow in one way each (`benchmarks/shapes.py`), each with a leak, checked on one process without a cache.
Seconds are the processor's, a start of {start:.2f} s among them. The exponent is the slope of their logarithms above
that start: 1 is linear, 2 quadratic, and none is given where no two sizes take long enough to tell. A program of one
function or one file that is not answered for in {bound:.0f} s is stopped, and larger ones are left out. *Given up* is
SES900, which says that the file was not analysed: it is never silence.
"""
STEEP = 1.3
"""An exponent beyond which growth is not near-linear any more."""


def _late(shape: Mapping[str, Any]) -> bool:
    return any(run["processor"] is None for run in shape["runs"])


def _answer(run: Mapping[str, Any], bound: float) -> str:
    if run["processor"] is None:
        return f"over {bound:.0f}"
    return f"{run['processor']:.3g}" + ("" if run["answer"] == "findings" else f" ({run['answer']})")


if __name__ == "__main__":
    write()
