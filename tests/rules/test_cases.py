"""Every block of the literate pages is reported on exactly as its lines say."""

from __future__ import annotations

import re

import pytest

from tests.linting import lint
from tests.rules.cases import Case, Expected, cases, modules, pages

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_case(case: Case) -> None:
    """Expected and actual findings are the same, line by line."""
    counted = case.counted(lint(case.text, filename=case.filename))
    actual = sorted(Expected(found.location.row, found.code, found.severity.value) for found in counted)
    assert actual == case.expected, "\n".join(found.message for found in counted)
    for row, words in case.words:
        assert any(words in found.message for found in counted if found.location.row == row)


@pytest.mark.parametrize("page", [page.stem for page in pages()])
def test_page_is_a_rules(page: str) -> None:
    """A page that belongs to no rule checks nothing anybody looks for."""
    assert page in modules()


@pytest.mark.parametrize("page", [page.stem for page in pages()])
def test_page_shows_both_sides(page: str) -> None:
    """At least one block with a finding of the rule, and at least five that must be silent."""
    blocks = [case for case in CASES if case.page == page]
    silent = [case for case in blocks if not case.expected]
    assert len(silent) >= 5
    assert len(blocks) > len(silent)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_expectations_are_well_formed(case: Case) -> None:
    """A misspelt expectation would expect nothing."""
    comments = re.findall(r"#.*SES\d+.*", case.text)
    assert len(comments) == len({one.row for one in case.expected})
