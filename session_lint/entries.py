"""Findings as bytes, to be kept between runs, in a form of their own: it holds values and cannot hold code.

Each value is a letter for its kind and what it is made of, each part behind its length. What an earlier run has found
is thus told without a library, which would take longer to import than all the rest takes.
"""

from __future__ import annotations

from session_lint.finding import Applicability, Finding, Fix, Location, Severity, Step
from session_lint.frames import packed, unpacked

NOTHING = b"("
"""No findings."""
_RECORDS: dict[bytes, type] = {b"F": Finding, b"L": Location, b"S": Step, b"X": Fix, b"(": tuple}
_WORDS: dict[bytes, type] = {b"a": Applicability, b"i": int, b"s": str, b"v": Severity}
_CONSTANTS = {b"0": False, b"1": True, b"-": None}
_LETTERS = {kind: letter for letter, kind in (*_RECORDS.items(), *_WORDS.items())}


def encoded(findings: tuple[Finding, ...]) -> bytes:
    """Findings as bytes.

    :raises ValueError: where they would not come back equal.
    """
    return _written(findings)


def decoded(content: bytes) -> tuple[Finding, ...]:
    """The findings again.

    :raises ValueError: where the bytes are none.
    """
    try:
        found = _read(content)
    except (KeyError, TypeError) as error:
        raise ValueError(f"it is not a value: {error}") from None
    if not isinstance(found, tuple) or not all(isinstance(one, Finding) for one in found):
        raise ValueError("it is something else than findings")
    return found


def _written(of: object) -> bytes:
    constant = next((letter for letter, one in _CONSTANTS.items() if one is of), None)
    if constant is not None:
        return constant
    letter = _LETTERS.get(type(of))
    if letter is None:
        raise ValueError(f"a {type(of).__name__} cannot be kept")
    if letter in _WORDS:
        return letter + str(of.value if isinstance(of, (Applicability, Severity)) else of).encode()
    parts = of if isinstance(of, tuple) else (getattr(of, name) for name in type(of).__match_args__)  # type: ignore[attr-defined]
    return letter + packed(map(_written, parts))


def _read(content: bytes) -> object:
    letter, rest = content[:1], content[1:]
    if letter in _CONSTANTS:
        return _CONSTANTS[letter]
    if letter in _WORDS:
        return _WORDS[letter](rest.decode())
    parts = tuple(map(_read, unpacked(rest)))
    return parts if letter == NOTHING else _RECORDS[letter](*parts)
