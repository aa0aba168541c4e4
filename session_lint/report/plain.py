"""Texts that every reader of a report can read, whatever stands in the code and in the names of files."""

from __future__ import annotations

import json


def sayable(text: str) -> str:
    r"""A text in which what no encoding can say (a byte of a file's name) is spelled out: ``\udcff``."""
    return text.encode("utf-8", "backslashreplace").decode()


def one_line(text: str) -> str:
    r"""A text on one line: what would end the line, or move the cursor, is spelled out: ``\n``."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def as_json(value: object) -> str:
    """A value of dictionaries, lists, texts and numbers as JSON, on one line: indenting takes ten times as long.

    It is in ASCII: whatever the output's encoding, it stays JSON. Half a surrogate pair, which strict readers refuse,
    is spelled out.
    """
    return json.dumps(_said(value)) + "\n"


def _said(value: object) -> object:
    if isinstance(value, str):
        return sayable(value)
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items()}
    return [_said(item) for item in value] if isinstance(value, list) else value
