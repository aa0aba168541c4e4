"""What is wrong with a settings file: every mistake of it, found in one go."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import msgspec

from session_lint.settings.lines import line_of
from session_lint.settings.table import keys
from session_lint.settings.values import SELECTORS, Mistake, bad_pattern, nearest, unknown_selectors
from session_lint.vocabulary import Tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from session_lint.vocabulary import Vocabulary

NAMING_RULES = tuple(name.replace("_", "-") for name in SELECTORS)
_PATTERNS = ("exclude", "extend-exclude")
_ENTRY = re.compile(
    r"""(?:\.(?P<table>names|aliases))?\]\ ?(?P<name>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")?\ ?(?P<key>.*)""", re.VERBOSE
)
"""The place of a mistake in the vocabulary, as it is told; see :class:`session_lint.vocabulary.checking.Mistake`."""


@dataclass
class Layer:
    """One settings file.

    :param prefix: the tables that its keys stand in; none for a file of our own.
    :param table: its keys, as they stand there.
    :param given: what is right of them, by the names of fields.
    """

    file: Path
    text: str
    prefix: tuple[str, ...]
    table: dict[str, Any]
    given: dict[str, Any] = field(default_factory=dict)

    def mistake(self, path: tuple[str | int, ...], what: str, word: str = "", place: str = "") -> Mistake:
        """A mistake at a key.

        :param path: the way to it from the top of our keys.
        :param word: what stands in the value in its line.
        :param place: how to name the key, where that is not said by the way to it.
        """
        line = line_of(self.text, (*self.prefix, *(p for p in path if isinstance(p, str))), word)
        head = f"[{'.'.join(self.prefix)}] " if self.prefix else ""
        return Mistake(self.file, line, place or head + shown(path), what)


def check(layer: Layer, below: Vocabulary) -> list[Mistake]:
    """What is wrong with a file; what is right is put into ``given``.

    :param below: what names mean where the file says nothing.
    """
    found: list[Mistake] = []
    for key, value in layer.table.items():
        if key not in keys():
            found.append(layer.mistake((key,), f"there is no such key{nearest(key, keys())}"))
            continue
        name, kind = keys()[key]
        wrong = [*_mistyped(layer, value, kind, (key,)), *_misspelt(layer, key, value)]
        if key == "vocabulary" and not wrong:
            layer.given[name], wrong = _vocabulary(layer, value, below)
        elif not wrong:
            layer.given[name] = msgspec.convert(value, kind, strict=True)
        found += wrong
    return found


def shown(path: tuple[str | int, ...]) -> str:
    """A way to a key, as one reads it: ``select[0]``, ``per-file-ignores.'tests/**'``."""
    first, *rest = path
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part!r}" for part in rest)


def _mistyped(layer: Layer, value: Any, kind: Any, path: tuple[str | int, ...]) -> Iterator[Mistake]:  # noqa: ANN401
    """Each value of another type than is expected, as deep inside as can be said."""
    try:
        msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        inside = [wrong for part in _parts(value, kind, path) for wrong in _mistyped(layer, *part)]
        what = str(error).partition(" - at ")[0]
        choices = _choices(kind)
        if choices and isinstance(value, str):
            what = f"it may be {', '.join(map(repr, choices[:-1]))} or {choices[-1]!r}{nearest(value, choices)}"
        yield from inside or [layer.mistake(path, what[0].lower() + what[1:])]


def _parts(value: Any, kind: Any, path: tuple[str | int, ...]) -> list[tuple[Any, Any, tuple[str | int, ...]]]:  # noqa: ANN401
    """What a list or a table holds, each with its type and the way to it."""
    kind = _bare(kind)
    if isinstance(value, list) and get_origin(kind) is tuple:
        return [(item, get_args(kind)[0], (*path, number)) for number, item in enumerate(value)]
    if isinstance(value, dict) and get_origin(kind) is dict:
        return [(item, get_args(kind)[1], (*path, key)) for key, item in value.items()]
    return []


def _bare(kind: Any) -> Any:  # noqa: ANN401
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401
    return get_args(_bare(kind)) if get_origin(_bare(kind)) is Literal else ()


def _misspelt(layer: Layer, key: str, value: Any) -> Iterator[Mistake]:  # noqa: ANN401
    """Selectors that name no rule, and patterns that are none."""
    per_file = value if key == "per-file-ignores" and isinstance(value, dict) else {}
    lists: dict[tuple[str, ...], Any] = {(key, pattern): selectors for pattern, selectors in per_file.items()}
    if key in NAMING_RULES:
        lists[(key,)] = value
    for path, selectors in lists.items():
        for selector in _words(selectors):
            for what in unknown_selectors((selector,)):
                yield layer.mistake(path, what, selector)
    for line in _words(value) if key in _PATTERNS else per_file:
        for what in bad_pattern(line):
            yield layer.mistake((key,), what, line)


def _words(value: Any) -> list[str]:  # noqa: ANN401
    """What of a list is text."""
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _vocabulary(layer: Layer, content: dict[str, Any], below: Vocabulary) -> tuple[Tables, list[Mistake]]:
    if not content:
        return Tables(), []
    from session_lint.vocabulary.checking import checked  # noqa: PLC0415  (most runs need none)

    tables, wrong = checked(content, below)
    head = "[" + ".".join((*layer.prefix, "vocabulary"))
    return tables, [
        layer.mistake(("vocabulary", *_entry(m.place)), m.what + nearest(m.word, m.known), place=head + m.place)
        for m in wrong
    ]


def _entry(place: str) -> tuple[str, ...]:
    """The way to an entry of the vocabulary."""
    match = _ENTRY.fullmatch(place)
    assert match is not None
    name = ast.literal_eval(match["name"]) if match["name"] else ""
    return tuple(part for part in (match["table"], name, match["key"]) if part)
