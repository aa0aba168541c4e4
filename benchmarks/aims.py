"""What the project aims at, and whether what was measured reaches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RUFF, RUFF_WARM, WARM = 1.0, 0.5, 0.4
"""How many times ruff's seconds a cold and a warm run may take, and what a warm one may take in any case."""
PEAK = 400e6
SLOWER = {"pylint, R1732": 20, "semgrep, three rules": 5}
"""How many times our seconds others take at least, on the same files."""
FLAKE8 = {"flake8 with sessions": 1.10, "flake8 without sessions": 1.03}
"""How many times the seconds of flake8 alone it may take with the plugin, on packages with sessions and without."""
LINES, LINEAR = 5_000_000, 1.1


class Aim(NamedTuple):
    """One aim.

    :param what: what is measured.
    :param aim: the most or the least, in words.
    :param got: what was measured.
    """

    what: str
    aim: str
    got: str
    reached: bool


def table(groups: Mapping[str, Any], growth: Mapping[str, Any] | None) -> Iterator[str]:
    """The part of the page about the aims of what has been measured."""
    found = [*_of_corpus(groups), *_of_part(groups), *_in_flake8(groups), *_of_growth(growth)]
    if not found:
        return
    yield "\n## What is aimed at\n\n| | aim | measured | |\n| --- | --: | --: | --- |"
    for what, aim, got, reached in found:
        yield f"| {what} | {aim} | {got} | {'reached' if reached else '**not reached**'} |"
    missed = sum(not aim.reached for aim in found)
    yield f"\n{missed} of {len(found)} are not reached." if missed else "\nAll are reached."


def _of_corpus(groups: Mapping[str, Any]) -> Iterable[Aim]:
    if "corpus" not in groups:
        return
    runs = groups["corpus"]["runs"]
    ratio = runs["session-lint, cold"]["seconds"] / runs["ruff, default rules"]["seconds"]
    yield Aim("a cold run, beside ruff's", f"at most {RUFF} times", f"{ratio:.2f} times", ratio <= RUFF)
    warm, most = runs["session-lint, warm"]["seconds"], RUFF_WARM * runs["ruff, default rules, warm"]["seconds"]
    limit = max(most, WARM)
    words = f"at most {limit:.2f} s (half of ruff's is {most:.2f} s)"
    yield Aim("a warm run", words, f"{warm:.2f} s", warm <= limit)
    peak = max(run["peak"] for name, run in runs.items() if name.startswith("session-lint"))
    yield Aim("memory of the largest process", f"under {PEAK / 1e6:.0f} MB", f"{peak / 1e6:.0f} MB", peak < PEAK)


def _of_part(groups: Mapping[str, Any]) -> Iterable[Aim]:
    runs = groups.get("part", {}).get("runs", {})
    for other, least in SLOWER.items():
        if other in runs:
            times = runs[other]["seconds"] / runs["session-lint, cold"]["seconds"]
            what = f"what {other} takes for one package, beside a cold run"
            yield Aim(what, f"at least {least} times", f"{times:.2f} times", times >= least)


def _in_flake8(groups: Mapping[str, Any]) -> Iterable[Aim]:
    for name, most in FLAKE8.items():
        if name in groups:
            runs = groups[name]["runs"]
            ratio = runs["flake8 with session-lint"]["processor"] / runs["flake8"]["processor"]
            what = f"{name.replace('flake8', 'flake8 and the plugin, packages')}, beside flake8 alone (processor)"
            yield Aim(what, f"at most {most:.2f} times", f"{ratio:.3f} times", ratio <= most)


def _of_growth(growth: Mapping[str, Any] | None) -> Iterable[Aim]:
    grown = growth["shapes"].get("lines") if growth else None
    if grown is None or grown["runs"][-1]["size"] < LINES:
        return
    last = grown["runs"][-1]
    done = last["processor"] is not None
    got = f"{last['processor']:.0f} s, {last['peak'] / 1e6:.0f} MB" if done else "not in time"
    yield Aim(f"{LINES:,} lines, on one process", "complete", got, done)
    slope = grown["exponent"]
    if slope is not None:
        yield Aim("time by lines, exponent", f"at most {LINEAR}", f"{slope:.2f}", slope <= LINEAR)
