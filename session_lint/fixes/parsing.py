"""The one way in which codemods read a text."""

from __future__ import annotations

from functools import lru_cache

import libcst as cst
from libcst.metadata import MetadataWrapper

from session_lint.fixes import CannotFix


@lru_cache(maxsize=4)  # the findings of a file come one after the other
def parsed(text: str) -> MetadataWrapper:
    """The concrete tree of a module, with its positions.

    :raises CannotFix: where the tree does not give the text back byte for byte: libcst drops form feeds.
    """
    module = cst.parse_module(text)
    if module.code != text:
        raise CannotFix("the file cannot be rewritten without changing other lines: it has form feeds")
    return MetadataWrapper(module, unsafe_skip_copy=True)
