"""The catalogue is whole: the codes of the plan, each with its name, its severity, its cases and its proof."""

from __future__ import annotations

from pathlib import Path

import pytest

from session_lint.rules import catalogue

TESTS = Path(__file__).parent
PLAN = """
SES101 session-not-closed error on
SES102 session-not-closed-on-error error on
SES103 session-reopened-after-close error on
SES104 manual-session style style
SES105 session-owner-never-closes warning on
SES201 global-session-not-closed error on
SES202 global-session-not-closed-on-error error on
SES203 global-session-not-committed error on
SES301 commit-in-scope warning on
SES302 rollback-or-close-in-scope warning on
SES303 session-used-after-scope error on
SES304 error-swallowed-in-scope warning on
SES305 nested-scope warning young
SES306 detached-object-used error on
SES401 mixed-session-patterns warning on
SES501 global-session-in-request error on
SES502 request-session-without-teardown error on
SES503 dependency-without-finally error on
SES504 request-session-outlives-request error on
SES601 session-shared-with-thread error on
SES602 session-shared-with-process error on
SES603 session-shared-between-tasks error on
SES604 session-at-import-time warning on
SES701 missing-rollback error on
SES702 missing-commit error on
SES703 transaction-held-across-slow-call warning on
SES704 registry-not-removed warning on
SES705 factory-made-per-call warning on
SES801 session-call-not-awaited error on
SES802 blocking-session-in-async warning on
SES900 file-not-analysed error on
SES901 unused-suppression warning on
"""
ABOUT_THE_TOOL = ("SES900", "SES901")


def test_the_catalogue_is_the_plan() -> None:
    """Codes, names, severities and what is on by default."""
    found = [f"{r.code} {r.name} {r.severity.value} {r.status}" for r in catalogue().values()]
    assert PLAN.split("\n")[1:-1] == found


@pytest.mark.parametrize("code", [code for code in catalogue() if code not in ABOUT_THE_TOOL])
def test_every_rule_has_its_cases_and_its_proof(code: str) -> None:
    """One page of cases and one program that is run, both named after the rule's module."""
    module = catalogue()[code].module.rpartition(".")[2]
    assert (TESTS / "rules" / f"{module}.md").is_file()
    assert (TESTS / "proofs" / f"test_{module}.py").is_file()
