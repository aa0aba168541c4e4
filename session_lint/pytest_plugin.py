"""The runtime guard in pytest: a test that leaves a session or a connection open fails, with where it was opened.

It is off until it is asked for: ``--session-guard``, ``session_guard = true`` in the settings of pytest, or
``SESSION_GUARD=1`` in the environment. What a fixture of a wider scope than one test opens is that fixture's affair.
Other mistakes that the guard sees are warnings of the test that made them.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

    from session_lint.guard import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the setting."""
    text = "fail the tests that leave a SQLAlchemy session or connection open"
    parser.getgroup("session-lint").addoption("--session-guard", action="store_true", help=text)
    parser.addini("session_guard", text, type="bool", default=False)
    parser.addini("session_guard_ignore", "codes that the session guard does not report", type="args", default=None)


def pytest_configure(config: pytest.Config) -> None:
    """Watch the tests, where that is asked for."""
    wanted = os.environ.get("SESSION_GUARD", "0") not in {"", "0"}
    if wanted or config.getoption("session_guard") or config.getini("session_guard"):
        try:
            from session_lint.guard import hooks  # noqa: PLC0415 - it needs SQLAlchemy, and costs time
        except ImportError as error:
            raise pytest.UsageError(f"the session guard needs SQLAlchemy: {error}") from None
        config.pluginmanager.register(_Watch(hooks, config.getini("session_guard_ignore")), "session-guard-watch")


class SessionGuardWarning(UserWarning):
    """A mistake that the guard has seen in a test."""


class _Watch:
    """What the guard reports, test by test."""

    def __init__(self, hooks: Any, ignore: list[str] | None) -> None:  # noqa: ANN401 - a module, imported only here
        self._hooks = hooks
        self._before: set[Any] = set()
        self._reports: list[Report] = []
        hooks.install(self._reports.append, ignore=ignore or None)

    def _known(self) -> set[Any]:
        guard = self._hooks.installed()
        return guard.known() if guard is not None else set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        """What is open already is another's."""
        self._before = self._known()
        self._reports.clear()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """What a fixture opens for several tests is its own."""
        before = self._known()
        try:
            return (yield)
        finally:
            if fixturedef.scope != "function":
                self._before |= self._known() - before

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, object, object]:
        """Which functions the exception left that ended the test."""
        guard = self._hooks.installed()
        if guard is not None and call.excinfo is not None:
            guard.left(call.excinfo.value)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """All its fixtures are down: what is still open was forgotten."""
        try:
            return (yield)
        finally:
            guard = self._hooks.installed()
            if guard is not None:
                guard.leftovers(self._before)
            self._judge()

    def _judge(self) -> None:
        reports = self._reports[:]
        self._reports.clear()
        for report in reports:
            if not report.open and (place := report.place) is not None:
                warnings.warn_explicit(str(report), SessionGuardWarning, place.filename, place.line)
        told = [str(report) for report in reports if report.open]
        if told:
            pytest.fail("\n\n".join(told), pytrace=False)

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        self._hooks.uninstall()
