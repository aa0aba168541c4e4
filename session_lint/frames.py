"""Some byte strings as one, each behind its length: what is kept between runs is read without a library for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD = 8  # bytes


def packed(parts: Iterable[bytes]) -> bytes:
    """The strings as one."""
    return b"".join(len(part).to_bytes(_HEAD, "big") + part for part in parts)


def unpacked(data: bytes) -> list[bytes]:
    """The strings again.

    :raises ValueError: where the bytes are no such strings.
    """
    found, place = [], 0
    while place < len(data):
        start = place + _HEAD
        place = start + int.from_bytes(data[place:start], "big")
        found.append(data[start:place])
    if place != len(data):
        raise ValueError("the last string is cut off")
    return found
