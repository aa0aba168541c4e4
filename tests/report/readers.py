"""How others read the reports that are lines of text, or columns in bytes."""

from __future__ import annotations

import re
from typing import Any

_COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>.*?)::(?P<data>.*)")


def command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner takes it apart: its name, its properties, its text."""
    match = _COMMAND.fullmatch(line)
    assert match is not None, line
    pairs = [part.split("=", 1) for part in match["properties"].split(",")]
    properties = {name: _unescaped(value, {"%3A": ":", "%2C": ","}) for name, value in pairs}
    return match["name"], properties, _unescaped(match["data"], {})


def _unescaped(text: str, more: dict[str, str]) -> str:
    for written, meant in {"%0D": "\r", "%0A": "\n", **more, "%25": "%"}.items():
        text = text.replace(written, meant)
    return text


def carried_out(text: str, suggestion: dict[str, Any]) -> str:
    """A text of lines that end in a line feed, with a suggestion of reviewdog carried out.

    As it does for GitHub: the lines of the range go, those of the text come; an empty text is no line.
    """
    lines = text.split("\n")
    first, last = (suggestion["range"][side]["line"] for side in ("start", "end"))
    lines[first - 1 : last] = suggestion["text"].split("\n") if suggestion["text"] else []
    return "\n".join(lines)
