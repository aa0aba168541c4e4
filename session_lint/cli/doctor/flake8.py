"""Whether flake8's own settings let our findings through: it matches codes by their beginning."""

from __future__ import annotations

import configparser
import re
from typing import TYPE_CHECKING

from session_lint.cli.doctor.advice import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_IGNORING = ("ignore", "extend-ignore")
_CODE = re.compile(r"[A-Z][A-Z0-9]*")


def flake8(root: Path) -> Iterator[Advice]:
    """Codes of bandit's letter that cover ours, and a selection without us."""
    for name in ("setup.cfg", "tox.ini", ".flake8"):  # flake8's own order; the first one counts
        section = _section(root / name)
        if section is not None:
            yield from _advice(root / name, section)
            return


def _advice(file: Path, section: dict[str, str]) -> Iterator[Advice]:
    for key in _IGNORING:
        for code in _codes(section.get(key, "")):
            if code != "SES" and "SES".startswith(code):
                wrong = f"{key} = {code} also silences SES: flake8 matches the beginning of codes"
                yield Advice(file, wrong, f"write {code}1,{code}2,{code}3,{code}4,{code}5,{code}6,{code}7 for bandit's")
    if "select" in section and not any(code.startswith("SES") or "SES".startswith(code) for code in _selected(section)):
        yield Advice(file, "select leaves SES out, so flake8 reports none of our findings", "add SES to it")


def _selected(section: dict[str, str]) -> list[str]:
    return _codes(section["select"] + "," + section.get("extend-select", ""))


def _codes(text: str) -> list[str]:
    lines = [line.partition("#")[0] for line in text.splitlines()]
    return _CODE.findall(",".join(lines))


def _section(file: Path) -> dict[str, str] | None:
    """``[flake8]`` in a file, by keys with hyphens; ``None`` where there is none, or flake8 itself will complain."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return None
    if not parser.has_section("flake8"):
        return None
    return {key.replace("_", "-"): value for key, value in parser.items("flake8")}
