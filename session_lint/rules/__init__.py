"""The catalogue: every module of this package is one rule; nothing is registered, nothing is listed twice."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from session_lint.rule import Rule, RuleError


def names() -> list[str]:
    """The names of all rules, which their modules have; none of them is imported."""
    return [info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__)]


@cache
def catalogue() -> dict[str, Rule]:
    """All rules by code, in the order of their codes.

    :raises RuleError: where a module holds no rule, or two rules share a code.
    """
    rules: dict[str, Rule] = {}
    for info in pkgutil.iter_modules(__path__, f"{__name__}."):
        rule = getattr(importlib.import_module(info.name), "rule", None)
        if not isinstance(rule, Rule):
            raise RuleError(f"{info.name}: the module defines no value `rule`")
        if rule.code in rules:
            raise RuleError(f"{info.name}: code {rule.code} is {rules[rule.code].module}'s already")
        rules[rule.code] = rule
    return dict(sorted(rules.items()))
