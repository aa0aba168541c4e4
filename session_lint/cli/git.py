"""Git's answers about a repository, as the command needs them: or why there is none."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class GitError(Exception):
    """Git did not do what it was asked for; the message is its own."""


def git(folder: Path, *arguments: str) -> bytes:
    """What git prints.

    A repository that is looked at runs no program of its own; whatever repository a hook's environment points to,
    the one that the folder is in is meant.

    :raises GitError: where git is not there, or fails.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, env=environment, check=False)  # noqa: S603
    except OSError as error:
        raise GitError(f"git cannot be started: {error.strerror or error}") from None
    if done.returncode:
        raise GitError(done.stderr.decode(errors="replace").strip().partition("\n")[0])
    return done.stdout


def top_of(folder: Path) -> Path | None:
    """The top of the repository that a folder is in."""
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), None)
