"""What the tests of the reports share: a repository to run in, and findings as rules make them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema  # type: ignore[import-untyped]
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the run be started in a folder below the top of a repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "service").mkdir()
    monkeypatch.chdir(tmp_path / "service")


@pytest.fixture(name="valid", scope="session")
def _valid() -> Callable[[str], dict[str, Any]]:
    """A function that reads a SARIF log and refuses one that is against the schema."""
    schema = json.loads((HERE / "sarif-2.1.0.json").read_text("utf-8-sig"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())

    def valid(text: str) -> dict[str, Any]:
        log: dict[str, Any] = json.loads(text)
        assert [error.message for error in validator.iter_errors(log)] == []
        return log

    return valid
