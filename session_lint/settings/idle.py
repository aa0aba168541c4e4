"""Settings without effect: nothing is wrong with them, and nothing would change without them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from session_lint.rules import catalogue
from session_lint.settings.reading import NAMES, holds_settings
from session_lint.settings.values import EVERYTHING, patterns
from session_lint.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from session_lint.rule import Rule
    from session_lint.settings.values import Settings


def idle_settings(settings: Settings, files: Iterable[Path]) -> list[str]:
    """What of some settings has no effect, a line each.

    :param settings: as they were read, without a command line over them.
    :param files: all files that they are for.
    """
    places = [place for file in files if (place := settings.relative(file)) is not None]
    return [*_unread(settings), *_ignores(settings), *_files(settings, places)]


def _unread(settings: Settings) -> Iterator[str]:
    """Files that another one beside them hides."""
    for file in settings.files[:1]:
        for name in NAMES[NAMES.index(file.name) + 1 :] if file.name in NAMES else ():
            other = file.parent / name
            if other not in settings.files and holds_settings(other):
                yield f"{other}: it is not read, because {file.name} stands beside it"


def _ignores(settings: Settings) -> Iterator[str]:
    """Selectors whose rules would, or would not, run anyway."""
    for key in ("ignore", "extend_ignore", "extend_select"):
        selectors: tuple[str, ...] = getattr(settings, key)
        for selector in selectors:
            others: dict[str, Any] = {key: tuple(other for other in selectors if other != selector)}
            without = replace(settings, **others)
            if _running(without) == _running(settings):
                state = "run" if key == "extend_select" else "do not run"
                yield f"{key.replace('_', '-')}: {selector!r} changes nothing: its rules {state} without it, too"


def _files(settings: Settings, places: list[str]) -> Iterator[str]:
    """Entries of ``per-file-ignores`` for no file, or for rules that do not run."""
    running = _running(settings)
    for pattern, selectors in settings.per_file_ignores:
        if not any(patterns((pattern,)).match_file(place) for place in places):
            yield f"per-file-ignores: {pattern!r} matches no file"
            continue
        for selector in selectors:
            if not any(_covers(selector, rule) for rule in running):
                yield f"per-file-ignores: {pattern!r}: {selector!r} stands for no rule that runs"


def _running(settings: Settings) -> list[Rule]:
    """The rules that run; SES900 does until it is ignored."""
    return [
        rule
        for rule in catalogue().values()
        if settings.selected(rule) or (rule.code == "SES900" and not settings.ignored(rule))
    ]


def _covers(selector: str, rule: Rule) -> bool:
    return selector == EVERYTHING or rule.code.startswith(selector)
