"""A plugin for pytest that writes down what the guard reports of the programs of ``tests/proofs``.

Each report is one line of JSON in the file that ``GUARD_REPORTS`` names, also those of other processes. A line without
a code says that a program was run.
"""

from __future__ import annotations

import gc
import json
import os
from typing import TYPE_CHECKING

import pytest

from session_lint.guard import install, installed, uninstall
from tests.proofs.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from session_lint.guard import Report

IDLE = {"transaction_held_across_slow_call": 0.15}
"""Seconds, by proof. The service that this one waits for takes longer where it meets a lock."""

current = {"proof": "", "program": ""}


def write(code: str, functions: list[str]) -> None:
    """Append a line; one write of the system is not mixed with another's."""
    file = os.open(os.environ["GUARD_REPORTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{json.dumps({**current, 'code': code, 'functions': functions})}\n".encode())
    os.close(file)


def told(report: Report) -> None:
    """Append a report, with the functions of the program that it shows."""
    stacks = (report.opened, report.happened or ())
    write(report.code, sorted({f.function for stack in stacks for f in stack if f.filename == "program.py"}))


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guard, for each test, with the program that the stage has loaded last."""
    load, close = Stage.load, Stage.close
    names = {text: name for name, text in vars(request.module).items() if isinstance(text, str)}
    current.update(proof=request.module.__name__.rpartition(".test_")[2], program="")

    def loading(self: Stage, program: str) -> object:
        current["program"] = names[program]
        write("", [])
        return load(self, program)

    def closing(self: Stage) -> None:
        guard = installed()
        assert guard is not None
        gc.collect()
        guard.leftovers()
        close(self)

    monkeypatch.setattr(Stage, "load", loading)
    monkeypatch.setattr(Stage, "close", closing)
    install(told, idle=IDLE.get(current["proof"], 0), ignore=())
    yield
    uninstall()
