"""What the linter costs itself: operations held against a file, growth, and the page that tells of all."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from session_lint.analysis.summaries import Summaries
from session_lint.engine import lint_paths
from session_lint.settings import Settings

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SHAPES = (
    "statements branches flags closing_branches returning_branches alternatives loops tries nested_ifs nested_loops "
    "nested_tries nested_finallies nested_withs sessions_at_once sessions_in_turn functions methods chain "
    "opening_chain chain_of_modules cycle callers fallbacks questions lines"
).split()


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def module(name: str) -> Any:  # noqa: ANN401  (a program that the type checker knows under no name)
    return importlib.import_module(name)


def said(name: str, size: int, folder: Path) -> set[str]:
    """The codes of what is found in a program of a shape."""
    paths = module("operations").written(getattr(module("shapes"), name)(size), folder)
    return {found.code for report in lint_paths(paths, Settings(cache=False), 1) for found in report.findings}


def test_a_chain_that_is_deeper_than_the_stack_is_judged_on_a_deeper_one(tmp_path: Path) -> None:
    """What was begun when the stack ran out is begun again, and its leak is told."""
    assert said("chain_of_modules", 140, tmp_path) == {"SES102"}


@pytest.mark.parametrize("size", [2, 3, 7, 14])
def test_a_circle_of_modules_is_judged_in_few_attempts(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaks as it would by itself, and twice as many modules do not take a hundred times as many attempts."""
    attempts: list[object] = []
    rise = Summaries._rise

    def counted(self: Summaries, key: object, *others: object) -> object:
        attempts.append(key)
        return rise(self, key, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Summaries, "_rise", counted)
    paths = module("operations").written(module("shapes").cycle(size), tmp_path)
    found = [f.code for report in lint_paths(paths, Settings(cache=False), 1) for f in report.findings]
    assert found == ["SES102"] * size
    assert len(attempts) < 12 * size * size


# operations


def test_the_core_needs_the_operations_that_are_written_down() -> None:
    """``python benchmarks/operations.py --write`` renews them."""
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "operations.py")], capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout


def test_what_has_become_more_is_told_and_what_has_become_less_is_to_be_written_down() -> None:
    then = {"flat 10": {"more": 1000, "most": 1000, "less": 1000, "little less": 1000, "few": 10}}
    now = {"flat 10": {"more": 1101, "most": 1100, "less": 749, "little less": 751, "few": 100}}
    expected = [
        "flat 10, less: 1000 → 749; renew with --write, so that it stays",
        "flat 10, more: 1000 → 1101, more than 10% more",
    ]
    assert expected == module("operations").differences(then, now)


def test_what_is_not_written_down_and_what_is_not_counted_any_more_is_told() -> None:
    expected = [
        "new 1, calls: 0 → 500, more than 10% more",
        "old 1, calls: 500 → 0; renew with --write, so that it stays",
    ]
    assert expected == module("operations").differences({"old 1": {"calls": 500}}, {"new 1": {"calls": 500}})


def test_calls_of_functions_of_interest_are_counted() -> None:
    found = module("operations").counted(lambda: [ast.parse("x = 1") for _ in range(3)])
    assert 3 == found["texts parsed"]


# shapes and growth


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_python_and_leaks(name: str, tmp_path: Path) -> None:
    assert said(name, 5, tmp_path) - {"SES900"}


def test_all_shapes_are_measured() -> None:
    growth = module("growth")
    assert sorted(SHAPES) == sorted(shape.__name__ for shape in {**growth.FILES, **growth.CODE})


@pytest.mark.parametrize(("name", "size"), [("closing_branches", 200), ("nested_tries", 200), ("nested_finallies", 60)])
def test_what_is_too_much_is_never_passed_over_in_silence(name: str, size: int, tmp_path: Path) -> None:
    assert set() != said(name, size, tmp_path)


def test_a_project_has_about_as_many_lines_as_were_asked_for() -> None:
    texts = [text for _, text in module("shapes").lines(20_000)]
    assert 20_000 == pytest.approx(sum(text.count("\n") for text in texts), rel=0.1)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(10, 1.5), (100, 10.5), (1000, 100.5)], 1.0),
        ([(10, 1.5), (100, 100.5)], 2.0),
        ([(10, 0.6), (100, 0.7), (1000, 10.5)], None),  # only one is worth it
        ([], None),
    ],
)
def test_the_exponent_is_that_of_time_above_a_start(points: list[tuple[float, float]], expected: float | None) -> None:
    found = module("growth").exponent(points, 0.5)
    assert found == (expected if expected is None else pytest.approx(expected))


# what a command costs


def test_processor_and_memory_are_those_of_all_processes(tmp_path: Path) -> None:
    work = "x = bytearray(90_000_000); sum(range(3_000_000))"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}]); print('said'); sys.exit(3)"
    ran = module("measure").cost([sys.executable, "-c", program], tmp_path)
    assert (3, "said\n", "") == (ran.status, ran.out, ran.error)
    assert ran.peak > 90_000_000
    assert 0 < ran.processor


def test_what_takes_too_long_is_ended(tmp_path: Path) -> None:
    ran = module("measure").cost([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, limit=0.2)
    assert -9 == ran.status


# running linters in turn


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "a.py").write_text("one\ntwo\n", "utf-8")
    return tmp_path


def linter(name: str, program: str, package: str = "session-lint", *, once: bool = False) -> Any:  # noqa: ANN401
    command = [sys.executable, "-c", program]
    return module("linters").Linter(name, lambda *_: command, package=package, once=once)


def test_every_linter_runs_in_every_round_but_the_slow_ones(shop: Path) -> None:
    race = module("run").Race(shop, ["shop"])
    runners = [linter("quick", "print('a.py:1:1: SES101 x')"), linter("slow", "", package="other", once=True)]
    race.run(runners, 0)
    race.run(runners, 0)  # its time is up: there has been a round
    got = race.results()
    assert (1, 2, 1, []) == (got["files"], got["lines"], got["rounds"], got["missing"])
    assert {"SES101": 1} == got["runs"]["quick"]["findings"]
    assert {"quick": 1, "slow": 1} == {linter.name: len(runs) for linter, runs in race.runs.items()}


def test_a_linter_that_fails_ends_the_run(shop: Path) -> None:
    with pytest.raises(module("linters").RunError, match=r"(?s)broken: status 2\n.*why"):
        module("run").Race(shop, ["shop"]).run(
            [linter("broken", "import sys; print('why', file=sys.stderr); sys.exit(2)")], 0
        )


def test_a_linter_that_is_not_installed_is_named(shop: Path) -> None:
    absent = module("linters").Linter(
        "absent", lambda *_: [module("linters").script("no-such-linter")], package="absent"
    )
    race = module("run").Race(shop, ["shop"])
    race.run([linter("there", ""), absent], 0)
    assert ["absent"] == race.results()["missing"]


def test_other_findings_in_another_way_of_running_are_a_fault(shop: Path) -> None:
    run = module("run")
    race = run.Race(shop, ["shop"])
    race.run([linter("cold", "print('one')"), linter("warm", "print('one')"), linter("other", "print(2)", "ruff")], 0)
    run.same(race)
    race.run([linter("one process", "print('another')")], 0)
    race.runs |= {linter("one process", ""): [module("measure").cost([sys.executable, "-c", "print(3)"], shop)]}
    with pytest.raises(module("linters").RunError, match="not the same findings: cold, warm, one process"):
        run.same(race)


def test_packages_without_sessions_are_a_table_of_their_own() -> None:
    corpus = module("corpus")
    plain = {package.name for package in corpus.packages(kind="plain")}
    assert plain == {"docutils", "requests", "rich"}
    assert set() == plain & {package.name for package in corpus.packages()}


# the page


def figures(seconds: float, peak: int = 100_000_000) -> dict[str, Any]:
    return {"seconds": seconds, "processor": seconds, "peak": peak, "findings": {"SES101": 2, "E501": 3}}


RESULTS: dict[str, Any] = {
    "processors": 2,
    "python": "3.11.1",
    "linters": {"session-lint": "1.0", "ruff": "2.0"},
    "groups": {
        "corpus": {
            "packages": ["shop-1.0", "bank-2.0"],
            "files": 100,
            "lines": 2000,
            "rounds": 2,
            "day": "2030-01-02",
            "load": 0.5,
            "missing": ["leakguard-ast"],
            "runs": {
                "session-lint, cold": figures(2.0),
                "session-lint, warm": figures(0.5),
                "ruff, default rules": figures(4.0),
                "ruff, default rules, warm": figures(0.5),
            },
        },
        "flake8 with sessions": {
            "packages": ["shop-1.0"],
            "files": 10,
            "lines": 200,
            "rounds": 1,
            "day": "2030-01-02",
            "load": 0.5,
            "missing": [],
            "runs": {"flake8": figures(10.0), "flake8 with session-lint": figures(10.5)},
        },
    },
}
GROWTH: dict[str, Any] = {
    "start": 0.5,
    "bound": 60.0,
    "shapes": {
        "branches": {
            "what": "So many branches.",
            "exponent": 2.01,
            "runs": [
                {"size": 10, "processor": 1.0, "peak": 1_000_000, "answer": "findings"},
                {"size": 100, "processor": 9.0, "peak": 1_000_000, "answer": "given up"},
                {"size": 1000, "processor": None, "peak": 1_000_000, "answer": "not in time"},
            ],
        }
    },
}


def test_the_page_says_which_aims_are_reached() -> None:
    text = module("page").text(RESULTS, None)
    rows = [line for line in text.splitlines() if line.endswith(("reached |", "reached** |"))]
    flake8 = "flake8 and the plugin, packages with sessions, beside flake8 alone (processor)"
    expected = [
        "| a cold run, beside ruff's | at most 1.0 times | 0.50 times | reached |",
        "| a warm run | at most 0.40 s (half of ruff's is 0.25 s) | 0.50 s | **not reached** |",
        "| memory of the largest process | under 400 MB | 100 MB | reached |",
        f"| {flake8} | at most 1.10 times | 1.050 times | reached |",
    ]
    assert expected == rows
    assert "1 of 4 are not reached." in text


def test_the_page_says_what_was_linted_and_what_was_not_run() -> None:
    text = module("page").text(RESULTS, None)
    assert (
        "100 files, 2,000 lines, 2 rounds on 2030-01-02, begun at a load of 0.5; of the corpus only shop-1.0, bank-2.0."
        in text
    )
    assert "| session-lint, cold | 2 s | 2 s | 95 MB | 50 | 1,000 | 2 SES101, 3 others |" in text
    assert "Not installed, and so not run: leakguard-ast." in text


def test_the_page_says_what_was_given_up_or_too_slow() -> None:
    text = module("page").text({"groups": {}}, GROWTH)
    assert "| So many branches | 10: 1; 100: 9 (given up); 1,000: over 60 | 1 MB | 2.01 |" in text
    assert "Steeper than 1.3, or not in time: so many branches." in text


def test_the_page_is_that_of_the_figures() -> None:
    """``python benchmarks/page.py`` writes it."""
    page = module("page")
    results, growth = (json.loads(path.read_text("utf-8")) for path in (page.RESULTS, page.GROWTH))
    assert page.PAGE.read_text("utf-8") == page.text(results, growth)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("drawn", ["bars", "lines"])
def test_a_chart_names_everything_and_suits_its_page(drawn: str, dark: bool) -> None:
    chart = module("chart")
    points = {"session-lint <cold>": [(1, 0.1), (10, 1)], "other": [(5, 3)]}
    made = {
        "bars": lambda: chart.bars("seconds", {"session-lint <cold>": 0.5, "other": 200.0}, dark=dark),
        "lines": lambda: chart.lines("seconds", points, "lines", dark=dark),
    }[drawn]()
    root = ET.fromstring(made)  # noqa: S314  (it is our own)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"seconds", "session-lint <cold>", "other"} <= set(texts)
    assert (chart.DARK if dark else chart.LIGHT)["text"] in made
