"""A plugin for pytest that writes down what the guard reports of the programs of ``tests/proofs``.

Each report is one line of JSON in the file that ``GUARD_REPORTS`` names, also those of other processes.
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

IDLE = 0.15
"""Seconds. The service that a proof waits for takes longer where it meets a lock."""

current = {"proof": "", "program": ""}


def write(report: Report) -> None:
    """Append a report; one write of the system is not mixed with another."""
    functions = {
        frame.function for stack in (report.opened, report.happened or ()) for frame in stack if _of_program(frame.filename)
    }
    place = report.place
    told = {
        **current,
        "code": report.code,
        "row": place.line if place is not None and _of_program(place.filename) else 0,
        "function": place.function if place is not None else "",
        "functions": sorted(functions),
    }
    file = os.open(os.environ["GUARD_REPORTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{json.dumps(told)}\n".encode())
    os.close(file)


def _of_program(filename: str) -> bool:
    return filename == "program.py"


@pytest.fixture(autouse=True)
def _recorded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The guard, for each test, with the program that the stage has loaded last."""
    load, close = Stage.load, Stage.close
    names = {text: name for name, text in vars(request.module).items() if isinstance(text, str)}
    current.update(proof=request.module.__name__.rpartition(".test_")[2], program="")

    def loading(self: Stage, program: str) -> object:
        current["program"] = names[program]
        write_loaded()
        return load(self, program)

    def closing(self: Stage) -> None:
        guard = installed()
        assert guard is not None
        gc.collect()
        guard.leftovers()
        close(self)

    monkeypatch.setattr(Stage, "load", loading)
    monkeypatch.setattr(Stage, "close", closing)
    install(write, idle=IDLE if current["proof"] == "transaction_held_across_slow_call" else 0)
    yield
    uninstall()


def write_loaded() -> None:
    """Say that a program was run, also where nothing is reported of it."""
    with open(os.environ["GUARD_REPORTS"], "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{json.dumps({**current, 'code': ''})}\n")
