"""Whether a text may use some words as names, as far as its bytes tell.

A file's text is searched before anything is parsed, so this has to be fast, and it may err only on the side of too
much. English prose in comments and docstrings holds many of the words, too; there they stand beside other words, which
names in code do not.
"""

from __future__ import annotations

import re
from functools import lru_cache
from keyword import kwlist, softkwlist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_FEW = 40
"""Up to so many words are looked for one after the other, which is faster than all at once."""
_KEYWORDS = frozenset(word.encode() for word in (*kwlist, *softkwlist, "match", "case", "type", "_"))
"""The words that may stand beside a name, in any version of Python."""
_BEFORE = re.compile(rb"\w+[ \t]+\Z")
_AFTER = re.compile(rb"[ \t]+(?:([^\W\d]\w*)(?=([\"']?))|[\d`$?])")
LETTERS = rb"[\w\x80-\xff]"
"""A byte of a name: those of letters beyond ASCII are no letters to a pattern."""
_OF_WORDS = frozenset(re.findall(rb"\w", bytes(range(256))))
_LONGEST = 40
"""Bytes in front of a name that are looked at: longer than any keyword."""


def finder(words: Iterable[str]) -> Callable[[bytes], bool]:
    """What tells whether a file's bytes hold one of some words where a name may stand."""
    wanted = [word.encode() for word in sorted(words)]
    if not wanted:
        return lambda _: False
    if len(wanted) <= _FEW:
        return lambda data: any(_says(data, word) for word in wanted)
    whole = re.compile(rb"\b(?:%s)\b" % b"|".join(wanted)).finditer
    return lambda data: any(_may_be_name(data, *found.span()) for found in whole(data))


@lru_cache(maxsize=256)
def namer(name: str) -> Callable[[bytes], bool]:
    """What tells whether a file's bytes hold a name where one may stand, or the end of a path: ``.name``."""
    if name.isidentifier() and name.isascii():
        return finder([name])
    search = re.compile(rb"%s(?!%s)" % (re.escape(name.encode()), LETTERS)).search
    return lambda data: search(data) is not None


@lru_cache(maxsize=4)
def importer(packages: frozenset[str]) -> Callable[[bytes], bool]:
    """What tells whether a file's bytes may import one of some packages, by a statement or by a call that says so."""
    wanted = [package.encode() for package in sorted(packages)]
    if not wanted:
        return lambda _: False
    any_of = b"|".join(wanted)
    others = rb"(?:[\w. \t]+,(?:[ \t]|\\\r?\n)*)*"  # import os, sqlalchemy
    forms = (rb"from[ \t]+(?:%s)\b" % any_of, rb"import[ \t]+%s(?:%s)\b" % (others, any_of))
    said = rb"(?:^|[;:])[ \t]*(?:%s|%s)|import\w*\(\s*[rRuUbB]?[\"'](?:%s)\b" % (*forms, any_of)
    search = re.compile(said, re.MULTILINE).search
    return lambda data: any(package in data for package in wanted) and search(data) is not None


def _says(data: bytes, word: bytes) -> bool:
    """Whether a text holds a word as a whole, where a name may stand."""
    start = data.find(word)
    while start >= 0:
        end = start + len(word)
        whole = data[end : end + 1] not in _OF_WORDS and data[start - 1 : start] not in _OF_WORDS
        if whole and _may_be_name(data, start, end):
            return True
        start = data.find(word, end)
    return False


def _may_be_name(data: bytes, start: int, end: int) -> bool:
    """Whether a word is not surely one of a sentence: beside names there are only keywords, and prefixed strings."""
    after = _AFTER.match(data, end)
    if after is not None and after[1] not in _KEYWORDS:
        return False
    before = _BEFORE.search(data[max(0, start - _LONGEST) : start])
    return before is None or before[0].strip() in _KEYWORDS
