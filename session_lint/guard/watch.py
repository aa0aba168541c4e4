"""The guard itself: it follows every session of the process by SQLAlchemy's events and judges what it sees."""

from __future__ import annotations

import os
import sys
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from session_lint.guard.frames import Stack, here, holds
from session_lint.guard.record import Actor, Kept, Place, Record, in_request, place, record, settle, task
from session_lint.guard.report import MESSAGES, Log, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import CodeType, TracebackType

    from sqlalchemy.engine import ExceptionContext
    from sqlalchemy.orm import Session, SessionTransaction

UNCLOSED = {
    Kept.CALLER: "SES101",
    Kept.SCOPE: "SES101",
    Kept.MODULE: "SES101",
    Kept.OWNER: "SES105",
    Kept.GLOBAL: "SES201",
    Kept.REGISTRY: "SES704",
    Kept.G: "SES502",
    Kept.REQUEST: "SES502",
    Kept.DEPENDENCY: "SES503",
}
"""What it is called that a session was left open, by whom it is kept."""
CONNECTION = "a connection was not given back"
AFTER_ERROR = {"SES101": "SES102", "SES201": "SES202"}
LEFT_OPEN = frozenset({*UNCLOSED.values(), *AFTER_ERROR.values(), "SES103"})
_WHY = frozenset({"SES303", "SES501", "SES504", "SES604"})
"""What says already why a session is left open."""
YOUNG = frozenset({"SES305"})
"""What is not reported unless it is asked for, as by the linter."""

_OWN_WORK = (Kept.GLOBAL, Kept.REQUEST)


@dataclass(eq=False)
class Lent:
    """A connection that the program itself has taken from a pool, and has not given back."""

    opened: Stack
    by: Actor = field(default_factory=Actor)


class Guard:
    """What is known of the sessions of this process.

    :param tell: what is called with every :class:`Report`.
    :param idle: for how many seconds a transaction may be idle; 0 for any time.
    :param ignore: the codes that are not reported.
    """

    def __init__(
        self, tell: Callable[[Report], None] | None = None, idle: float = 0.0, ignore: Collection[str] = YOUNG
    ) -> None:
        self.tell: Callable[[Report], None] = tell or Log()
        self.idle = idle
        self.ignore = frozenset(ignore)
        self._records: dict[int, Record] = {}
        self._lent: dict[int, Lent] = {}
        self._connections: weakref.WeakKeyDictionary[Connection, Record] = weakref.WeakKeyDictionary()

    def forget(self) -> None:
        """Say nothing any more of what is open."""
        self._records.clear()
        self._lent.clear()

    # what is open

    def open(self) -> list[Record]:
        """The sessions of this process that are in use, the oldest first."""
        return [one for one in list(self._records.values()) if one.open and one.by.pid == os.getpid()]

    def known(self) -> set[Record | Lent]:
        """The sessions that are known now, and the connections that are lent."""
        return {*self._records.values(), *self._lent.values()}

    def leftovers(self, before: set[Record | Lent] | None = None) -> None:
        """Report what is open, but for what another thread or task is still at work with, and forget it.

        :param before: what was known before, which is left out; without it, the sessions are meant and no connections.
        """
        for one in self.open():
            if not one.by.is_elsewhere() and (before is None or one not in before):
                self._unclosed(one)
                one.open = False
        for key, lent in list(self._lent.items()):
            mine = lent.by.pid == os.getpid() and not lent.by.is_elsewhere()
            if before is not None and mine and lent not in before:
                self._lent.pop(key, None)
                self._not_given_back(lent)

    def left(self, error: BaseException | None) -> None:
        """Take note of the functions that an exception has left."""
        codes: set[CodeType] = set()
        trace: TracebackType | None = error.__traceback__ if error is not None else None
        while trace is not None:
            codes.add(trace.tb_frame.f_code)
            trace = trace.tb_next
        for one in self.open():
            one.left |= any(frame.code in codes for frame in one.opened[:1])

    # what happens to a session

    def opened(self, session: Session) -> None:
        """A session was made."""
        key = id(session)
        self._records[key] = record(session, lambda _: self._collected(key))

    def _collected(self, key: int) -> None:
        one = self._records.pop(key, None)
        if one is not None and one.open and one.by.pid == os.getpid():
            self._unclosed(one)

    def of(self, session: Session) -> Record | None:
        """What is known of a session; ``None`` for one that is older than the guard."""
        return self._records.get(id(session))

    def enter(self, session: Session) -> tuple[Record, Place] | None:
        """An operation begins.

        :returns: what :meth:`leave` wants to have back.
        """
        one = self.of(session)
        if one is None:
            return None
        me = place()
        others = [other for other in list(one.busy) if other != me]
        if others:
            self._say(one, "SES603" if others[0][0] == me[0] else "SES601", here())
        self._waited(one)
        one.busy[me] = one.busy.get(me, 0) + 1
        self._process(one)
        return one, me

    def leave(self, entered: tuple[Record, Place] | None) -> None:
        """An operation ends."""
        if entered is not None:
            one, me = entered
            one.busy[me] -= 1
            if not one.busy[me]:
                del one.busy[me]
            one.since = time.monotonic()

    def before_use(self, one: Record, _session: Session) -> None:
        """An operation begins that needs the transaction: an error before it was answered, or was not."""
        if one.failed is not None:
            self._say(one, "SES304" if one.commits else "SES701", one.failed)
            one.failed = None

    def before_write(self, one: Record, session: Session) -> None:
        """Objects are to be written."""
        self.before_use(one, session)
        _wrote(one)

    def before_commit(self, one: Record, session: Session) -> None:
        """``commit()`` is called."""
        self.before_use(one, session)
        if one.commits and not one.over and not one.by_scope(stack := here()):
            self._say(one, "SES301", stack)

    def before_rollback(self, one: Record, session: Session) -> None:
        """``rollback()`` is called."""
        if one.kept is Kept.GLOBAL and _owes(one, session):
            one.dropped = here(), one.wrote
        one.failed = one.wrote = None
        self._in_scope(one, "rollback")

    def before_close(self, one: Record, session: Session) -> None:
        """``close()`` is called."""
        self._in_scope(one, "close")
        self._unsaved(one, session)
        if one.kept is Kept.SCOPE and not one.over:
            one.over = one.by_scope(here())
        one.open, one.closed = False, True
        one.reopened = one.failed = one.wrote = one.dropped = None

    def _in_scope(self, one: Record, call: str) -> None:
        if one.commits and one.open and not one.over and not one.by_scope(stack := here()):
            self._say(one, "SES302", stack, call=call)

    def _unsaved(self, one: Record, session: Session) -> None:
        if one.kept is Kept.GLOBAL and one.dropped is not None:
            where, wrote = one.dropped
            if where.program and here().runs(where.program[0].code):  # the closer itself has rolled back
                self._say(one, "SES203", wrote)
        elif _owes(one, session):
            if one.kept is Kept.GLOBAL:
                self._say(one, "SES203", one.wrote)
            elif one.kept in (Kept.CALLER, Kept.OWNER):
                self._say(one, "SES702", one.wrote)

    # SQLAlchemy's events

    def begun(self, session: Session, transaction: SessionTransaction) -> None:
        """A transaction of a session begins, also where the database does not know of it yet."""
        one = self.of(session)
        if one is not None and transaction.nested:
            one.savepoints.append((one.wrote, one.changed))
        if one is None or transaction.parent is not None:
            return
        self._process(one)
        stack = here()
        if not one.used:
            one.used = True
            settle(one, session)
        one.open, one.begun, one.bind = True, True, None
        one.since, one.last = time.monotonic(), stack
        if one.closed and one.reopened is None:
            one.reopened = stack
            if one.over and one.kept is Kept.SCOPE:
                self._say(one, "SES303", stack)
            elif one.kept in (Kept.REQUEST, Kept.DEPENDENCY):
                self._say(one, "SES504", stack)
        if one.kept is Kept.GLOBAL and in_request(stack):
            self._say(one, "SES501", stack)
        program = stack.program
        if one.kept is Kept.MODULE and program and program[0].function != "<module>":
            self._say(one, "SES604")

    def connected(self, session: Session, _transaction: object, connection: Connection) -> None:
        """A session begins to work with a connection."""
        one = self.of(session)
        if one is None:
            return
        self._connections[connection] = one
        one.bind = connection.engine.url
        beside = [o for o in self.open() if o is not one and o.begun and o.bind == one.bind and o.by == one.by]
        stack = here() if beside else None
        for other in beside:
            if stack is not None and other.opened and stack.runs(code := other.opened[0].code):
                held = other.session()
                if other.kept is Kept.GLOBAL or (held is not None and holds(code, held)):
                    self._beside(one, other)

    def _beside(self, one: Record, other: Record) -> None:
        if one.kept is other.kept or {one.kept, other.kept}.isdisjoint(_OWN_WORK):
            self._say(one, "SES305")
        else:
            self._say(other if other.kept in _OWN_WORK else one, "SES401")

    def ended(self, session: Session, transaction: SessionTransaction) -> None:
        """A transaction of a session is over, or a savepoint."""
        one = self.of(session)
        if one is None:
            return
        if transaction.parent is None:
            one.begun, one.failed = False, None
        elif transaction.nested:
            one.failed = None
            del one.savepoints[-1:]

    def committed(self, session: Session) -> None:
        """The database has what was written, or would have it if the transaction that a savepoint is in were over."""
        one = self.of(session)
        if one is not None and not session.in_nested_transaction():
            one.wrote, one.changed = None, False

    def rolled_back(self, session: Session) -> None:
        """The database has forgotten what was written, since the savepoint or altogether."""
        one = self.of(session)
        if one is not None:
            within = session.in_nested_transaction() and one.savepoints
            one.wrote, one.changed = one.savepoints[-1] if within else (None, False)

    def executing(self, connection: Connection, *event: Any) -> None:
        """A statement goes to the database."""
        one = self._connections.get(connection)
        if one is None:
            return
        context = event[3]
        if context is not None and (context.isinsert or context.isupdate or context.isdelete):
            _wrote(one)
            one.changed = True
        self._process(one)
        self._waited(one)
        one.since = time.monotonic()
        if task() is not None and not connection.dialect.is_async:
            self._say(one, "SES802", here())

    def executed(self, connection: Connection, *_event: Any) -> None:
        """A statement came back."""
        one = self._connections.get(connection)
        if one is not None:
            one.since = time.monotonic()
            if self.idle:
                one.last = here()

    def erred(self, context: ExceptionContext) -> None:
        """A statement failed."""
        one = self._connections.get(context.connection) if context.connection is not None else None
        if one is not None and not getattr(context, "is_pre_ping", False):  # SQLAlchemy 2.0.5's
            one.failed = here()

    def checked_out(self, _connection: object, entry: object, _fairy: object) -> None:
        """A pool lends a connection."""
        stack = here()
        if not any(frame.function == "_connection_for_bind" for frame in stack.library):
            self._lent[id(entry)] = Lent(stack.program)

    def checked_in(self, _connection: object, entry: object) -> None:
        """A pool has a connection back, perhaps because nobody held it any more."""
        lent = self._lent.pop(id(entry), None)
        if lent is not None and lent.by.pid == os.getpid():
            functions = {frame.function for frame in here().library}
            if "_finalize_fairy" in functions and "_checkin" not in functions:
                self._not_given_back(lent)

    # verdicts

    def overdue(self) -> None:
        """Report each transaction that has been idle for too long."""
        for one in self.open():
            self._waited(one)

    def _waited(self, one: Record) -> None:
        if self.idle and one.begun and not one.busy and one.since and time.monotonic() - one.since > self.idle:
            self._say(one, "SES703", one.last, seconds=self.idle)

    def _process(self, one: Record) -> None:
        if one.by.pid != os.getpid():
            self._say(one, "SES602", here())

    def _unclosed(self, one: Record) -> None:
        code = "SES101" if one.taken else UNCLOSED[one.kept]
        if why := one.told & _WHY:
            self._tell(one, min(why), "and that session was left open", one.reopened)
            return
        if not one.taken and one.reopened is not None and one.kept in (Kept.CALLER, Kept.SCOPE):
            self._say(one, "SES103", one.reopened)
            return
        if one.failed is not None or one.left:
            code = AFTER_ERROR.get(code, code)
        self._say(one, code)

    def _not_given_back(self, lent: Lent) -> None:
        self.tell(Report("", CONNECTION, lent.opened, None, lent.by.thread.name, open=True))

    def _say(self, one: Record, code: str, happened: Stack | None = None, **words: object) -> None:
        if code not in one.told:
            one.told.add(code)
            self._tell(one, code, MESSAGES[code].format(**words), happened, left_open=code in LEFT_OPEN)

    def _tell(
        self, one: Record, code: str, message: str, happened: Stack | None = None, *, left_open: bool = True
    ) -> None:
        if code not in self.ignore:
            self.tell(Report(code, message, one.opened, happened, one.by.thread.name, left_open))


def _wrote(one: Record) -> None:
    if one.wrote is None:
        one.wrote = here()


def _owes(one: Record, session: Session) -> bool:
    """Whether a session has changes that are lost if nobody commits, and no error explains why nobody does."""
    if one.wrote is None or one.failed is not None or sys.exc_info()[0] is not None:
        return False
    if isinstance(session.bind, Connection) or one.by.pid != os.getpid():
        return False
    pending = session.new or session.deleted or any(map(session.is_modified, session.dirty))
    return one.changed or bool(pending)
