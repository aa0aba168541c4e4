"""The one thread that analyses: first what was just typed, then everything, and what somebody asks for.

The engine's knowledge of a project belongs to this thread. What is open stands there for the files; a change makes it
forget what it has understood, and keep what follows from single texts (:mod:`session_lint.python.texts`).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from session_lint import analysis, engine
from session_lint.collecting import collect_seldom
from session_lint.files import excluded
from session_lint.lsp.focus import Outline, focus, outline, revised
from session_lint.python.stopping import Stopped, stop_when
from session_lint.settings import SettingsError
from session_lint.source import SourceError, encode
from session_lint.vocabulary import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from session_lint.analysis.program import Learnt
    from session_lint.finding import Finding
    from session_lint.lsp.buffers import Document
    from session_lint.lsp.preferences import Preferences
    from session_lint.settings import Settings
    from session_lint.source import Source


@dataclass(frozen=True)
class Verdict:
    """What is known of one version of a text.

    :param settled: whether the whole text was looked at, with its project around it.
    :param error: why nothing is known: settings that cannot be followed.
    """

    document: Document
    findings: tuple[Finding, ...]
    settled: bool
    error: SettingsError | None = None


@dataclass(frozen=True)
class Basis:
    """The last version of a text that was wholly looked at and could be parsed."""

    outline: Outline
    findings: tuple[Finding, ...]
    learnt: Learnt | None
    settings: Settings


@dataclass(eq=False)
class Call:
    """Something that is asked of the thread.

    :param patient: whether it may wait until everything open is looked at, and be begun again after a change.
    :param about: the text that it is about: once that is another one, nobody waits for the answer any more.
    """

    work: Callable[[], Any]
    about: Document | None = None
    patient: bool = False
    answer: Future[Any] = field(default_factory=Future)
    dropped: bool = False


class Analyst:
    """The thread, and what it has been told.

    :param tell: is given each verdict, on the thread.
    :param wrong: is given what went wrong inside, on the thread.
    """

    def __init__(
        self, preferences: Preferences, tell: Callable[[Verdict], None], wrong: Callable[[BaseException], None]
    ) -> None:
        self.preferences = preferences
        self._tell = tell
        self._wrong = wrong
        self._news = threading.Condition()
        self._documents: dict[str, Document] = {}
        self._first: dict[str, None] = {}
        self._whole: dict[str, float] = {}
        self._calls: deque[Call] = deque()
        self._forget = False
        self._dirty: dict[Path, None] = {}
        self._over = False
        self._interrupted = False
        self._yields = False
        self._under_way: Call | None = None
        self._basis: dict[str, Basis] = {}
        self._settled: dict[str, Verdict] = {}
        self._standing: dict[Path, Document] = {}
        self._thread = threading.Thread(target=self._run, name="analyst", daemon=True)

    # what it is told, on any thread

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, as soon as what is under way can be left."""
        with self._news:
            self._over = True
            self._woken()

    def changed(self, document: Document, *, opened: bool = False) -> None:
        """A text was opened, or is another one now."""
        with self._news:
            self._documents[document.uri] = document
            self._drop(document.uri)
            self._first[document.uri] = None
            delay = 0 if opened else self.preferences.options.delay / 1000
            self._whole[document.uri] = time.monotonic() + delay
            self._others_anew(document.uri)
            self._woken()

    def closed(self, uri: str) -> None:
        """A text is not open any more: its file speaks for itself."""
        with self._news:
            gone = self._documents.pop(uri, None)
            self._drop(uri)
            self._first.pop(uri, None)
            self._whole.pop(uri, None)
            if gone is not None and gone.path is not None:
                self._dirty[gone.path] = None
                self._others_anew(uri)
            self._woken()

    def saved_elsewhere(self, path: Path) -> None:
        """A file that is not open holds another text now."""
        with self._news:
            self._dirty[path] = None
            self._others_anew("")
            self._woken()

    def forget(self) -> None:
        """Files have come or gone, or settings have changed: nothing is known any more."""
        with self._news:
            self._forget = True
            self._others_anew("")
            self._woken()

    def _others_anew(self, uri: str) -> None:
        """Judge the other open texts anew, when there is time."""
        due = time.monotonic() + self.preferences.options.delay / 1000
        for other in self._documents:
            if other != uri:
                self._whole[other] = due

    def _drop(self, uri: str) -> None:
        """Let nobody work any more for what was asked of a text that is another one now."""
        for call in (*self._calls, self._under_way):
            if call is not None and call.about is not None and call.about.uri == uri:
                call.dropped = True

    def _woken(self) -> None:
        """Leave what can wait for what cannot."""
        self._interrupted = True
        self._news.notify_all()

    def call(self, call: Call) -> None:
        """Let some work be done on the thread."""
        with self._news:
            self._calls.append(call)
            if call.patient:
                self._news.notify_all()
            else:
                self._woken()

    # what it does, on its own thread

    def _run(self) -> None:
        collect_seldom()
        while (work := self._next()) is not None:
            try:
                stop_when(self._stale)
                self._stand()
                work()
            except Stopped:
                analysis.renew()
            except Exception as error:  # noqa: BLE001  (the next request may be luckier)
                self._wrong(error)
            finally:
                stop_when(None)

    def _stale(self) -> bool:
        dropped = self._under_way is not None and self._under_way.dropped
        return self._over or dropped or (self._yields and self._interrupted)

    def _next(self) -> Callable[[], None] | None:
        """What to do next; ``None`` once it is over."""
        with self._news:
            while not self._over:
                self._interrupted, self._under_way, self._yields = False, None, False
                now = time.monotonic()
                due = [uri for uri, at in sorted(self._whole.items(), key=itemgetter(1)) if at <= now]
                urgent = next((call for call in self._calls if not call.patient), None)
                if urgent is not None:
                    return self._chosen(urgent)
                if self._first:
                    return self._chosen_first(next(iter(self._first)))
                if due:
                    return self._chosen_whole(due[0])
                if self._calls and not self._whole:
                    return self._chosen(self._calls[0])
                self._news.wait(min(self._whole.values(), default=now + 3600) - now)
        return None

    def _chosen(self, call: Call) -> Callable[[], None]:
        self._calls.remove(call)
        if not (call.answer.running() or call.answer.set_running_or_notify_cancel()):
            return _nothing
        if call.dropped:
            call.answer.set_exception(InterruptedError())
            return _nothing
        self._under_way, self._yields = call, call.patient
        return lambda: self._answer(call)

    def _chosen_first(self, uri: str) -> Callable[[], None]:
        del self._first[uri]
        document = self._documents[uri]
        return lambda: self._look_first(document)

    def _chosen_whole(self, uri: str) -> Callable[[], None]:
        self._yields = True
        due, document = self._whole.pop(uri), self._documents[uri]
        return lambda: self._look(document, due)

    def _answer(self, call: Call) -> None:
        try:
            found = call.work()
        except Stopped:
            if call.dropped or self._over:
                call.answer.set_exception(InterruptedError())
            else:
                with self._news:
                    self._calls.append(call)
            raise
        except Exception as error:  # noqa: BLE001  (whoever has asked is told)
            call.answer.set_exception(error)
        else:
            call.answer.set_result(found)

    def _stand(self) -> None:
        """Let what is open stand for the files, and the files for what is open no more."""
        with self._news:
            forget, self._forget = self._forget, False
            dirty, self._dirty = self._dirty, {}
            documents = list(self._documents.values())
        if forget:
            engine.forget()
            self._standing.clear()
            self._basis.clear()
            self._settled.clear()
        open_now = {document.path: document for document in documents if document.path is not None}
        for path in {**dirty, **self._standing}:
            if path not in open_now:
                analysis.stand_in(path, None)
                self._standing.pop(path, None)
                self._settled.clear()
        for path, document in open_now.items():
            if self._standing.get(path) is not document:
                analysis.stand_in(path, encode(document.text))
                self._standing[path] = document
                self._settled.clear()

    def settings_for(self, document: Document) -> Settings | None:
        """The settings of a text; ``None`` where they leave it out.

        :raises SettingsError: where they cannot be followed.
        """
        settings = self.preferences.settings_for(document.path)
        return None if document.path is not None and excluded(document.path, settings) else settings

    def _look_first(self, document: Document) -> None:
        """Tell what is wrong where a text has changed."""
        basis = self._basis.get(document.uri)
        if basis is None:
            self._soon(document)
            return
        source = document.source
        try:
            seen = focus(basis.outline, revised(basis.outline, source))
        except SourceError as error:
            found = engine.failed(document.filename, basis.settings, error.message, error.location)
            self._tell(Verdict(document, tuple(found), settled=False))
            return
        if seen is None:
            self._soon(document)
            return
        found = self._presumed(document, replace(source, text=seen.text), basis) if seen.rows else []
        self._tell(Verdict(document, tuple(seen.merged(basis.findings, found)), settled=False))

    def _soon(self, document: Document) -> None:
        """Look at the whole text without waiting."""
        with self._news:
            if document.uri in self._whole:
                self._whole[document.uri] = 0

    def _presumed(self, document: Document, source: Source, basis: Basis) -> list[Finding]:
        """What is found in a text that stands for another one, while the project opens sessions as it did."""
        if document.path is not None and basis.settings.whole_project:
            analysis.stand_in(document.path, encode(source.text))
            self._standing.pop(document.path, None)  # the whole text stands there again before anything else is done
            if basis.learnt is not None:
                analysis.presume(document.path, basis.learnt, vocabulary(basis.settings.vocabulary))
        return engine.lint_source(source, basis.settings)

    def _look(self, document: Document, due: float) -> None:
        """Tell all that is wrong with a text; later, where something else comes first."""
        try:
            verdict = self.settled(document)
        except Stopped:
            with self._news:
                if document.uri in self._documents:
                    self._whole.setdefault(document.uri, due)
            raise
        self._tell(verdict)

    def settled(self, document: Document) -> Verdict:
        """What a fresh start would say of a text, with what is open around it. On the thread only."""
        known = self._settled.get(document.uri)
        if known is None or known.document != document:
            known = self._settled[document.uri] = self._judged(document)
        return known

    def _judged(self, document: Document) -> Verdict:
        try:
            settings = self.settings_for(document)
        except SettingsError as error:
            return Verdict(document, (), settled=True, error=error)
        if settings is None:
            return Verdict(document, (), settled=True)
        source = document.source
        found = tuple(engine.lint_source(source, settings))
        self._keep(document, source, found, settings)
        return Verdict(document, found, settled=True)

    def _keep(self, document: Document, source: Source, found: tuple[Finding, ...], settings: Settings) -> None:
        """Keep what the next first look builds on."""
        try:
            seen = outline(source, source.parse())
        except SourceError:
            return
        learnt = None
        if document.path is not None and settings.whole_project:
            learnt = analysis.learnt(document.path, vocabulary(settings.vocabulary))
        self._basis[document.uri] = Basis(seen, found, learnt, settings)

    def disturbed(self, document: Document) -> None:
        """Let a text stand for its file again before anything else is done: something else did. On the thread only."""
        if document.path is not None:
            self._standing.pop(document.path, None)
            self._dirty[document.path] = None


def _nothing() -> None:
    return
