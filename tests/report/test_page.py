"""``docs/reports.md`` has every format."""

from __future__ import annotations

import re
from pathlib import Path

from session_lint.report import FORMATS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reports.md").read_text("utf-8")
FOR_PEOPLE = {"full", "concise", "html"}


def test_the_table_lists_the_formats() -> None:
    """Each once."""
    assert sorted(re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("\n## ")[0], re.MULTILINE)) == sorted(FORMATS)


def test_each_format_for_programs_has_its_section() -> None:
    """A heading names one, or several that belong together."""
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert {name for heading in headings for name in heading.split(", ")} == set(FORMATS) - FOR_PEOPLE
