"""Findings as bytes, to be kept between runs: MessagePack, which holds values and cannot hold code.

That nothing was found is known without the library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from session_lint.finding import Finding

NOTHING = b"\x90"


def encoded(findings: tuple[Finding, ...]) -> bytes:
    """Findings as bytes.

    :raises ValueError: where they would not come back equal.
    """
    if not findings:
        return NOTHING
    import msgspec  # noqa: PLC0415  (see above)

    try:
        content = msgspec.msgpack.encode(findings)
    except (TypeError, msgspec.MsgspecError) as error:
        raise ValueError(f"it cannot be kept: {error}") from None
    if decoded(content) != findings:
        raise ValueError("it would come back as something else")
    return content


def decoded(content: bytes) -> tuple[Finding, ...]:
    """The findings again.

    :raises ValueError: where the bytes are none.
    """
    if content == NOTHING:
        return ()
    import msgspec  # noqa: PLC0415  (see above)

    from session_lint.finding import Finding  # noqa: PLC0415

    try:
        found = msgspec.msgpack.decode(content, type=tuple[Finding, ...])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    return tuple(_frozen(finding) for finding in found)


def _frozen(finding: Finding) -> Finding:
    """A decoded finding, with the tuples of its plan that the encoding made lists."""
    if finding.fix is None:
        return finding
    from dataclasses import replace  # noqa: PLC0415  (see above)

    plan = tuple((name, _tuples(value)) for name, value in finding.fix.plan)
    return replace(finding, fix=replace(finding.fix, plan=plan))


def _tuples(value: object) -> object:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
