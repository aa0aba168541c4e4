"""The flake8 plugin.

Style rules (those that are off by default) run only when the plugin's own options, ``[tool.session-lint]`` or flake8's
``--select`` and ``--extend-select`` name them; flake8's have to name the whole code, since ``--select SES`` is how one
asks flake8 for this plugin at all. ``# noqa`` is flake8's business; what it silences is looked at only to tell of
comments that silence nothing.

Findings are kept where the command keeps them, for files whose content is what flake8 has read.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from session_lint import __version__
from session_lint.engine import concerned, forget, lint_content, lint_source, prepare, unconcerned
from session_lint.files import excluded
from session_lint.finding import Location
from session_lint.options import Options, declare, given
from session_lint.python.modules import absolute
from session_lint.rules.file_not_analysed import rule as not_analysed
from session_lint.rules.unused_suppression import BLANKET
from session_lint.settings import Settings, SettingsError
from session_lint.source import Source, SourceError, decode
from session_lint.suppress import heard

if TYPE_CHECKING:
    import argparse
    import ast
    from collections.abc import Iterator, Sequence

    from session_lint.finding import Finding
    from session_lint.recording import Baseline

_MOST_FOLDERS = 8
"""How many folders may be looked at beforehand; of more, the processes learn what they need."""


class Plugin:
    """What flake8 makes of each file.

    :param tree: the file's syntax tree.
    :param filename: as flake8 names it.
    :param lines: its text.
    """

    name = "session-lint"
    version = __version__
    options: ClassVar[Options] = Options()
    seen: ClassVar[set[str]] = set()

    def __init__(self, tree: ast.Module, filename: str, lines: Sequence[str]) -> None:
        self.tree = tree
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(manager: Any) -> None:  # noqa: ANN401  (flake8 is not needed to import this module)
        """Tell flake8 of our own options."""
        declare(manager)

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Keep what flake8 read from its command line and its configuration."""
        isolated = bool(getattr(options, "isolated", False)) or _isolated(sys.argv[1:])
        cls.options = given(options, isolated=isolated)
        _settings.cache_clear()
        _recorded.cache_clear()
        cls._begin()
        if _forks(options):
            cls._prepare(getattr(options, "filenames", None) or ["."])

    @classmethod
    def _prepare(cls, names: Sequence[str]) -> None:
        """Learn once, before flake8 forks, what the files of each folder have in common."""
        for folder in [place for name in names if (place := absolute(Path(name))).is_dir()][:_MOST_FOLDERS]:
            with contextlib.suppress(Exception):  # whatever it is, the files tell of it
                prepare(folder / "any.py", _settings(folder, cls.options))

    @classmethod
    def _begin(cls) -> None:
        """Begin a run: files may have changed since the last one."""
        cls.seen.clear()
        forget()

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """The findings: line from 1, column from 0, code and message.

        Raises nothing: that would end flake8's whole run.
        """
        for finding in self._findings():
            row, column, message = finding.location.row, finding.location.column - 1, finding.message
            if message.startswith(BLANKET):  # flake8 would silence it where it stands
                row, column, message = 1, 0, message.replace(BLANKET, f"{BLANKET} in line {row}", 1)
            yield row, column, f"{finding.code}{finding.mark} {message}", type(self)

    def _findings(self) -> list[Finding]:
        try:
            if self.filename in self.seen:  # a program that runs flake8's checks more than once
                self._begin()
            self.seen.add(self.filename)
            path = Path(self.filename)
            settings = _settings(absolute(path).parent, self.options)
            if settings.force_exclude and excluded(path, settings):
                return []
            text = "".join(self.lines).removeprefix("\ufeff")
            source = Source(self.filename, text)
            found = self._found(source, path, settings)
            recorded = self.options.baseline or settings.baseline
            return self._new(found, source, recorded) if found and recorded else found
        except SettingsError as error:
            return [not_analysed.finding_at(self.filename, Location(1, 1), reason="; ".join(str(error).splitlines()))]
        except Exception as error:  # noqa: BLE001  (see run)
            reason = f"internal error: {type(error).__name__}: {error}"
            return [not_analysed.finding_at(self.filename, Location(1, 1), reason=reason)]

    def _found(self, source: Source, path: Path, settings: Settings) -> list[Finding]:
        if not concerned(source.text.encode(errors="replace"), path, settings):
            return unconcerned(source, settings, noqa=False)
        data = _content(path, source.text)
        if data is None:
            return lint_source(source, settings, self.tree, noqa=False)
        return list(lint_content(data, path, settings, self.tree, noqa=False).findings)

    def _new(self, found: list[Finding], source: Source, baseline: str) -> list[Finding]:
        """The findings that the baseline does not record for this very file.

        Which file an entry of a lost file belongs to takes all files together, and that is the command's to say. What
        flake8 will silence uses up no entry: the command had not seen it when it recorded the others.
        """
        recorded = _recorded(Path(baseline))
        place = recorded.place(self.filename)
        mine = replace(recorded, entries=tuple(entry for entry in recorded.entries if entry.path == place))
        known = mine.compared(heard(source, found), lambda _: source, lambda _: False).known
        return [finding for finding in found if not any(finding is one for one in known)]


@lru_cache
def _recorded(file: Path) -> Baseline:
    """A baseline, read once."""
    from session_lint.recording import read  # noqa: PLC0415  (most runs need none)

    return read(file)


def _content(path: Path, text: str) -> bytes | None:
    """The bytes of a file; ``None`` where they are not what flake8 read: that was standard input, or they changed."""
    try:
        data = path.read_bytes()
        said = decode(str(path), data).text
    except (OSError, SourceError):
        return None
    return data if said == text or _unix(said) == _unix(text) else None


def _unix(text: str) -> str:
    """A text with one kind of line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _isolated(arguments: Sequence[str]) -> bool:
    """Whether flake8 was started with ``--isolated``, which it takes off its arguments before it makes its options."""
    return any(argument.startswith("--i") and "--isolated".startswith(argument) for argument in arguments)


def _forks(options: argparse.Namespace) -> bool:
    """Whether flake8 will look at files in processes that begin with what this one knows."""
    if getattr(getattr(options, "jobs", None), "n_jobs", 0) == 1:
        return False
    method = multiprocessing.get_start_method(allow_none=True)
    return method == "fork" or (method is None and sys.platform == "linux" and sys.version_info < (3, 14))


@lru_cache
def _settings(folder: Path, options: Options) -> Settings:
    """The settings in a folder, with flake8's options over them."""
    return options.settings(folder)
