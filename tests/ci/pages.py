"""The snippets of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def section(page: str, heading: str) -> str:
    """What stands under a heading of a page, to the next one of its rank."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    assert text.count(f"\n## {heading}\n") == 1
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def snippets(page: str, heading: str, language: str) -> list[str]:
    """The blocks of a language under a heading, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", section(page, heading), re.DOTALL | re.MULTILINE)
