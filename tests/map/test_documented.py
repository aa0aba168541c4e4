"""``docs/map.md`` says what the map does."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from session_lint.report.map import FORMATS, render
from session_lint.report.map.groups import MOST, Opening
from session_lint.report.map.words import LETTERS, MARKS
from tests.map.lab import PICTURE, ROOT, picture
from tests.map.test_pictures import made

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | None"
PAGE = (ROOT / "docs" / "map.md").read_text("utf-8")


def test_the_picture_of_the_lab_is_todays() -> None:
    assert PICTURE.read_text("utf-8") == picture(), "python -m tests.map.lab draws it anew"


def test_every_letter_mark_and_format_is_explained() -> None:
    assert re.findall(r"^\| `([A-Z])` \| (\w+) ", PAGE, re.MULTILINE) == [(v, k.value) for k, v in LETTERS.items()]
    assert all(f"- `{mark}` " in PAGE for mark in MARKS)
    assert set(re.findall(r"--output-format (\w+)", PAGE)) == set(FORMATS) - {"text"}
    assert f"at most {MOST} boxes" in PAGE


def fields(value: Value) -> set[str]:
    """The names of all fields of an object and of those in it, but for counts by pattern."""
    if isinstance(value, list):
        return set().union(*map(fields, value))
    if isinstance(value, dict):
        inside = [fields(inner) for name, inner in value.items() if name != "patterns"]
        return set(value).union(*inside)
    return set()


def test_every_field_of_the_json_is_explained() -> None:
    table = PAGE[PAGE.index("## The JSON") : PAGE.index("## What it does not see")]
    told = json.loads(render("json", made(2, 2), Opening()))
    assert fields(told) == {word for word in re.findall(r"`(\w+)`", table) if word not in WORDS}


WORDS = {"manual", "scope", "singleton", "managed", "library", "null"}
"""What the table names beside fields."""
