"""The catalogue: every module of this package is one rule; nothing is registered, nothing is listed twice."""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.rule import Rule


def names() -> list[str]:
    """The names of all rules, which their modules have; none of them is imported."""
    return [module.replace("_", "-") for module in _modules()]


@cache
def catalogue() -> dict[str, Rule]:
    """All rules by code, in the order of their codes.

    :raises RuleError: where a module holds no rule, or two rules share a code.
    """
    from session_lint.rule import Rule, RuleError  # noqa: PLC0415  (names alone are asked for, too)

    rules: dict[str, Rule] = {}
    for module in _modules():
        name = f"{__name__}.{module}"
        rule = getattr(importlib.import_module(name), "rule", None)
        if not isinstance(rule, Rule):
            raise RuleError(f"{name}: the module defines no value `rule`")
        if rule.code in rules:
            raise RuleError(f"{name}: code {rule.code} is {rules[rule.code].module}'s already")
        rules[rule.code] = rule
    return dict(sorted(rules.items()))


def _modules() -> list[str]:
    """The names of the rules' modules; pkgutil would import the half of what inspects code for them."""
    files = (os.path.splitext(file) for folder in __path__ for file in os.listdir(folder))  # noqa: PTH122, PTH208
    return sorted(name for name, suffix in files if suffix == ".py" and name != "__init__")
