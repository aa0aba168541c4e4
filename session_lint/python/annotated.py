"""Names that a module gives to annotations: ``SessionDep = Annotated[Session, Depends(get_db)]``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from session_lint.python.scopes import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.python.names import Names


def named_annotations(names: Names) -> Iterator[str]:
    """The variables of a module that stand for an ``Annotated[…]``, and so for what others are told to be."""
    for name, bindings in names.scopes.module.bindings.items():
        if any(binding.kind is BindingKind.VALUE and _is_annotated(binding.node) for binding in bindings):
            yield name


def _is_annotated(node: ast.AST) -> bool:
    """Whether an expression is an ``Annotated[…]``, by whatever it is imported from."""
    if not isinstance(node, ast.Subscript):
        return False
    return getattr(node.value, "id", getattr(node.value, "attr", "")) == "Annotated"
