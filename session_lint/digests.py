"""BLAKE2b, without all that :mod:`hashlib` brings along.

OpenSSL, which that loads, takes longer than the digests of a short run; the standard library's `random` goes round it
in the same way. Digests know content again here, and keep no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import blake2b
else:
    try:
        from _blake2 import blake2b  # CPython's and PyPy's own; no OpenSSL
    except ImportError:  # a Python that was built without it
        from hashlib import blake2b

__all__ = ["blake2b"]
