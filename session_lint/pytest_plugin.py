"""The runtime guard in pytest: a test that leaves a session or a connection open fails, with where it was opened.

It is off until it is asked for: ``--session-guard``, ``session_guard = true`` in the settings of pytest, or
``SESSION_GUARD=1`` in the environment. What a fixture of a wider scope than one test opens is that fixture's affair.
Other mistakes that the guard sees are listed when the tests are over.
"""

from __future__ import annotations

import os
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


def pytest_configure(config: pytest.Config) -> None:
    """Watch the tests, where that is asked for."""
    wanted = os.environ.get("SESSION_GUARD", "0") not in {"", "0"}
    if wanted or config.getoption("session_guard") or config.getini("session_guard"):
        from session_lint.guard import hooks  # noqa: PLC0415 - it needs SQLAlchemy, and costs time

        config.pluginmanager.register(_Watch(hooks), "session-guard-watch")


class _Watch:
    """What the guard reports, test by test."""

    def __init__(self, hooks: Any) -> None:  # noqa: ANN401 - the module, imported when it is needed
        self._hooks = hooks
        self._before: set[Any] = set()
        self._open: list[Report] = []
        self._others: dict[tuple[str, Any], Report] = {}
        hooks.install(self._take)

    def _take(self, report: Report) -> None:
        if report.open:
            self._open.append(report)
        else:
            self._others.setdefault((report.code, report.place), report)

    def _known(self) -> set[Any]:
        guard = self._hooks.installed()
        return guard.known() if guard is not None else set()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        """What is open already is another's."""
        self._before = self._known()
        self._open.clear()
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, None, None]:
        """What a fixture opens for several tests is its own."""
        before = self._known()
        yield
        if fixturedef.scope != "function":
            self._before |= self._known() - before

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> Generator[None, None, None]:
        """Which functions the exception left that ended the test."""
        guard = self._hooks.installed()
        if guard is not None and call.excinfo is not None:
            guard.left(call.excinfo.value)
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """All its fixtures are down: what is still open was forgotten."""
        yield
        guard = self._hooks.installed()
        if guard is not None:
            guard.leftovers(self._before)
        if self._open:
            told = "\n\n".join(map(str, self._open))
            self._open.clear()
            pytest.fail(told, pytrace=False)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:  # noqa: ANN401 - pytest's own, not exported
        """List the other mistakes."""
        if self._others:
            terminalreporter.section("session guard")
            for report in self._others.values():
                terminalreporter.line(f"{report}\n")

    def pytest_unconfigure(self) -> None:
        """Leave the process as it was."""
        self._hooks.uninstall()
