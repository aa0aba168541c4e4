"""Whether the hooks in ``.pre-commit-config.yaml`` are set up to work.

The file is read line by line, as everybody writes it: a list item a hook, a key a line. What is written in braces is
not looked into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from session_lint import __version__
from session_lint.cli.doctor.advice import Advice

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ITEM = re.compile(r"(?P<indent>\s*)- (?P<key>repo|id):\s*(?P<value>\S+)")
_KEY = re.compile(r"(?P<indent>\s*)(?P<key>[a-z_]+):\s*(?P<value>.*?)\s*(?:#.*)?$")
_ARGUMENT = re.compile(r"(?P<indent>\s*)- (?P<value>\S+)")
_ENDLESS = ("--watch", "--interactive")
_MOVING = ("main", "master", "HEAD", "trunk", "develop")


@dataclass
class Hook:
    """One of our hooks, with the keys of its repository.

    :param repo: the repository's ``repo`` and ``rev``.
    :param keys: the hook's own; lists that go over lines are joined.
    """

    repo: dict[str, str]
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def local(self) -> bool:
        """Whether the configuration itself says how it is run."""
        return self.repo.get("repo") == "local"

    @property
    def ours(self) -> bool:
        """Whether it runs session-lint."""
        return self.keys["id"].startswith("session-lint") or self.keys.get("entry", "").startswith("session-lint")


def pre_commit(root: Path) -> Iterator[Advice]:
    """Hooks that never end, that leave excludes out, that run side by side, or whose version moves."""
    file = root / ".pre-commit-config.yaml"
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for hook in _hooks(lines):
        if hook.ours:
            yield from (Advice(file, f"hook {hook.keys['id']}: {wrong}", cure) for wrong, cure in _advice(hook))


def _advice(hook: Hook) -> Iterator[tuple[str, str]]:
    command = f"{hook.keys.get('entry', '')} {hook.keys.get('args', '')}"
    for option in _ENDLESS:
        if option in command:
            yield f"{option} waits for somebody, and a hook has nobody", f"take {option} out of its args"
    if hook.local:
        yield from _local(hook, command)
    elif hook.repo.get("rev") in _MOVING:
        yield f"rev: {hook.repo['rev']} moves, and pre-commit keeps what it once fetched", f"write rev: v{__version__}"
    elif (
        (rev := hook.repo.get("rev", "").removeprefix("v")) and re.fullmatch(r"\d+\.\d+\S*", rev) and rev != __version__
    ):
        yield f"it runs {rev}, and {__version__} is installed here", f"write rev: v{__version__}"


def _local(hook: Hook, command: str) -> Iterator[tuple[str, str]]:
    whole = hook.keys.get("pass_filenames") == "false"
    if not whole and "--force-exclude" not in command:
        yield "it checks files that the settings exclude, because it names them", "add --force-exclude to its entry"
    if hook.keys.get("require_serial") != "true":
        yield "pre-commit starts several of it, which read the project each for itself", "add require_serial: true"
    if hook.keys.get("language") == "python" and "session-lint" not in hook.keys.get("additional_dependencies", ""):
        yield "its environment has no session-lint", f'add additional_dependencies: ["session-lint=={__version__}"]'


def _hooks(lines: Sequence[str]) -> Iterator[Hook]:
    """The hooks of a configuration, ours and others'."""
    repo: dict[str, str] = {}
    hook: Hook | None = None
    keys, last = repo, ""
    for line in lines:
        if item := _ITEM.match(line):
            if hook is not None:
                yield hook
                hook = None
            if item["key"] == "repo":
                keys = repo = {"repo": _bare(item["value"])}
            else:
                hook = Hook(repo)
                keys = hook.keys
                keys["id"] = _bare(item["value"])
        elif found := _KEY.match(line):
            last = found["key"]
            keys[last] = _bare(found["value"])
        elif last and (argument := _ARGUMENT.match(line)):
            keys[last] = f"{keys[last]} {_bare(argument['value'])}".strip()
    if hook is not None:
        yield hook


def _bare(value: str) -> str:
    return value.strip("\"'")
