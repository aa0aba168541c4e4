"""The flake8 plugin's own options: what flake8 is told of them, and what it then gives, as settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.rules import catalogue
from session_lint.settings import Settings, SettingsError, load, override

if TYPE_CHECKING:
    import argparse

_CODES = {
    "select": "the rules to run, instead of those that run by default",
    "ignore": "the rules not to run",
    "extend-select": "rules to run beside those that run by default",
    "extend-ignore": "rules not to run beside those that are ignored",
}
_ENTRY = re.compile(r"\s*(?P<patterns>[^:]+?)\s*:\s*(?P<codes>[A-Z]+\d*(?:[,\s]+[A-Z]+\d*(?![^\s,]))*)[,\s]*")


@dataclass(frozen=True)
class Options:
    """What flake8 was told for us.

    :param selectors: of each kind, as :func:`session_lint.settings.override` takes them.
    :param per_file_ignores: as it stands in the option.
    :param project: whether imports and callers are followed, where the settings do not say otherwise.
    :param config: the settings file to read instead of searching.
    :param isolated: whether to read none.
    :param baseline: the file that known findings are recorded in; empty for none.
    """

    selectors: tuple[tuple[str, tuple[str, ...]], ...] = ()
    per_file_ignores: str = ""
    project: bool = True
    cache: bool = True
    config: str = ""
    isolated: bool = False
    baseline: str = ""

    def settings(self, folder: Path) -> Settings:
        """The settings that hold in a folder, with the options over them.

        :raises SettingsError: where a file or an option cannot be followed.
        """
        given: dict[str, Any] = dict(self.selectors)
        if self.per_file_ignores.strip():
            given["per_file_ignores"] = per_file(self.per_file_ignores)
        if not self.project:
            given["whole_project"] = False
        if not self.cache:
            given["cache"] = False
        config = Path(self.config) if self.config else None
        return override(load(folder, isolated=self.isolated and config is None, config=config), **given)


def declare(manager: Any) -> None:  # noqa: ANN401  (flake8 is not needed to import this module)
    """Tell flake8 of the options; each may stand in its configuration, too."""

    def option(name: str, text: str, **how: Any) -> None:
        manager.add_option(f"--session-lint-{name}", parse_from_config=True, help=text, **how)

    for name, text in _CODES.items():
        option(name, text, default=None, metavar="codes", comma_separated_list=True)
    option("per-file-ignores", "pairs of a file pattern and the rules not to run there", default="", metavar="pairs")
    option("config", "the settings file to read", default="", metavar="file", normalize_paths=True)
    text = "report only what is not recorded in this file, which `session-lint baseline` writes"
    option("baseline", text, default="", metavar="file", normalize_paths=True)
    option("no-project", "judge each file by itself", default=False, action="store_true")
    option("no-cache", "keep no findings between runs", default=False, action="store_true")


def given(options: argparse.Namespace, *, isolated: bool) -> Options:
    """What flake8 read from its command line and its configuration.

    Rules that are off by default run where flake8's own ``select`` and ``extend-select`` name their whole code.
    """
    selectors = {name: tuple(_own(options, name) or ()) for name in _CODES}
    named = [code for name in ("select", "extend_select") for code in getattr(options, name, None) or ()]
    if any(code.startswith("SES") for code in named):  # else no rule is imported before a file needs it
        selectors["extend-select"] += tuple(c for c, rule in catalogue().items() if not rule.default and c in named)
    return Options(
        tuple((name.replace("-", "_"), codes) for name, codes in selectors.items() if codes),
        _own(options, "per-file-ignores") or "",
        not _own(options, "no-project"),
        not _own(options, "no-cache"),
        _own(options, "config") or "",
        isolated,
        _own(options, "baseline") or "",
    )


def _own(options: argparse.Namespace, name: str) -> Any:  # noqa: ANN401
    return getattr(options, f"session_lint_{name.replace('-', '_')}", None)


def per_file(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Pairs of a pattern and the selectors that are ignored there, written as flake8's ``per-file-ignores`` are.

    :param text: ``PATTERN[,PATTERN]:CODE[,CODE]``, one after the other, with blanks or commas between.
    :raises SettingsError: where it is written otherwise.
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    place = 0
    while place < len(text.rstrip()):
        entry = _ENTRY.match(text, place)
        if entry is None:
            rest = text[place:].strip()
            raise SettingsError(f"--session-lint-per-file-ignores: expected `pattern:CODE,CODE`, got {rest!r}")
        codes = tuple(re.split(r"[,\s]+", entry["codes"]))
        found += [(pattern, codes) for pattern in re.split(r"[,\s]+", entry["patterns"])]
        place = entry.end()
    return found
