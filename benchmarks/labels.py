"""How well the rules of SES1 and SES2 do at places of the corpus that were labelled by reading.

``python benchmarks/labels.py`` compares ``labels.toml`` with what ``run.py`` found last (``--run``: with a new run). It
prints every place where the two disagree, then precision and recall by site. Its exit status is 1 where they disagree
at a site that nobody could label otherwise, 2 where there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from corpus import HERE, Package, packages
from linters import RunError
from run import session_lint
from verdicts import FINDINGS, LEAKS, key_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PARTS = ("draw", "rest")
KINDS = ("owned", "scope", "singleton", "borrowed", "none")
CLOSED = ("always", "not-on-error", "never-on-some-path", "handed-over", "owner-never-closes", "managed")
STYLE = {"SES104"}  # off by default, and no fault


class LabelError(Exception):
    """A table that cannot be right, or cannot be compared."""


class Place(NamedTuple):
    """Where a label stands; unlike a verdict it is bound to one line of one version."""

    package: str
    version: str
    file: str
    line: int


@dataclass(frozen=True)
class Label:
    """What a person who read the code says of an acquire site.

    :param part: one of ``PARTS``: how the site was chosen.
    :param kind: one of ``KINDS``: whose session it is.
    :param closed: one of ``CLOSED``: what becomes of it.
    :param expected: the rules that ought to report there; empty for none.
    :param why: the reason, in one line.
    :param doubt: why a careful reader could say otherwise; empty where nobody could.
    """

    part: str
    kind: str
    closed: str
    expected: frozenset[str]
    why: str
    doubt: str = ""

    def outcome(self, codes: frozenset[str]) -> str:
        """What it means that the tool reports ``codes`` there: one word of ``Score``'s fields."""
        if self.expected and codes:
            return "hits" if self.expected & codes else "renamed"
        if self.expected:
            return "missed"
        return "false" if codes else "silent"


@dataclass(frozen=True)
class Score:
    """How many sites ended how.

    :param hits: reported, as expected.
    :param renamed: a fault was expected and is reported, under another rule.
    :param missed: a fault was expected and nothing is reported.
    :param false: something is reported where nothing was expected.
    :param silent: nothing is reported, as expected.
    """

    hits: int = 0
    renamed: int = 0
    missed: int = 0
    false: int = 0
    silent: int = 0

    @property
    def precision(self) -> float | None:
        """Of the sites that are reported, the share of faults; ``None`` where nothing is reported."""
        return _share(self.hits + self.renamed, self.false)

    @property
    def recall(self) -> float | None:
        """Of the faults, the share that is reported; ``None`` where there are none."""
        return _share(self.hits + self.renamed, self.missed)


def _share(right: int, wrong: int) -> float | None:
    return right / (right + wrong) if right + wrong else None


def labels(table: Path = HERE / "labels.toml") -> dict[Place, Label]:
    """The labels, in the order of the table.

    :raises LabelError: where two are about one place, a word is not one of the known ones, or the parts of a label
        contradict each other.
    """
    found: dict[Place, Label] = {}
    for entry in tomllib.loads(table.read_text("utf-8")).get("site", []):
        place = Place(*(entry[field] for field in Place._fields))
        if place in found:
            raise LabelError(f"{table.name}: {place} stands there twice")
        words = {field: entry[field] for field in ("part", "kind", "closed", "why")}
        label = Label(**words, expected=frozenset(entry["expected"]), doubt=entry.get("doubt", ""))
        if fault := _contradiction(label):
            raise LabelError(f"{table.name}: {place}: {fault}")
        found[place] = label
    return found


def _contradiction(label: Label) -> str | None:
    for word, known in ((label.part, PARTS), (label.kind, KINDS), (label.closed, CLOSED)):
        if word not in known:
            return f"{word!r} is none of {', '.join(known)}"
    if not all(code.startswith(LEAKS) and code not in STYLE for code in label.expected):
        return f"{sorted(label.expected)} are not all rules that are compared"
    if label.expected and label.kind not in ("owned", "singleton"):
        return f"nobody owes the close of a session of kind {label.kind}"
    if label.expected and label.closed in ("always", "managed", "handed-over"):
        return f"{label.closed} is no fault"
    return None


def reported(findings: Iterable[dict[str, Any]], pinned: Iterable[Package]) -> dict[Place, frozenset[str]]:
    """The rules of SES1 and SES2 that report at each line; those of style are left out."""
    pinned = list(pinned)
    found: dict[Place, set[str]] = defaultdict(set)
    for finding in findings:
        if finding["code"].startswith(LEAKS) and finding["code"] not in STYLE:
            key = key_of(finding, pinned)
            found[Place(key.package, key.version, key.file, finding["location"]["row"])].add(key.code)
    return {place: frozenset(codes) for place, codes in found.items()}


def score(labelled: Mapping[Place, Label], found: Mapping[Place, frozenset[str]]) -> Score:
    """How the labelled sites ended; those that open no session count only where something is reported there."""
    outcomes = Counter(label.outcome(found.get(place, frozenset())) for place, label in labelled.items())
    nothing = sum(label.kind == "none" and place not in found for place, label in labelled.items())
    return Score(**{**outcomes, "silent": outcomes["silent"] - nothing})


def disagreements(labelled: Mapping[Place, Label], found: Mapping[Place, frozenset[str]]) -> list[str]:
    """One text for each site where label and tool differ, in the order of the table."""
    texts = []
    for place, label in labelled.items():
        codes = found.get(place, frozenset())
        outcome = label.outcome(codes)
        if outcome not in ("hits", "silent"):
            where = f"{place.package} {place.file}:{place.line}"
            texts.append(f"{outcome}: {where}: expected {_listed(label.expected)}, reported {_listed(codes)}")
            texts[-1] += f"\n  {label.kind}, {label.closed}: {label.why}"
            texts[-1] += f"\n  in doubt: {label.doubt}" if label.doubt else ""
    return texts


def _listed(codes: frozenset[str]) -> str:
    return ", ".join(sorted(codes)) or "nothing"


def table(labelled: Mapping[Place, Label], found: Mapping[Place, frozenset[str]]) -> str:
    """The figures as text: of all sites, of each part, and of those that nobody could label otherwise."""
    chosen = {"all sites": dict(labelled)}
    for part in PARTS:
        chosen[f"part {part}"] = {place: label for place, label in labelled.items() if label.part == part}
    chosen["without doubt"] = {place: label for place, label in labelled.items() if not label.doubt}
    rows = [f"{'':<15}{'hits':>6}{'renamed':>9}{'missed':>8}{'false':>7}{'silent':>8}{'precision':>11}{'recall':>8}"]
    for name, sites in chosen.items():
        got = score(sites, found)
        counts = f"{got.hits:>6}{got.renamed:>9}{got.missed:>8}{got.false:>7}{got.silent:>8}"
        rows.append(f"{name:<15}{counts}{_percent(got.precision):>11}{_percent(got.recall):>8}")
    return "\n".join(rows)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _findings(*, anew: bool) -> list[dict[str, Any]]:
    if anew:
        return session_lint("--no-cache")
    if not FINDINGS.is_file():
        raise LabelError("no findings yet (run benchmarks/run.py, or give --run)")
    findings: list[dict[str, Any]] = json.loads(FINDINGS.read_text("utf-8"))
    return findings


def main() -> int:
    """Print where label and tool differ, and the figures; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--run", action="store_true", help="lint the corpus now, without a cache")
    options = parser.parse_args()
    try:
        labelled = labels()
        pinned = packages()
        if other := {place[:2] for place in labelled} - {(package.name, package.version) for package in pinned}:
            raise LabelError(f"labelled, but not pinned in corpus.toml: {sorted(other)}")
        found = reported(_findings(anew=options.run), pinned)
    except (LabelError, RunError) as error:
        print(error, file=sys.stderr)
        return 2
    for text in disagreements(labelled, found):
        print(text, end="\n\n")
    print(table(labelled, found))
    return 1 if disagreements({place: label for place, label in labelled.items() if not label.doubt}, found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
