"""The reviewed findings of the corpus: which are true, which are not, and which nobody has read yet.

``python benchmarks/verdicts.py`` compares ``verdicts.toml`` with what ``run.py`` found last. It prints the findings
without a verdict, each as an entry to paste and fill in, and the share of true ones by rule. Its exit status is 1
where a finding about sessions (SES1 to SES8, but for SES4) has no verdict, or fewer than nine in ten of a rule are
true.
"""

from __future__ import annotations

import argparse
import json
import os.path
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corpus import HERE, ROOT, Package, packages

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable

FINDINGS = ROOT / "findings.json"
TRUSTED = 0.9
LEAKS = ("SES1", "SES2")
JUDGED = (*LEAKS, "SES3", "SES5", "SES6", "SES7", "SES8")


class Key(NamedTuple):
    """What a verdict is about; line numbers are left out, so that it outlives small changes of the rules."""

    package: str
    version: str
    file: str
    symbol: str
    code: str


@dataclass(frozen=True)
class Verdict:
    """What a person who read the code says of a finding.

    :param true: whether the finding is a bug worth mending.
    :param why: the reason, in one line.
    """

    true: bool
    why: str


def verdicts(table: Path = HERE / "verdicts.toml") -> dict[Key, Verdict]:
    """The reviewed table.

    :raises SystemExit: where two entries are about the same findings.
    """
    found: dict[Key, Verdict] = {}
    for entry in tomllib.loads(table.read_text("utf-8")).get("finding", []):
        key = Key(*(entry[field] for field in Key._fields))
        if key in found:
            raise SystemExit(f"{table.name}: {key} stands there twice")
        found[key] = Verdict(entry["verdict"], entry["why"])
    return found


def key_of(finding: dict[str, Any], pinned: Iterable[Package]) -> Key:
    """The key of a finding; its file is relative to the corpus or absolute, the key's to the package."""
    path = Path(os.path.relpath(ROOT / finding["filename"], ROOT))
    package = next(p for p in pinned if p.folder.name == path.parts[0])
    file = path.relative_to(package.folder.name).as_posix()
    return Key(package.name, package.version, file, finding["symbol"] or "", finding["code"])


def grouped(findings: Iterable[dict[str, Any]], rules: tuple[str, ...]) -> dict[Key, list[dict[str, Any]]]:
    """The findings whose codes begin like one of ``rules``, by key."""
    pinned = packages()
    found: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for finding in findings:
        if finding["code"].startswith(rules):
            found[key_of(finding, pinned)].append(finding)
    return found


def entry(key: Key, findings: list[dict[str, Any]]) -> str:
    """A finding without a verdict, as the start of its entry in the table."""
    lines = []
    for finding in findings:
        where = f"{finding['filename']}:{finding['location']['row']}"
        lines.append(f"# {where} {finding['severity']}: {finding['message']}")
        lines += [f"#   {step['location']['row']}: {step['message']}" for step in finding["trace"]]
    lines.append("[[finding]]")
    lines += [f"{field} = {json.dumps(value)}" for field, value in key._asdict().items()]
    return "\n".join([*lines, "verdict = ", "why = "])


def shares(found: dict[Key, list[dict[str, Any]]], judged: dict[Key, Verdict]) -> str:
    """How many findings of each rule are true, false, and not yet reviewed."""
    rows = [f"{'rule':<8}{'true':>6}{'false':>7}{'unread':>8}{'true share':>12}"]
    for code, (true, false, unread) in sorted(_counted(found, judged).items()):
        share = f"{true / (true + false):.0%}" if true + false else "-"
        rows.append(f"{code:<8}{true:>6}{false:>7}{unread:>8}{share:>12}")
    return "\n".join(rows)


def _counted(found: dict[Key, list[dict[str, Any]]], judged: dict[Key, Verdict]) -> dict[str, list[int]]:
    """The same by rule."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, findings in found.items():
        column = 2 if key not in judged else 0 if judged[key].true else 1
        counts[key.code][column] += len(findings)
    return counts


def _doubted(found: dict[Key, list[dict[str, Any]]], judged: dict[Key, Verdict]) -> bool:
    """Whether a rule is right less often than a rule must be that is on by default."""
    return any(true < TRUSTED * (true + false) for true, false, _ in _counted(found, judged).values())


def main() -> int:
    """Print what is to be read, and the shares; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--all", action="store_true", help="judge the findings of every rule")
    options = parser.parse_args()
    if not FINDINGS.is_file():
        print("no findings yet (run benchmarks/run.py)", file=sys.stderr)
        return 2
    found = grouped(json.loads(FINDINGS.read_text("utf-8")), ("SES",) if options.all else JUDGED)
    judged = verdicts()
    unread = [key for key in sorted(found) if key not in judged]
    false = [key for key in sorted(found) if key in judged and not judged[key].true]
    for key in unread:
        print(entry(key, found[key]), end="\n\n")
    for key in false:
        print(f"false alarm: {' '.join(key)}: {judged[key].why}")
    gone = len(judged.keys() - found.keys())
    print(shares(found, judged))
    print(f"\n{len(unread)} without a verdict, {len(false)} false alarms, {gone} verdicts on what is no longer found")
    return 1 if unread or _doubted(found, judged) else 0


if __name__ == "__main__":
    raise SystemExit(main())
