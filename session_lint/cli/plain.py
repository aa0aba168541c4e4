"""Plain command lines of ``check``, read without click, whose import takes longer than to check a file.

A hook names files and little else. Whatever is not in here, and every mistake, is click's: a test holds what the two
make of a line against each other.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from session_lint.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

_SWITCHES = {"-q": "quiet", "--quiet": "quiet", "--no-cache": "no_cache", "--force-exclude": "force_exclude"}
_LISTS = {f"--{name}": name.replace("-", "_") for name in ("select", "ignore", "extend-select", "extend-ignore")}
_FORM = "--output-format"
_NOT_GIVEN = """baseline baseline_file config diff_base error_on exclude extend_exclude extend_ignore
    extend_select force_exclude ignore jobs markdown output_file output_format
    per_file_ignores reason select stdin_filename""".split()
_OFF = """add_noqa dependents diff exit_non_zero_on_fix exit_zero fix isolated no_cache no_project quiet show_files
    show_settings statistics unsafe verbose watch""".split()
_COMPLETION = "_SESSION_LINT_COMPLETE"
"""By which a shell asks click what a command line may go on with."""


def options(arguments: Sequence[str]) -> tuple[list[str], dict[str, Any]] | None:
    """The paths and the options of a command line, as ``check`` has them from click.

    :param arguments: all words behind the command's name.
    :returns: ``None`` for lines that are not plain.
    """
    if arguments[:1] != ["check"] or _COMPLETION in os.environ or any(map(_expanded, arguments)):
        return None
    given: dict[str, Any] = {**dict.fromkeys(_NOT_GIVEN), **dict.fromkeys(_OFF, False), "report": [], "color": "auto"}
    listed: dict[str, list[str]] = {}
    paths: list[str] = []
    words = iter(arguments[1:])
    for word in words:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            paths.append(word)
        elif word in _SWITCHES:
            given[_SWITCHES[word]] = True
        elif name == _FORM or name in _LISTS:
            value = value if equals else next(words, "-")
            if value.startswith("-") or name == _FORM and value not in FORMATS:
                return None
            if name == _FORM:
                given["output_format"] = value
            else:
                listed.setdefault(_LISTS[name], []).extend(value.split(","))
        else:
            return None
    for name, codes in listed.items():
        given[name] = tuple(code.strip() for code in codes if code.strip()) or None
    return paths, given


def _expanded(word: str) -> bool:
    """Whether click makes other words of one: where the shell does not do it."""
    return os.name == "nt" and not set(word).isdisjoint("*?[~$%")
