"""Which class an annotation speaks of."""

from __future__ import annotations

import ast
from functools import lru_cache

from session_lint.python.nodes import is_none
from session_lint.python.scopes import below

_WRAPPING = ("Optional", "Annotated", "ClassVar", "Final", "InitVar", "Required", "NotRequired")
_DEEPEST = 6
"""How many layers an annotation is peeled of; real ones have two or three."""


def annotated_class(annotation: ast.expr) -> ast.expr | None:
    """The expression for the class that a value is annotated to be an object of.

    :returns: ``None`` where it is several classes, or no class at all.
    """
    found = annotated_classes(annotation)
    return found[0] if len(found) == 1 else None


def annotated_classes(annotation: ast.expr, depth: int = 0) -> list[ast.expr]:
    """The same for all classes that it may be of: none where one of them cannot be told.

    Forward references are read, ``Optional[X]``, ``X | None``, ``Annotated[X, …]`` and the like peeled.
    """
    if depth > _DEEPEST:
        return []
    if isinstance(annotation, ast.Constant):
        inner = _parsed(annotation.value) if isinstance(annotation.value, str) else None
        return [] if inner is None else annotated_classes(inner, depth + 1)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _each([annotation.left, annotation.right], depth)
    if isinstance(annotation, ast.Subscript):
        word = _word(annotation.value)
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        if word in _WRAPPING:
            return annotated_classes(parts[0], depth + 1) if parts else []
        if word == "Union":
            return _each(parts, depth)
    return [annotation]


def class_meant(annotation: ast.expr) -> ast.expr | None:
    """The class that ``type[X]`` says a value is; ``None`` where an annotation says what it is an object of."""
    if not isinstance(annotation, ast.Subscript) or _word(annotation.value) not in ("type", "Type"):
        return None
    return annotated_class(annotation.slice)


def tuple_part(annotation: ast.expr | None, index: int) -> ast.expr | None:
    """The annotation of what stands at a place of a tuple; ``None`` where it says nothing of it."""
    whole = annotated_class(annotation) if annotation is not None else None
    if not isinstance(whole, ast.Subscript) or _word(whole.value) not in ("tuple", "Tuple"):
        return None
    parts = whole.slice.elts if isinstance(whole.slice, ast.Tuple) else []
    return parts[index] if index < len(parts) else None


def parts_of(annotation: ast.expr) -> list[ast.AST]:
    """The nodes of an annotation, with those of what stands in quotes."""
    found = below(annotation)
    texts = [node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [*found, *(node for text in texts if (inner := _parsed(text)) is not None for node in below(inner))]


def _each(parts: list[ast.expr], depth: int) -> list[ast.expr]:
    """The classes of all parts that are not ``None``."""
    found = [annotated_classes(part, depth + 1) for part in parts if not is_none(part)]
    return [one for classes in found for one in classes] if all(found) else []


def _word(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@lru_cache(maxsize=1024)
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
