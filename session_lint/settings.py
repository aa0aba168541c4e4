"""What the user has asked for: ``[tool.session-lint]`` in the nearest ``pyproject.toml``, and the command line over it.

Which rules run is decided as flake8 and ruff decide it: a selector is the beginning of a code (``SES1``), a whole code
or ``ALL``; where one selector selects a rule and another ignores it, the longer one wins, and ignoring wins a tie.
"""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from session_lint.python.modules import absolute
from session_lint.rules import catalogue
from session_lint.vocabulary import Tables

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec import GitIgnoreSpec

    from session_lint.rule import Rule

EVERYTHING = "ALL"


class SettingsError(Exception):
    """Settings that cannot be followed; the message names the file and the key."""


class Table(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """``[tool.session-lint]`` as it stands in the file, every key optional."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    per_file_ignores: dict[str, tuple[str, ...]] = {}
    force_exclude: bool = False
    cache: bool = True
    whole_project: bool = True
    baseline: str | None = None
    notebooks: bool = True
    markdown: bool = False
    vocabulary: dict[str, Any] = {}


@dataclass(frozen=True)
class Settings:
    """One run's settings.

    :param select: selectors of the rules that run; empty for those that run by default.
    :param ignore: selectors of the rules that do not run.
    :param extend_select: selectors beside ``select``.
    :param extend_ignore: selectors beside ``ignore``.
    :param exclude: patterns, as in a ``.gitignore``, of what a walk leaves out; empty for the usual folders.
    :param extend_exclude: patterns beside ``exclude``.
    :param per_file_ignores: pairs of a file pattern and the selectors that are ignored in the files it matches.
    :param force_exclude: whether the patterns hold for files that are named one by one, too.
    :param root: the folder that patterns are relative to, the settings file's; ``None`` for the current folder.
    :param cache: whether findings are kept between runs.
    :param whole_project: whether imports and callers are followed to other files.
    :param baseline: the file that known findings are recorded in, from the root; ``None`` for the usual one, on demand.
    :param notebooks: whether a walk takes ``*.ipynb``.
    :param markdown: whether a walk takes ``*.md``, for the Python in them.
    :param vocabulary: what names mean beside what the tool knows itself.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    force_exclude: bool = False
    root: Path | None = None
    cache: bool = True
    whole_project: bool = True
    baseline: str | None = None
    notebooks: bool = True
    markdown: bool = False
    vocabulary: Tables = field(default_factory=Tables)

    def selected(self, rule: Rule, filename: str = "") -> bool:
        """Whether a rule's findings are wanted.

        :param filename: the file they are in; empty where it does not matter.
        """
        wanted = _longest(rule.code, (*self.select, *self.extend_select))
        if wanted < 0 and not self.select and rule.default:
            wanted = 0
        unwanted = _longest(rule.code, (*self.ignore, *self.extend_ignore))
        return wanted > unwanted and not self._ignored_in(rule, filename)

    def ignored(self, rule: Rule, filename: str = "") -> bool:
        """Whether a rule's findings were turned off in so many words; what was only not selected is not ignored."""
        selectors = (*self.select, *self.extend_select)
        unwanted = _longest(rule.code, (*self.ignore, *self.extend_ignore))
        return unwanted > max(0, _longest(rule.code, selectors)) or self._ignored_in(rule, filename)

    def relative(self, path: Path | str) -> str | None:
        """A path below the root, with slashes, or ``None`` when it is elsewhere."""
        try:
            found = os.path.relpath(path, self.root or Path.cwd())
        except ValueError:  # another drive
            return None
        return None if found.split(os.sep, 1)[0] == os.pardir else found.replace(os.sep, "/")

    def _ignored_in(self, rule: Rule, filename: str) -> bool:
        if not filename or not self.per_file_ignores:
            return False
        place = self.relative(filename)
        return place is not None and any(
            _longest(rule.code, selectors) >= 0 and patterns((pattern,)).match_file(place)
            for pattern, selectors in self.per_file_ignores
        )


@lru_cache
def patterns(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """Patterns of a settings file, ready to match."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  (most runs need none)

    return GitIgnoreSpec.from_lines(lines)


def load(start: Path, *, isolated: bool = False, config: Path | None = None) -> Settings:
    """The settings that hold in a folder.

    :param start: where the search goes up from, a file or a folder.
    :param isolated: whether to look at no file at all.
    :param config: the file to read instead of searching; one that is not a ``pyproject.toml`` may hold the keys at
        its top.
    :raises SettingsError: where the file cannot be read, or says what cannot be followed.
    """
    if isolated and config is not None:
        raise SettingsError(f"--isolated reads no file, --config names {config}: give one of them")
    if isolated:
        return Settings()
    if config is not None:
        content = _read(config)
        table = _tool(config, content).get("session-lint")
        if table is None and config.name == "pyproject.toml":
            raise SettingsError(f"{config}: there is no table [tool.session-lint]")
        return _settings(config, content if table is None else table)
    start = absolute(start)
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and _mentioned(file):
            table = _tool(file, _read(file)).get("session-lint")
            if table is not None:
                return _settings(file, table)
    return Settings()


def override(settings: Settings, **options: Any) -> Settings:
    """The command line over a file's settings.

    ``select`` starts afresh: the file's selectors of every kind are forgotten. Without it, selectors are added to the
    file's, and those of the file that they contradict are forgotten.

    :param options: fields of :class:`Settings`; ``None`` is an option that was not given.
    :raises SettingsError: where a selector names no rule.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for name in ("select", "ignore", "extend_select", "extend_ignore"):
        if name in given:
            given[name] = tuple(given[name])
            _check_selectors(f"--{name.replace('_', '-')}", given[name])
    if "select" in given:
        blank: tuple[str, ...] = ()
        settings = replace(settings, ignore=blank, extend_select=blank, extend_ignore=blank)
        return replace(settings, **given)
    wanted, unwanted = given.pop("extend_select", ()), (*given.pop("ignore", ()), *given.pop("extend_ignore", ()))
    settings = replace(
        settings,
        extend_select=(*_apart(settings.extend_select, unwanted), *wanted),
        ignore=_apart(settings.ignore, wanted),
        extend_ignore=(*_apart(settings.extend_ignore, wanted), *unwanted),
    )
    selected = _apart(settings.select, unwanted)
    if settings.select and not selected:  # nothing is left of it, which is not the default
        given["ignore"] = (*settings.ignore, EVERYTHING)
    return replace(settings, select=selected, **given)


def _longest(code: str, selectors: Iterable[str]) -> int:
    """How many characters of a code the best of the selectors names; -1 when none does."""
    return max(
        (0 if s == EVERYTHING else len(s) for s in selectors if s == EVERYTHING or code.startswith(s)), default=-1
    )


def _apart(selectors: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """The selectors that none of the others covers."""
    return tuple(s for s in selectors if not any(o == EVERYTHING or s.startswith(o) for o in others))


def _mentioned(file: Path) -> bool:
    """Whether a file may hold our table: a broken file that does not is somebody else's business."""
    try:
        return b"session-lint" in file.read_bytes()
    except OSError:
        return False


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsError(f"{file}: not a TOML file: {error}") from None


def _tool(file: Path, content: dict[str, Any]) -> dict[str, Any]:
    tool = content.get("tool", {})
    if not isinstance(tool, dict):
        raise SettingsError(f"{file}: tool: expected a table")
    return tool


def _settings(file: Path, table: Any) -> Settings:  # noqa: ANN401  (what TOML holds)
    """A table as settings."""
    where = f"{file}: [tool.session-lint]"
    if not isinstance(table, dict):
        raise SettingsError(f"{where} expected a table")
    _check_keys(where, table)
    try:
        read = msgspec.convert(table, Table, strict=True)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `$.")
        raise SettingsError(f"{where} {key.rstrip('`')}: {message[0].lower()}{message[1:]}") from None
    for key in ("select", "ignore", "extend_select", "extend_ignore"):
        _check_selectors(f"{where} {key.replace('_', '-')}", getattr(read, key))
    for pattern, selectors in read.per_file_ignores.items():
        _check_selectors(f"{where} per-file-ignores.{pattern!r}", selectors)
    _check_patterns(where, (*(read.exclude or ()), *read.extend_exclude, *read.per_file_ignores))
    return Settings(
        **{
            **{name: getattr(read, name) for name in read.__struct_fields__},
            "exclude": read.exclude or (),
            "per_file_ignores": tuple(read.per_file_ignores.items()),
            "root": absolute(file).parent,
            "vocabulary": _vocabulary(where, read.vocabulary),
        }
    )


def _vocabulary(where: str, content: dict[str, Any]) -> Tables:
    """The user's tables.

    :raises SettingsError: with a line for each mistake in them.
    """
    if not content:
        return Tables()
    from session_lint.vocabulary.checking import checked  # noqa: PLC0415  (most runs need none)

    tables, mistakes = checked(content)
    if mistakes:
        place = where.removesuffix("]") + ".vocabulary"
        lines = [f"{place}{m.place}: {m.what}{_nearest(m.word, m.known)}" for m in mistakes]
        raise SettingsError("\n".join(lines))
    return tables


def _check_keys(where: str, table: dict[str, Any]) -> None:
    known = Table.__struct_encode_fields__
    for key in table:
        if key not in known:
            raise SettingsError(f"{where} {key}: there is no such key{_nearest(key, known)}")


def _check_selectors(where: str, selectors: Iterable[str]) -> None:
    codes = (EVERYTHING, *catalogue())
    for selector in selectors:
        if selector != EVERYTHING and (not selector or not any(code.startswith(selector) for code in codes[1:])):
            raise SettingsError(f"{where}: no rule has the code {selector!r}{_nearest(selector.upper(), codes)}")


def _check_patterns(where: str, lines: Iterable[str]) -> None:
    for line in lines:
        try:
            patterns((line,))
        except ValueError as error:
            raise SettingsError(f"{where} pattern {line!r}: {error}") from None


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1, 0.4)
    return f"; the nearest is {near[0]!r}" if near else ""
