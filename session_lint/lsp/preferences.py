"""The settings that hold for a file in an editor: its configuration file's, with the editor's own over them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from session_lint.settings import Settings, SettingsError, load, override

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION = ("pyproject.toml", "session-lint.toml")
SECTION = "session-lint"


class Options(msgspec.Struct, rename="camel", forbid_unknown_fields=True, frozen=True):
    """What an editor may set, as ``initializationOptions`` or as the section ``session-lint`` of its configuration.

    :param select: the rules to run instead of those that the configuration file names; ``ignore``, ``extend_select``
        and ``extend_ignore`` likewise.
    :param configuration: the configuration file to read, instead of the nearest one.
    :param isolated: whether to read no configuration file.
    :param no_project: whether each file is judged by itself.
    :param delay: milliseconds without a change after which the whole text is looked at.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    extend_ignore: tuple[str, ...] | None = None
    configuration: str | None = None
    isolated: bool = False
    no_project: bool = False
    delay: int = 400


def read_options(given: object) -> Options:
    """An editor's options, wherever it puts them: at the top, or under ``settings`` or ``session-lint``.

    :raises SettingsError: where they cannot be followed.
    """
    table = given if isinstance(given, dict) else {}
    for key in ("settings", SECTION):
        if isinstance(table.get(key), dict):
            table = table[key]
    try:
        return msgspec.convert(table, Options)
    except msgspec.ValidationError as error:
        raise SettingsError(f"the editor's settings of session-lint: {error}") from None


@dataclass
class Preferences:
    """The settings of each folder, looked up once until something about them changes.

    :param options: the editor's own.
    """

    options: Options = field(default_factory=Options)
    _known: dict[Path, Settings | SettingsError] = field(default_factory=dict)

    def forget(self) -> None:
        """Look everything up anew: a configuration file has changed."""
        self._known.clear()

    def settings_for(self, path: Path | None) -> Settings:
        """The settings that hold for a file, or for a text without one.

        :raises SettingsError: where they cannot be followed.
        """
        folder = path.parent if path is not None else Path.cwd()
        if folder not in self._known:
            self._known[folder] = self._read(folder)
        found = self._known[folder]
        if isinstance(found, SettingsError):
            raise found
        return found if path is not None else replace(found, whole_project=False)

    def _read(self, folder: Path) -> Settings | SettingsError:
        options = self.options
        named = Path(options.configuration).expanduser() if options.configuration else None
        try:
            settings = load(folder, isolated=options.isolated, config=named)
            rules = {name: getattr(options, name) for name in ("select", "ignore", "extend_select", "extend_ignore")}
            switches: Mapping[str, Any] = {"whole_project": False} if options.no_project else {}
            return override(settings, cache=False, **rules, **switches)
        except SettingsError as error:
            return error
