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
    """Whether a frame is SQLAlchemy's own."""
    made = frame.filename.startswith("<") and "sqlalchemy." in frame.filename  # around a deprecated method
    return made or frame.filename.startswith(_LIBRARY)


def of_server(frame: Frame) -> bool:
    """Whether a frame belongs to what serves requests."""
    filename = frame.filename.replace("\\", "/")
    return any(part in filename for part in _SERVERS) and ("/anyio/" not in filename or "starlette" in sys.modules)


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


def receiver() -> object:
    """What the method was called on that called SQLAlchemy; ``None`` where it was none."""
    frame = _caller()
    first = frame.f_code.co_varnames[:1] if frame is not None and frame.f_code.co_argcount else ()
    return frame.f_locals.get("self") if frame is not None and first == ("self",) else None


def module_of_caller() -> str:
    """The name of the module whose code called SQLAlchemy."""
    frame = _caller()
    return "" if frame is None else str(frame.f_globals.get("__name__", ""))


def _caller() -> FrameType | None:
    return next((f for f in _running() if not of_library(Frame(f.f_code, f.f_lasti))), None)


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
