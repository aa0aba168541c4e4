"""Which settings file counts for a folder, and what it says together with those that it extends.

The nearest file decides, upwards from what is checked. Of several in one folder the first of :data:`NAMES` does; a
``pyproject.toml`` counts where it has the table ``[tool.session-lint]``.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from session_lint.python.modules import absolute
from session_lint.settings.values import Mistake, Settings, SettingsError, nearest, stacked
from session_lint.values import replace
from session_lint.vocabulary import Tables

if TYPE_CHECKING:
    from session_lint.settings.checking import Layer

PYPROJECT = "pyproject.toml"
OWN = (".session-lint.toml", "session-lint.toml")
NAMES = (*OWN, PYPROJECT)


def load(start: Path, *, isolated: bool = False, config: Path | None = None) -> Settings:
    """The settings that hold in a folder.

    :param start: where the search goes up from, a file or a folder.
    :param isolated: whether to look at no file at all.
    :param config: the file to read instead of searching; one that is not a ``pyproject.toml`` may hold the keys at
        its top.
    :raises SettingsError: where a file cannot be read or followed, with all mistakes of all files that count.
    """
    if isolated and config is not None:
        raise SettingsError(f"--isolated reads no file, --config names {config}: give one of them")
    if isolated:
        return Settings()
    file = config or _nearest(absolute(start))
    if file is None:
        return Settings()
    mistakes: list[Mistake] = []
    layers = _layers(file, (), mistakes)
    settings = _together(layers, mistakes)
    if mistakes:
        raise SettingsError.of(mistakes)
    return settings


def configures(folder: Path) -> bool:
    """Whether a folder may have settings of its own; quick, and says yes more often than it should."""
    return any((folder / name).is_file() for name in NAMES)


def _nearest(start: Path) -> Path | None:
    """The settings file that counts for a folder."""
    for folder in (start, *start.parents):
        for name in NAMES:
            file = folder / name
            if holds_settings(file):
                return file
    return None


def holds_settings(file: Path) -> bool:
    """Whether there is such a file and it speaks of us: a broken one that does not is somebody else's business."""
    if file.name in OWN:
        return file.is_file()
    try:
        data = file.read_bytes()
        return b"session-lint" in data and "session-lint" in _parsed(data.decode()).get("tool", {})
    except OSError:
        return False
    except (ValueError, TypeError):  # it holds the word; what is wrong is told when it is read
        return True


def _parsed(text: str) -> dict[str, Any]:
    """What a TOML file says.

    :raises ValueError: where it is none.
    """
    if sys.version_info >= (3, 11):
        import tomllib  # noqa: PLC0415  (many runs have no file)
    else:
        import tomli as tomllib  # noqa: PLC0415

    return tomllib.loads(text)


def _layers(file: Path, way: tuple[Path, ...], mistakes: list[Mistake]) -> list[Layer]:
    """A file and those that it extends, the outermost first.

    :param way: the files that lead here.
    :param mistakes: grows by what is wrong with them.
    """
    layer = _layer(file, mistakes)
    if layer is None:
        return []
    extended = layer.table.get("extend")
    if not isinstance(extended, str):
        return [layer]
    target = Path(os.path.normpath(absolute(file).parent / os.path.expanduser(extended)))  # noqa: PTH111  (no error)
    way = (*way, absolute(file))
    if target in way:
        circle = " > ".join(place.name for place in (*way[way.index(target) :], target))
        mistakes.append(layer.mistake(("extend",), f"the files extend each other in a circle: {circle}"))
    elif "\0" in extended or not target.is_file():
        beside = (target.parent / name for name in NAMES)
        near = nearest(target.name, (place.name for place in beside if place.is_file() and place not in way))
        mistakes.append(layer.mistake(("extend",), f"there is no file {target}{near}"))
    else:
        return [*_layers(target, way, mistakes), layer]
    return [layer]


def _layer(file: Path, mistakes: list[Mistake]) -> Layer | None:
    """A file's keys; ``None`` where it has none."""
    from session_lint.settings.checking import Layer  # noqa: PLC0415  (many runs have no file)

    try:
        text = file.read_text("utf-8")
        content = _parsed(text)
    except OSError as error:
        mistakes.append(Mistake(file, None, "", f"cannot be read: {error.strerror or error}"))
        return None
    except ValueError as error:  # not TOML, or not UTF-8
        at = re.search(r"at line (\d+), column \d+", str(error))
        mistakes.append(Mistake(file, int(at[1]) if at else None, "", f"not a TOML file: {error}"))
        return None
    table: Any = content
    prefix: tuple[str, ...] = ()
    tool = content.get("tool")
    if file.name == PYPROJECT or isinstance(tool, dict) and "session-lint" in tool:
        prefix = ("tool", "session-lint")
        table = tool.get("session-lint") if isinstance(tool, dict) else tool
    if file.name in OWN and prefix:
        mistakes.append(Mistake(file, None, "[tool.session-lint]", "in this file the keys stand at the top"))
    elif prefix and "tool" in content and not isinstance(tool, dict):
        mistakes.append(Mistake(file, None, "tool", "expected a table"))
    elif table is None:
        mistakes.append(Mistake(file, None, "", "there is no table [tool.session-lint]"))
    elif not isinstance(table, dict):
        mistakes.append(Mistake(file, None, "[tool.session-lint]", "expected a table"))
    else:
        return Layer(file, text, prefix, table)
    return None


def _together(layers: list[Layer], mistakes: list[Mistake]) -> Settings:
    """What some files say, each going over those before it."""
    settings = Settings()
    if not layers:
        return settings
    from session_lint.settings.checking import check  # noqa: PLC0415  (many runs have no file)
    from session_lint.vocabulary import vocabulary  # noqa: PLC0415

    top = absolute(layers[-1].file).parent
    homes = [_home(layer, top) for layer in layers]
    root = min(homes, key=lambda home: len(home.parts))
    for number, (layer, home) in enumerate(zip(layers, homes, strict=True)):
        mistakes += check(layer, vocabulary(settings.vocabulary))
        settings = _over(settings, layer, home.relative_to(root).as_posix(), first=number == 0)
    return replace(settings, root=root, files=tuple(absolute(layer.file) for layer in reversed(layers)))


def _home(layer: Layer, top: Path) -> Path:
    """The folder that a file's patterns are relative to.

    It is the file's own. A file that does not stand above the one that extends it is shared by folders elsewhere: its
    patterns are read as if they stood in that one.
    """
    folder = absolute(layer.file).parent
    return folder if folder == top or folder in top.parents else top


def _over(below: Settings, layer: Layer, place: str, *, first: bool) -> Settings:
    """Settings with a file's over them: tables and ``extend-`` lists grow, everything else is replaced.

    :param place: of the folder that the file's patterns are relative to, below the root.
    """
    given = dict(layer.given)
    given.pop("extend", None)
    own: Tables = given.pop("vocabulary", Tables())
    if place != ".":
        for name in ("exclude", "extend_exclude"):
            given[name] = tuple(anchored(pattern, place) for pattern in given[name]) if name in given else None
    ignores = tuple((anchored(pattern, place), codes) for pattern, codes in given.pop("per_file_ignores", {}).items())
    given = {name: value for name, value in given.items() if value is not None}
    if "baseline" in given:
        given["baseline"] = str(absolute(layer.file).parent / given["baseline"])
    given["extend_exclude"] = (*below.extend_exclude, *given.get("extend_exclude", ()))
    given["per_file_ignores"] = (*below.per_file_ignores, *ignores)
    names = {**dict(below.vocabulary.names), **dict(own.names)}
    aliases = {**dict(below.vocabulary.aliases), **dict(own.aliases)}
    given["vocabulary"] = Tables(tuple(names.items()), tuple(aliases.items()))
    return replace(below, **given) if first else stacked(below, given)


def anchored(pattern: str, place: str) -> str:
    """A pattern that was written for a folder, as one for a folder above it.

    :param place: the way from the one above to the one that it was written for, with slashes; ``.`` for the same.
    """
    if place == "." or not pattern.strip() or pattern.startswith("#"):
        return pattern
    refused, body = pattern.startswith("!"), pattern.removeprefix("!")
    deep = "" if "/" in body.rstrip().rstrip("/") else "**/"
    folder = re.sub(r"([\\*?\[\]])", r"\\\1", place)
    return f"{'!' * refused}/{folder}/{deep}{body.removeprefix('/')}"
