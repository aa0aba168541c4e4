"""A teardown that closes the session of a request is added at the end of the module."""

from __future__ import annotations

from typing import Any

import libcst as cst

from session_lint.fixes.parsing import parsed

TEARDOWN = """@{owner}.{hook}
def {function}(exception=None):
    {variable} = {context}.pop("{field}", None)
    if {variable} is not None:
        {variable}.close()
"""


def rewrite(text: str, plan: dict[str, Any]) -> str:
    """The module's text with one more function.

    :param plan: ``owner`` and ``hook``, what registers it; ``function``, its name; ``context`` and ``field``, where the
        session is.
    """
    module = parsed(text).module
    text = TEARDOWN.format(**plan, variable=plan["field"])
    added = cst.parse_statement(text, config=module.config_for_parsing)
    assert isinstance(added, cst.FunctionDef)
    added = added.with_changes(leading_lines=[cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)])
    return module.with_changes(body=[*module.body, added]).code
