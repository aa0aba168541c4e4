"""The survey itself: work out to an executor, answers into the results, whatever becomes of single workers.

Work whose worker is lost too often is under suspicion, and with it everything that this worker had. It is done at the
end, the files of a piece one at a time, with nothing else under way: what still takes its worker with it is to blame.
"""

from __future__ import annotations

import uuid
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from session_lint.engine import FileReport, failed
from session_lint.errors import UserError
from session_lint.installation import fingerprint
from session_lint.survey.plans import Piece, Plan
from session_lint.survey.work import Terms, WrongWorkerError, lint_piece, plan_project, this_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from session_lint.survey.plans import Choose
    from session_lint.survey.results import Results

BEAT = 1.0  # seconds between two looks at whether there is anybody who works


class Crew(Protocol):
    """Those who do the work."""

    @property
    def executor(self) -> Executor:
        """Where work is handed in."""

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """The errors that say that workers have died of some work."""

    def width(self) -> int:
        """How much to hand in before the first of it is done."""

    def check(self) -> None:
        """See that somebody is there.

        :raises UserError: where nobody is, and has not been for a while.
        """


class Task(NamedTuple):
    """A piece of a plan, under its digest."""

    plan: Plan
    digest: bytes
    piece: Piece


def survey(folders: Sequence[Path], choose: Choose, crew: Crew, results: Results, step: Callable[[], None]) -> None:
    """Do what is still to be done of some projects, and keep what is found.

    :param folders: the projects.
    :param choose: says which files of a project are looked at; workers are sent it.
    :param step: is called for each project that is done.
    :raises UserError: where the work cannot go on; what was done is kept.
    """
    terms = Terms(uuid.uuid4().hex, this_tool(), fingerprint(), choose)
    _Run(terms, crew, results, step, [str(folder) for folder in folders]).go()
    results.keep_only(str(folder) for folder in folders)


class _Run:
    """One survey under way."""

    def __init__(
        self, terms: Terms, crew: Crew, results: Results, step: Callable[[], None], projects: Sequence[str]
    ) -> None:
        self._terms = terms
        self._crew = crew
        self._results = results
        self._step = step
        self._projects = iter(projects)
        self._ready: deque[Task] = deque()
        self._under_way: dict[Future[Any], Task | str] = {}
        self._left: dict[str, int] = {}
        self._suspects: list[Task | str] = []

    def go(self) -> None:
        """Do everything, then look who is to blame for workers that died."""
        self._together()
        while self._suspects:
            work = self._suspects.pop()
            if isinstance(work, Task):
                self._one_by_one(work)
            else:
                answer = self._alone(work)
                self._take(Plan(work, failure=self._reason(answer)) if isinstance(answer, Exception) else answer)
                self._together()

    def _together(self) -> None:
        """Keep all workers busy until nothing is left to hand in and everything has come back."""
        more = True
        while more or self._under_way:
            while more and len(self._under_way) < self._crew.width():
                work = self._ready.popleft() if self._ready else next(self._projects, None)
                more = work is not None
                if work is not None:
                    self._hand_in(work)
            more = self._collect() or more

    def _hand_in(self, work: Task | str) -> None:
        """Give a worker a piece to lint, or a project to make a plan for.

        :raises UserError: where the executor has broken down as a whole.
        """
        submit = self._crew.executor.submit
        try:
            if isinstance(work, Task):
                future: Future[Any] = submit(lint_piece, work.piece, self._terms)
            else:
                future = submit(plan_project, work, self._terms)
        except BrokenExecutor as error:
            raise UserError(f"nobody can work any more: {error}") from None
        self._under_way[future] = work

    def _collect(self) -> bool:
        """Keep the answers that have come, or see that somebody still works on them.

        :returns: whether there is now more to hand in.
        """
        for work, answer in self._answers():
            if isinstance(answer, Exception):
                self._suspects.append(work)
            elif isinstance(work, Task):
                self._keep(work, answer)
            else:
                self._take(answer)
        return bool(self._ready)

    def _answers(self) -> Iterator[tuple[Task | str, Any]]:
        """What has come back, with the answer, or with what went wrong in the worker.

        :raises UserError: where no worker would do better.
        """
        done, _ = wait(self._under_way, BEAT, FIRST_COMPLETED)
        if not done:
            self._crew.check()
        for future in done:
            work = self._under_way.pop(future)
            try:
                yield work, future.result()
            except CancelledError:
                raise UserError("the scheduler is gone") from None
            except WrongWorkerError as error:
                if Path(work.piece.project if isinstance(work, Task) else work).is_dir():
                    raise UserError(f"a worker cannot do this survey: {error}") from None
                yield work, error  # nobody sees it any more
            except Exception as error:  # noqa: BLE001  (whatever it is, it is this work's)
                yield work, error

    def _take(self, plan: Plan) -> None:
        """Take up what is still to be done of a project."""
        todo = self._results.begin(plan)
        self._left[plan.project] = len(todo)
        self._ready.extend(Task(plan, digest, plan.pieces[digest]) for digest in todo)
        if not todo:
            self._step()

    def _keep(self, task: Task, reports: Sequence[FileReport], *, whole: bool = True) -> None:
        self._results.put(task.plan, task.digest, reports, whole=whole)
        self._left[task.plan.project] -= 1
        if not self._left[task.plan.project]:
            self._step()

    def _one_by_one(self, task: Task) -> None:
        """Do the files of a piece with nothing else under way, to name the one that takes workers with it."""
        reports: list[FileReport] = []
        whole = True
        for name in task.piece.files:
            answer = self._alone(task._replace(piece=Piece(task.piece.project, (name,), task.piece.settings)))
            whole = whole and not isinstance(answer, Exception)
            reports += [self._blamed(task, name, answer)] if isinstance(answer, Exception) else answer
        self._keep(task, reports, whole=whole)

    def _alone(self, work: Task | str) -> Any:  # noqa: ANN401  (whatever is answered to it, see _answers)
        self._hand_in(work)
        while self._under_way:
            for _, answer in self._answers():
                return answer
        raise AssertionError("something was under way")

    def _blamed(self, task: Task, name: str, error: Exception) -> FileReport:
        """The report of a file that nobody could analyse."""
        return FileReport(name, tuple(failed(name, task.piece.settings, f"internal error: {self._reason(error)}")))

    def _reason(self, error: Exception) -> str:
        died = isinstance(error, self._crew.lost)
        return "the process that analysed it has died" if died else f"{type(error).__name__}: {error}"
