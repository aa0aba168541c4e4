"""The keys of a settings file as a JSON schema, for editors that complete and check TOML.

``session_lint/schema.json`` is what :func:`schema_text` gives; a test holds it in step.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import msgspec

from session_lint.rules import catalogue
from session_lint.settings.checking import NAMING_RULES
from session_lint.settings.table import Table
from session_lint.settings.values import EVERYTHING
from session_lint.vocabulary.tables import Meaning, Role

URL = "https://session-lint.readthedocs.io/en/stable/schema.json"


def schema_text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Any]:
    """The schema of a settings file, in draft 7, which editors read."""
    _, parts = msgspec.json.schema_components([Table, Meaning], ref_template="#/definitions/{name}")
    table, meaning = parts["Table"], parts["Meaning"]
    properties = table["properties"]
    for key in NAMING_RULES:
        properties[key]["items"] = _ref("Selector")
    properties["per-file-ignores"]["additionalProperties"]["items"] = _ref("Selector")
    properties["vocabulary"] = {"description": properties["vocabulary"]["description"], **_ref("Vocabulary")}
    for value in properties.values():
        if value.get("default") in ("", (), [], {}):
            del value["default"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": URL,
        "title": "session-lint",
        **{key: table[key] for key in ("description", "type", "properties", "additionalProperties")},
        "definitions": {"Selector": _selectors(), "Vocabulary": _vocabulary(), "Meaning": _meaning(meaning)},
    }


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/definitions/{name}"}


def _selectors() -> dict[str, Any]:
    """Every selector, with what it stands for."""
    rules = catalogue()
    beginnings = sorted({code[:end] for code in rules for end in range(3, 6)})
    words = [
        (EVERYTHING, "all rules"),
        *((beginning, f"the rules whose codes begin with {beginning}") for beginning in beginnings),
        *((code, f"{rule.name}: {rule.summary}") for code, rule in rules.items()),
    ]
    return {
        "description": "The code of a rule, the beginning of one, or ALL.",
        "anyOf": [{"const": word, "description": text} for word, text in words],
    }


def _vocabulary() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "names": {
                "description": "What a dotted name means; () for a call, prefix.* for every attribute.",
                "type": "object",
                "additionalProperties": _ref("Meaning"),
            },
            "aliases": {
                "description": "Other names for the front of a name.",
                "type": "object",
                "additionalProperties": {"type": "string"},
            },
        },
    }


def _meaning(part: dict[str, Any]) -> dict[str, Any]:
    """An entry of the vocabulary; its fields are described where they are defined."""
    said = dict(re.findall(r":param (\w+): (.*?)(?=\n:|\Z)", inspect.cleandoc(Meaning.__doc__ or ""), re.DOTALL))
    properties = {
        name: {k: v for k, v in value.items() if k != "default"} for name, value in part["properties"].items()
    }
    properties["role"] = {"enum": [role.value for role in Role]}
    for name, value in properties.items():
        if name in said:
            value["description"] = " ".join(said[name].replace("``", "").split())
    return {
        "type": "object",
        "description": "What a name means.",
        "properties": properties,
        "required": ["role"],
        "additionalProperties": False,
    }
