"""Programs in processes of their own, forked from one that has their imports behind it.

Arguments, folder, environment, streams and exit code are those of any process, and nothing of one run is left for the
next. What a start imports is not seen from here: ``faces/test_startup.py`` and many others start Python itself.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 120
"""How many seconds a run may take."""

STREAMS = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY, "stderr": os.O_WRONLY}
COMMAND = "session_lint"
LINTERS = ("flake8.main.cli", "flake8.checker", "pycodestyle", "pyflakes.api", COMMAND)
DATABASES = ("sqlalchemy.orm", "sqlalchemy.dialects.sqlite", "flask")
APART = {"__main__", "guard", "lsp", "pytest_plugin", "reference"}
"""What the command begins with, and what it does not import."""


def session_lint(
    *arguments: str, cwd: Path | None = None, stdin: bytes = b"", environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """One run of the command, in the current folder where no other is given."""
    return module(COMMAND, *arguments, imported=(COMMAND,), cwd=cwd, stdin=stdin, environment=environment)


def module(
    name: str,
    *arguments: str,
    imported: tuple[str, ...],
    cwd: Path | None = None,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """One run of ``python -m name``.

    :param imported: the libraries that are there beforehand.
    :param environment: all of it; that of here where none is given.
    :raises subprocess.TimeoutExpired: where it does not end.
    """
    folder, known = str(cwd or Path.cwd()), dict(os.environ if environment is None else environment)
    if not hasattr(os, "fork") or _for_the_start(known):
        start = [sys.executable, "-m", name, *arguments]
        return subprocess.run(
            start, cwd=folder, env=known, input=stdin, capture_output=True, check=False, timeout=PATIENCE
        )
    with TemporaryDirectory(prefix="session-lint-", ignore_cleanup_errors=True) as streams:
        for stream in STREAMS:
            Path(streams, stream).write_bytes(stdin if stream == "stdin" else b"")
        request = {"name": name, "arguments": arguments, "cwd": folder, "environment": known, "streams": streams}
        code = _asked(_parent(imported), json.dumps(request))
        out, err = (Path(streams, stream).read_bytes() for stream in ("stdout", "stderr"))
    return subprocess.CompletedProcess([name, *arguments], code, out, err)


def _for_the_start(environment: Mapping[str, str]) -> bool:
    """Whether it says something that counts only where Python starts, and does not count here."""
    return any(
        name.startswith("PYTHON") and name != "PYTHONPATH" and value != os.environ.get(name)
        for name, value in environment.items()
    )


@cache
def _parent(imported: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """The process that forks; it ends when nobody can ask it any more."""
    command = [sys.executable, "-m", "tests.forked", *imported]
    root, pipe = Path(__file__).parents[1], subprocess.PIPE
    bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    parent = subprocess.Popen(command, cwd=root, env=bare, stdin=pipe, stdout=pipe, start_new_session=True)
    atexit.register(parent.communicate)
    return parent


def _asked(parent: subprocess.Popen[bytes], request: str) -> int:
    """The exit code of the run that a request describes."""
    assert parent.stdin is not None
    assert parent.stdout is not None
    late = threading.Timer(PATIENCE, os.killpg, (parent.pid, signal.SIGKILL))
    late.start()
    parent.stdin.write(f"{request}\n".encode())
    parent.stdin.flush()
    answer = parent.stdout.readline()
    late.cancel()
    if not answer:
        _parent.cache_clear()
        raise subprocess.TimeoutExpired(request, PATIENCE)
    return int(answer)


def _import(name: str) -> None:
    """Import a library; of the command, all that it may need."""
    package = import_module(name)
    if name == COMMAND:
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if not APART & set(found.name.split(".")):
                import_module(found.name)


def _request() -> dict[str, Any]:
    """Fork for each line of standard input, and answer with the exit code; in a forked process, what that is to do."""
    with os.fdopen(os.dup(1), "w") as answers:
        for line in sys.stdin.buffer:
            child = os.fork()
            if not child:
                request: dict[str, Any] = json.loads(line)
                return request
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
    sys.exit()


def _become(request: dict[str, Any]) -> None:
    """Take what a process is given when it starts."""
    for number, (name, mode) in enumerate(STREAMS.items()):
        file = os.open(Path(request["streams"], name), mode)
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[:1] = [request["cwd"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = [request["name"], *request["arguments"]]


def _run(name: str) -> None:
    """Run a module as a program and end as Python does, but for the taking apart of what was imported."""
    code: object = 0
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    if isinstance(code, str):
        print(code, file=sys.stderr)  # noqa: T201
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        _import(wanted)
    gc.freeze()
    task = _request()
    _become(task)
    _run(task["name"])
