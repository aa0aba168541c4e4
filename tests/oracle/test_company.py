"""Programs in company: what SES101 and SES102 say where functions and classes of their own work on the sessions.

The whole of a module is judged by what becomes of the sessions that ``program`` answers for. What a helper forgets
itself is judged where nothing but the helper is used, in every way there is.
"""

from __future__ import annotations

from collections import Counter
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from tests.linting import lint
from tests.oracle import apart, company
from tests.oracle.judge import judged, story
from tests.oracle.program import PROGRAM, module
from tests.oracle.shrink import shrink
from tests.oracle.test_oracle import cases, static, truth

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.oracle.judge import Site
    from tests.oracle.program import Block
    from tests.oracle.test_oracle import Case, Verdict

Judged = tuple[list["Verdict"], list["Verdict"]]
"""What session-lint says, and what the runs say."""


def first_row(text: str) -> int:
    """The line on which ``program`` begins."""
    return next(row for row, line in enumerate(text.splitlines(), 1) if line.startswith(PROGRAM))


def of_program(text: str, sites: dict[int, Site]) -> Judged:
    """Both verdicts about the sessions that ``program`` answers for."""
    first = first_row(text)
    said, happened = static(text), truth(sites)
    return [v for v in said if v[0] > first], [v for v in happened if v[0] > first]


def of_aid(text: str, sites: dict[int, Site]) -> Judged:
    """Both verdicts about the sessions that what stands before ``program`` answers for."""
    first = first_row(text)
    said, happened = static(text), truth(sites)
    return [v for v in said if v[0] < first], [v for v in happened if v[0] < first]


def differing(found: list[Case], both: Callable[[str, dict[int, Site]], Judged]) -> list[Block]:
    """The modules on which the verdicts differ."""
    return [block for block, text, sites in found if len({*map(tuple, both(text, sites))}) > 1]


def report(block: Block, both: Callable[[str, dict[int, Site]], Judged]) -> str:
    """The smallest module with this disagreement, both verdicts, and the runs that prove the right one."""
    opened = module(block).count("Session()")

    def still(smaller: Block) -> bool:
        text = module(smaller)
        case = judged(smaller) if text.startswith(PROGRAM) or f"\n{PROGRAM}" in text else None
        kept = both is of_program or text.count("Session()") == opened
        return case is not None and kept and bool(differing([(smaller, *case)], both))

    text, sites = judged(shrink(block, still)) or ("", {})
    numbered = "\n".join(f"{row:3} {line}" for row, line in enumerate(text.splitlines(), 1))
    proofs = [story(text, site.proof) for site in sites.values() if site.proof is not None]
    said, happened = both(text, sites)
    return "\n".join([numbered, f"session-lint says {said}, the runs say {happened}", *proofs])


def failures(wrong: list[Block], both: Callable[[str, dict[int, Site]], Judged]) -> str:
    """How many disagreements there are, and the first of them."""
    shown = [report(block, both) for block in wrong[:3]]
    return "\n\n".join([f"{len(wrong)} programs are judged wrongly; the first of them:", *shown])


def drawn(draw: Callable[[int, int], Block], seed: int, wanted: int) -> list[Case]:
    """So many modules drawn at random, the same for the same seed."""
    return list(islice(cases(draw(seed, number) for number in count()), wanted))


@pytest.fixture(name="programs", scope="session")
def _programs(request: pytest.FixtureRequest) -> int:
    """How many programs to judge in all."""
    return int(request.config.getoption("--oracle-programs"))


@pytest.fixture(name="seed", scope="session")
def _seed(request: pytest.FixtureRequest) -> int:
    """Which programs to draw."""
    return int(request.config.getoption("--oracle-seed"))


def test_drawn_companies(programs: int, seed: int) -> None:
    """Programs whose sessions are opened, used, closed and passed on by functions and classes of their own."""
    wrong = differing(drawn(company.program, seed, programs // 5), of_program)
    assert not wrong, failures(wrong, of_program)


def test_drawn_aids(programs: int, seed: int) -> None:
    """What a function forgets itself stands where it opens, however the rest of the module looks."""
    wrong = differing(drawn(company.alone, seed, programs // 10), of_aid)
    assert not wrong, failures(wrong, of_aid)


@pytest.mark.parametrize("form", apart.Form)
def test_companies_over_several_files(form: apart.Form, programs: int, seed: int, tmp_path: Path) -> None:
    """The same verdicts where everything but the program stands in another module."""
    for number in range(programs // 40):
        text = module(company.program(seed, number))
        expected = sorted(apart.verdicts(text, lint(text, apart.LEAKS)))
        files = apart.files(text, form)
        assert expected == apart.linted(tmp_path / str(number), files), files


@pytest.mark.parametrize("draw", [company.program, company.alone])
def test_drawn_companies_show_every_verdict(draw: Callable[[int, int], Block]) -> None:
    """An oracle whose programs were all faultless, or all faulty, would prove nothing."""
    both = of_program if draw is company.program else of_aid
    found = drawn(draw, 20, 250)
    verdicts = Counter(verdict[1:] for _, text, sites in found for verdict in both(text, sites)[1])
    assert min(verdicts[code, severity] for code in apart.LEAKS for severity in ("error", "warning")) >= 1
    assert sum(1 for _, text, sites in found if not both(text, sites)[1]) >= 50


def test_every_aid_is_used() -> None:
    """All that an aid offers stands in some program."""
    texts = [text for _, text, _ in drawn(company.program, 20, 250)]
    calls = ("tend(", "end_it(", "finish_it(", "lend(", "open_one(", "provide(", "ensure(", "scope()", "Owner()",
             "Worker().tend(", "Worker().end_now(", "Worker().end_through(", "finish()")  # fmt: skip
    used = Counter(call for text in texts for call in calls if call in text.partition("items):")[2])
    assert set(calls) == set(used)
