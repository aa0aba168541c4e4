"""The reports that are a line a finding, and reviewdog's."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema  # type: ignore[import-untyped]

from session_lint.finding import Location
from tests.report.samples import BROKEN, COMMIT, JOB, URL, written

POSITION = {
    "type": "object",
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "required": ["line"],
    "additionalProperties": False,
}
RANGE = {
    "type": "object",
    "properties": {"start": POSITION, "end": POSITION},
    "required": ["start"],
    "additionalProperties": False,
}
NAMED = {"type": "object", "properties": {"url": {"type": "string"}}, "additionalProperties": {"type": "string"}}
DIAGNOSTIC = {
    "type": "object",
    "properties": {
        "message": {"type": "string"},
        "location": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "range": RANGE},
            "additionalProperties": False,
        },
        "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
        "code": {**NAMED, "required": ["value"], "maxProperties": 2},
        "suggestions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"range": RANGE, "text": {"type": "string"}},
                "required": ["range", "text"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["message", "location"],
    "additionalProperties": False,
}
RESULT = {
    "type": "object",
    "properties": {
        "source": {**NAMED, "required": ["name"], "maxProperties": 2},
        "diagnostics": {"type": "array", "items": DIAGNOSTIC},
    },
    "additionalProperties": False,
}
"""The messages of reviewdog's Diagnostic Format (proto/rdf/reviewdog.proto); it refuses a field that is not there."""


def test_json_lines_are_the_json_report() -> None:
    """The same findings, one on each line."""
    lines = written("json-lines", [COMMIT, BROKEN]).splitlines()
    assert [json.loads(line) for line in lines] == json.loads(written("json", [COMMIT, BROKEN]))
    assert written("json-lines", []) == ""


def test_pylint() -> None:
    """The parseable form, where the module has no name."""
    assert written("pylint", [COMMIT, BROKEN]) == (
        "job.py:7: [SES301(commit-in-scope), save] commit() on 'session' inside a scope\n"
        "broken.py:2: [SES900(file-not-analysed), ] file not analysed: syntax error: invalid syntax\n"
    )


def test_pylint_keeps_to_a_line() -> None:
    """Whatever a file is called."""
    odd = replace(COMMIT, filename="a\nb\udcff.py", message="c\r\u2028d")
    assert written("pylint", [odd]) == "a\\nb\\udcff.py:7: [SES301(commit-in-scope), save] c\\r\\u2028d\n"


def test_rdjson() -> None:
    """One result with its diagnostics, the way in the message, the fix as lines for lines."""
    result = json.loads(written("rdjson", [COMMIT, BROKEN]))
    jsonschema.validate(result, RESULT)
    assert result == {
        "source": {"name": "session-lint", "url": "https://session-lint.readthedocs.io/en/stable/rules/"},
        "diagnostics": [
            {
                "message": f"{COMMIT.message}\n1. job.py:5 this scope commits\n2. ../lib/gone.py:3 is passed on",
                "location": {
                    "path": "job.py",
                    "range": {"start": {"line": 7, "column": 9}, "end": {"line": 7, "column": 25}},
                },
                "severity": "WARNING",
                "code": {"value": "SES301", "url": URL},
                "suggestions": [{"range": {"start": {"line": 7}, "end": {"line": 7}}, "text": ""}],
            },
            {
                "message": BROKEN.message,
                "location": {"path": "broken.py", "range": {"start": {"line": 2, "column": 5}}},
                "severity": "ERROR",
                "code": {"value": "SES900"},
            },
        ],
    }


def test_columns_of_rdjson_are_bytes() -> None:
    """In UTF-8: ``é`` has two, ``あ`` three."""
    wide = replace(COMMIT, location=Location(6, 18), end_location=Location(6, 34), fix=None)
    (found,) = json.loads(written("rdjson", [wide]))["diagnostics"]
    line = JOB.splitlines()[5]
    assert line[17:33] == "session.add(row)"
    begin = len(line[:17].encode()) + 1
    assert found["location"]["range"] == {
        "start": {"line": 6, "column": begin},
        "end": {"line": 6, "column": begin + 16},
    }
