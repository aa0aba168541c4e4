"""What the linter says of a program and what the guard sees when it runs are the same.

The programs are those of ``tests/proofs``, run by their own tests, which make each mistake happen.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from session_lint.guard.report import MESSAGES
from session_lint.rules import catalogue
from tests.linting import lint
from tests.proofs.test_marks import PROOFS, UNPROVEN, code_of, programs

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
RULES = {rule.module.rpartition(".")[2]: rule for rule in catalogue().values()}

UNSEEN = {
    ("dependency_without_finally", "FAULT_LOOP"),
    ("dependency_without_finally", "FAULT_NEXT"),
    ("detached_object_used", "FAULT"),
    ("factory_made_per_call", "FAULT"),
    ("manual_session", "FAULT"),
    ("session_call_not_awaited", "FAULT"),
}
"""The programs in which the guard cannot see what their proof is about. Their rules' pages say why."""

BESIDES = {
    ("dependency_without_finally", "FAULT_NEXT"): {"SES101"},
    ("registry_not_removed", "FAULT"): {"SES701"},
    ("session_at_import_time", "FAULT"): {"SES701"},
    ("session_call_not_awaited", "FAULT"): {"SES702"},
}
"""What it sees more. In the first two, the test swallows the error of one call before the next, outside the program."""

ELSEWHERE = {("request_session_outlives_request", "FAULT")}
"""Where the mistake is told of another place: a thread's stack does not show who started it."""

Reports = dict[str, set[str]]
"""Codes, each with the functions of the program that its reports show."""


@pytest.fixture(scope="module", name="seen")
def _seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Reports]:
    """What the guard reports of each program, by proof and name; of those that were run."""
    path = tmp_path_factory.mktemp("guard") / "reports"
    command = ["pytest", "-q", "-p", "tests.guard.recording", "-p", "no:cacheprovider", "--deselect"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "tests/proofs/test_marks.py", "tests/proofs"],
        cwd=ROOT,
        env={**os.environ, "GUARD_REPORTS": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found: dict[tuple[str, str], Reports] = {}
    for line in path.read_text("utf-8").splitlines():
        told = json.loads(line)
        reports = found.setdefault((told["proof"], told["program"]), defaultdict(set))
        if told["code"]:
            reports[told["code"]].update(told["functions"])
    return found


def reports(seen: Mapping[tuple[str, str], Reports], proof: str, program: str) -> Reports:
    """What the guard reports of a program."""
    if (proof, program) not in seen:
        pytest.skip("it needs a server that is not here")
    return seen[proof, program]


def findings(proof: str, program: str) -> Reports:
    """What the linter says of it, of all rules."""
    found: Reports = defaultdict(set)
    for finding in lint(vars(PROOFS[proof])[program], select=list(catalogue())):
        found[finding.code].add(finding.symbol.rpartition(".")[2] or "<module>")
    return found


@pytest.mark.parametrize(("proof", "program"), programs("FAULT"))
def test_a_fault_is_seen(seen: Mapping[tuple[str, str], Reports], proof: str, program: str) -> None:
    """Under the same code and in the same functions, or else the page says why not."""
    code, shown = code_of(proof), reports(seen, proof, program)
    assert (code in shown) == ((proof, program) not in UNSEEN)
    if code in shown and (proof, program) not in ELSEWHERE:
        assert shown[code] & findings(proof, program)[code]
    if code not in shown:
        assert "## At run time" in RULES[proof].doc


@pytest.mark.parametrize(("proof", "program"), [*programs("FAULT"), *programs("CURE")])
def test_nothing_else_is_seen(seen: Mapping[tuple[str, str], Reports], proof: str, program: str) -> None:
    """The linter knows every mistake that the guard reports."""
    besides = BESIDES.get((proof, program), set())
    assert set(reports(seen, proof, program)) - besides <= set(findings(proof, program))


def test_what_is_allowed_besides_is_seen(seen: Mapping[tuple[str, str], Reports]) -> None:
    """The table above has nothing too much."""
    run = {key: codes for key, codes in BESIDES.items() if key in seen}
    assert {key: codes & set(seen[key]) for key, codes in run.items()} == run


@pytest.mark.parametrize("rule", [rule for name, rule in RULES.items() if name not in UNPROVEN], ids=lambda r: r.code)
def test_every_rule_is_seen_or_says_why_not(rule: object) -> None:
    """A code without a message of the guard is explained by its page."""
    assert (rule.code in MESSAGES) or "## At run time" in rule.doc  # type: ignore[attr-defined]


def test_the_guard_knows_only_the_linters_codes() -> None:
    """No code of its own."""
    assert set(MESSAGES) <= set(catalogue())
