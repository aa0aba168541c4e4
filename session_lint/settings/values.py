"""The settings of a run, and which rules they select.

Which rules run is decided as flake8 and ruff decide it: a selector is the beginning of a code (``SES1``), a whole code
or ``ALL``; where one selector selects a rule and another ignores it, the longer one wins, and ignoring wins a tie.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.errors import UserError
from session_lint.values import dataclass, field, replace
from session_lint.vocabulary import Tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pathspec import GitIgnoreSpec

    from session_lint.rule import Rule

EVERYTHING = "ALL"
SELECTORS = ("select", "ignore", "extend_select", "extend_ignore")


@dataclass(frozen=True)
class Mistake:
    """One thing in a settings file that cannot be followed.

    :param line: from 1; ``None`` where it is not known.
    :param key: the table and the key, as a reader of the file looks for them.
    :param what: what is wrong, with the nearest thing that would be right.
    """

    file: Path
    line: int | None
    key: str
    what: str

    def __str__(self) -> str:
        """One line of a terminal: ``file:line: key: what``."""
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return ": ".join(part for part in (place, self.key, self.what) if part)


class SettingsError(UserError):
    """Settings that cannot be followed; the message has a line for each mistake, with its file and key.

    :param mistakes: those that stand in files.
    """

    def __init__(self, message: str, mistakes: tuple[Mistake, ...] = ()) -> None:
        super().__init__(message)
        self.mistakes = mistakes

    @classmethod
    def of(cls, mistakes: Iterable[Mistake]) -> SettingsError:
        """All mistakes of some files, each said once."""
        each = tuple(dict.fromkeys(mistakes))
        return cls("\n".join(map(str, each)), each)


@dataclass(frozen=True)
class Settings:
    """One run's settings; what a key means is said in :class:`session_lint.settings.table.Table`.

    What is shown is what findings rest on: they are kept between runs by it.

    :param exclude: empty for the usual folders.
    :param per_file_ignores: pairs of a file pattern and the selectors that are ignored in the files it matches.
    :param ignores_here: the same from an option: patterns relative to the current folder.
    :param root: the folder that patterns are relative to, the settings file's; ``None`` for the current folder.
    :param vocabulary: what names mean beside what the tool knows itself.
    :param baseline: an absolute path.
    :param files: the settings files that were read, the nearest first.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    extend_ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    extend_exclude: tuple[str, ...] = ()
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ignores_here: tuple[tuple[str, tuple[str, ...]], ...] = ()
    force_exclude: bool = False
    root: Path | None = None
    cache: bool = True
    whole_project: bool = True
    vocabulary: Tables = field(default_factory=Tables)
    require_reason: bool = False
    notebooks: bool = field(default=True, repr=False)
    markdown: bool = field(default=False, repr=False)
    output_format: str | None = field(default=None, repr=False)
    error_on: str | None = field(default=None, repr=False)
    baseline: str | None = field(default=None, repr=False)
    unsafe_fixes: bool = field(default=False, repr=False)
    jobs: int = field(default=0, repr=False)
    files: tuple[Path, ...] = field(default=(), repr=False, compare=False)

    def selected(self, rule: Rule, filename: str = "") -> bool:
        """Whether a rule's findings are wanted.

        :param filename: the file they are in; empty where it does not matter.
        """
        wanted = longest(rule.code, (*self.select, *self.extend_select))
        if wanted < 0 and not self.select and rule.default:
            wanted = 0
        unwanted = longest(rule.code, (*self.ignore, *self.extend_ignore))
        return wanted > unwanted and not self._ignored_in(rule, filename)

    def ignored(self, rule: Rule, filename: str = "") -> bool:
        """Whether a rule's findings were turned off in so many words; what was only not selected is not ignored."""
        selectors = (*self.select, *self.extend_select)
        unwanted = longest(rule.code, (*self.ignore, *self.extend_ignore))
        return unwanted > max(0, longest(rule.code, selectors)) or self._ignored_in(rule, filename)

    def relative(self, path: Path | str) -> str | None:
        """A path below the root, with slashes, or ``None`` when it is elsewhere."""
        try:
            found = os.path.relpath(path, self.root or Path.cwd())
        except ValueError:  # another drive
            return None
        return None if found.split(os.sep, 1)[0] == os.pardir else found.replace(os.sep, "/")

    def _ignored_in(self, rule: Rule, filename: str) -> bool:
        if not filename or not (self.per_file_ignores or self.ignores_here):
            return False
        return _matched(rule, self.relative(filename), self.per_file_ignores) or _matched(
            rule, Settings().relative(filename), self.ignores_here
        )


def _matched(rule: Rule, place: str | None, ignores: tuple[tuple[str, tuple[str, ...]], ...]) -> bool:
    return place is not None and any(
        longest(rule.code, selectors) >= 0 and patterns((pattern,)).match_file(place) for pattern, selectors in ignores
    )


@lru_cache
def patterns(lines: tuple[str, ...]) -> GitIgnoreSpec:
    """Patterns of a settings file, ready to match."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  (most runs need none)

    return GitIgnoreSpec.from_lines(lines)


def override(settings: Settings, **options: Any) -> Settings:
    """The command line over a file's settings.

    ``select`` starts afresh: the file's selectors of every kind are forgotten. Without it, selectors are added to the
    file's, and those of the file that they contradict are forgotten.

    :param options: fields of :class:`Settings`; ``None`` is an option that was not given. ``per_file_ignores`` are
        relative to the current folder, and take the place of the file's.
    :raises SettingsError: with a line for each option that cannot be followed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    wrong = [f"--{_kebab(n)}: {what}" for n in SELECTORS for what in unknown_selectors(given.get(n, ()))]
    if "per_file_ignores" in given:
        given["ignores_here"] = tuple((pattern, tuple(codes)) for pattern, codes in given.pop("per_file_ignores"))
        settings = replace(settings, per_file_ignores=())
        for pattern, codes in given["ignores_here"]:
            wrong += [f"--per-file-ignores: {what}" for what in (*unknown_selectors(codes), *bad_pattern(pattern))]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return stacked(settings, given)


def stacked(settings: Settings, given: dict[str, Any]) -> Settings:
    """Settings with others over them; see :func:`override`."""
    given = {name: tuple(value) if name in SELECTORS else value for name, value in given.items()}
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


def longest(code: str, selectors: Iterable[str]) -> int:
    """How many characters of a code the best of the selectors names; -1 when none does."""
    return max(
        (0 if s == EVERYTHING else len(s) for s in selectors if s == EVERYTHING or code.startswith(s)), default=-1
    )


def _apart(selectors: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """The selectors that none of the others covers."""
    return tuple(s for s in selectors if not any(o == EVERYTHING or s.startswith(o) for o in others))


def unknown_selectors(selectors: Iterable[str]) -> list[str]:
    """What is wrong with each selector that names no rule."""
    selectors = tuple(selectors)
    if not selectors:
        return []
    from session_lint.rules import catalogue  # noqa: PLC0415  (most runs are told of none)

    codes = (EVERYTHING, *catalogue())
    return [
        f"no rule has the code {selector!r}{nearest(selector.upper(), codes)}"
        for selector in selectors
        if selector != EVERYTHING and (not selector or not any(code.startswith(selector) for code in codes[1:]))
    ]


def bad_pattern(line: str) -> list[str]:
    """What is wrong with a pattern, if anything."""
    try:
        patterns((line,))
    except ValueError as error:
        return [f"pattern {line!r}: {error}"]
    return []


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word: what was probably meant, if anything is near."""
    import difflib  # noqa: PLC0415  (most runs make no mistake)

    near = difflib.get_close_matches(word, list(known), 1, 0.4)
    return f"; the nearest is {near[0]!r}" if near else ""


def _kebab(name: str) -> str:
    return name.replace("_", "-")
