"""Graphs as text, beside their sources."""

from __future__ import annotations

import re
import sys
import textwrap

import pytest

import session_lint.flow
from tests.flow.pages import Pair, drawn, headings, pairs, update


@pytest.mark.skipif(sys.version_info < (3, 11), reason="ast.unparse writes tuples with parentheses there")
@pytest.mark.parametrize("pair", pairs(), ids=lambda pair: f"{pair.page}-{pair.title}")
def test_graph(pair: Pair, pytestconfig: pytest.Config) -> None:
    """The graph is the one on the page."""
    if pytestconfig.getoption("--update-golden", default=False):
        update()
        pytest.skip("the pages are written anew")
    assert drawn(pair.source) == pair.graph


def test_every_heading_is_a_pair() -> None:
    """A page that is not written as it should be checks nothing."""
    assert headings() == [(pair.page, pair.title) for pair in pairs()]


def test_the_example_of_the_package() -> None:
    """The docstring shows what the code does."""
    source, graph = (
        textwrap.dedent(block) for block in re.findall(r"::\n\n((?: {4}.*\n|\n)+)", session_lint.flow.__doc__ or "")
    )
    assert drawn(source).strip() == graph.strip()
