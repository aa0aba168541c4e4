"""Where a program is: its stack as code objects and lines, which keep nothing of it alive."""

from __future__ import annotations

import contextlib
import functools
import linecache
import sys
import sysconfig
from itertools import islice
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType

DEEPEST = 60
"""How many frames of a stack are kept, from the innermost."""

_OWN = frozenset(str(path) for path in Path(__file__).parent.glob("*.py"))
_INSTALLED = tuple({path for name, path in sysconfig.get_paths().items() if name in ("stdlib", "purelib", "platlib")})
_LIBRARY = str(Path(sqlalchemy.__file__).parent)
_HELPERS = frozenset([contextlib.__file__, functools.__file__])
_BETWEEN = ("/sqlmodel/", "/flask_sqlalchemy/", "/flask_sqlalchemy_lite/")
"""Libraries whose sessions are SQLAlchemy's."""
_SERVERS = ("/anyio/", "/fastapi/", "/starlette/", "/django/core/handlers/", "/aiohttp/web")
"""What serves requests, Flask aside, which says it itself. Anyio's threads are where Starlette runs what blocks."""


class Frame(NamedTuple):
    """One call under way.

    :param offset: where in its bytecode it is, from which the line is worked out when somebody asks.
    """

    code: CodeType
    offset: int

    @property
    def line(self) -> int:
        """Which line of the file it has come to, from 1."""
        lines = (line for start, end, line in self.code.co_lines() if start <= self.offset < end and line)
        return next(lines, self.code.co_firstlineno)

    @property
    def filename(self) -> str:
        """Where its code stands."""
        return self.code.co_filename

    @property
    def function(self) -> str:
        """The name of its function, ``<module>`` for a module's body."""
        return self.code.co_name

    @property
    def is_own(self) -> bool:
        """Whether it is the project's, and nothing that was installed."""
        return not self.filename.startswith((*_INSTALLED, "<"))

    def __str__(self) -> str:
        """The frame as a traceback shows it."""
        text = linecache.getline(self.filename, self.line).strip()
        place = f'  File "{self.filename}", line {self.line}, in {self.function}'
        return f"{place}\n    {text}" if text else place


class Stack(tuple[Frame, ...]):
    """The calls under way, the innermost first, without the guard's own."""

    __slots__ = ()

    @property
    def library(self) -> Stack:
        """The innermost ones, in SQLAlchemy."""
        return Stack(self[: self._depth])

    @property
    def program(self) -> Stack:
        """The others, from the one that called SQLAlchemy."""
        return Stack(self[self._depth :])

    @property
    def _depth(self) -> int:
        return next((n for n, frame in enumerate(self) if not of_library(frame)), len(self))

    def runs(self, code: CodeType | None) -> bool:
        """Whether a call of a code is under way."""
        return any(frame.code is code for frame in self)

    def after_helpers(self, start: int) -> Stack:
        """What stands outside a number of frames, and outside Python's own ``contextlib`` and ``functools`` there."""
        rest = self[start:]
        kept = next((n for n, frame in enumerate(rest) if frame.filename not in _HELPERS), 0)
        return Stack(rest[kept:])

    def __str__(self) -> str:
        """The project's own frames as a traceback, the outermost first; all of them where none is its own."""
        own = [frame for frame in self if frame.is_own]
        return "\n".join(map(str, reversed(own or self)))


def of_library(frame: Frame) -> bool:
    """Whether a frame is SQLAlchemy's own, or of a library that stands between it and the program."""
    if frame.filename.startswith(_LIBRARY):
        return True
    made = frame.filename.startswith("<") and "sqlalchemy." in frame.filename  # around a deprecated method
    return made or _is_part_of(_BETWEEN, frame)


def of_server(frame: Frame) -> bool:
    """Whether a frame belongs to what serves requests."""
    return _is_part_of(_SERVERS, frame) and ("anyio" not in frame.filename or "starlette" in sys.modules)


def _is_part_of(parts: tuple[str, ...], frame: Frame) -> bool:
    filename = frame.filename.replace("\\", "/")
    return any(part in filename for part in parts)


def here() -> Stack:
    """The stack of the caller, through the greenlets that SQLAlchemy's asyncio runs in."""
    return Stack([Frame(frame.f_code, frame.f_lasti) for frame in islice(_running(), DEEPEST)])


def is_session(value: object, session: object) -> bool:
    """Whether a value is a session, or SQLAlchemy's asynchronous face of it; a proxy is not asked."""
    asynchronous = sys.modules.get("sqlalchemy.ext.asyncio")
    if value is session or asynchronous is None or not issubclass(type(value), asynchronous.AsyncSession):
        return value is session
    return value.sync_session is session  # type: ignore[attr-defined]


def holds(code: CodeType, session: object) -> bool:
    """Whether a call of a code is under way that has a session in a variable."""
    return any(
        is_session(known, session)
        for frame in _running()
        if frame.f_code is code
        for known in list(frame.f_locals.values())
    )


def called_by(code: CodeType) -> frozenset[CodeType]:
    """The code of the functions that a call under way may call by a global name."""
    frame = next((frame for frame in _running() if frame.f_code is code), None)
    known = [frame.f_globals.get(name) for name in code.co_names] if frame is not None else []
    return frozenset(one.__code__ for one in known if isinstance(one, FunctionType))


def opening(session: object) -> tuple[Stack, str, object]:
    """How a session is opened that is being made.

    :returns: the stack, without what a class of sessions of the project's own adds to it; the name of the module whose
        code asked for it; what the method was called on that did.
    """
    found: list[Frame] = []
    caller: FrameType | None = None
    for frame in islice(_running(), DEEPEST):
        one = Frame(frame.f_code, frame.f_lasti)
        if caller is None and not of_library(one):
            if _receiver(frame) is session:
                continue
            caller = frame
        found.append(one)
    if caller is None:
        return Stack(found), "", None
    return Stack(found), str(caller.f_globals.get("__name__", "")), _receiver(caller)


def _receiver(frame: FrameType) -> object:
    first = frame.f_code.co_varnames[:1] if frame.f_code.co_argcount else ()
    return frame.f_locals.get("self") if first == ("self",) else None


def _running() -> Iterator[FrameType]:
    """The frames under way, the innermost first, without the guard's own."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - what Python has for it
    module = sys.modules.get("greenlet")
    current = module.getcurrent() if module is not None else None
    while True:
        while frame is not None:
            if frame.f_code.co_filename not in _OWN:
                yield frame
            frame = frame.f_back
        if current is None or current.parent is None:
            return
        current = current.parent
        frame = current.gr_frame
