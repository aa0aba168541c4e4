"""What SES101 and SES102 say of small programs is what becomes of their sessions when they run."""

from __future__ import annotations

from collections import Counter
from itertools import count, islice, product
from typing import TYPE_CHECKING

import pytest

from tests.linting import lint
from tests.oracle import small, wild
from tests.oracle.judge import judged, story
from tests.oracle.program import simple
from tests.oracle.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.oracle.judge import Site
    from tests.oracle.program import Block

LINES = 4
"""All programs with up to that many lines are judged, unless fewer are asked for."""

Verdict = tuple[int, str, str]
"""A row, a code, and whether it is an error or a warning."""


def truth(sites: dict[int, Site]) -> list[Verdict]:
    """What the runs showed."""
    return sorted((row, site.verdict, site.severity) for row, site in sites.items() if site.verdict)


def static(text: str) -> list[Verdict]:
    """What the rules say without running anything."""
    return [(found.location.row, found.code, found.severity.value) for found in lint(text, ["SES101", "SES102"])]


def disagrees(block: Block) -> bool:
    """Whether a program that can be judged is judged differently."""
    case = judged(block)
    return case is not None and truth(case[1]) != static(case[0])


def report(block: Block) -> str:
    """The smallest program with this disagreement, both verdicts, and the run that proves the right one."""
    text, sites = judged(shrink(block, disagrees)) or ("", {})
    numbered = "\n".join(f"{row:3} {line}" for row, line in enumerate(text.splitlines(), 1))
    proofs = [story(text, site.proof) for site in sites.values() if site.proof is not None]
    said = f"session-lint says {static(text)}, the runs say {truth(sites)}"
    return "\n".join([numbered, said, *(proofs or ["  no run leaves a session open"])])


Case = tuple["Block", str, "dict[int, Site]"]
"""A program that is fit for a verdict, its module, and what became of its sessions."""


def cases(blocks: Iterable[Block]) -> Iterator[Case]:
    """The programs that are fit for a verdict."""
    for block in blocks:
        case = judged(block)
        if case is not None:
            yield block, *case


def differing(found: Iterable[Case]) -> list[Block]:
    """The programs on which the verdicts differ."""
    return [block for block, text, sites in found if truth(sites) != static(text)]


def failures(wrong: list[Block]) -> str:
    """How many disagreements there are, and the first of them."""
    shown = [report(block) for block in wrong[:3]]
    return "\n\n".join([f"{len(wrong)} programs are judged wrongly; the first of them:", *shown])


def shares(programs: int) -> tuple[list[Block], int]:
    """The small programs to judge, and how many drawn ones make up the number."""
    every = list(small.programs(LINES))
    step = max(1, round(2 * len(every) / programs))
    chosen = every[::step]
    return chosen, max(programs - len(chosen), programs // 2)


@pytest.fixture(name="programs", scope="session")
def _programs(request: pytest.FixtureRequest) -> int:
    """How many programs to judge in all."""
    return int(request.config.getoption("--oracle-programs"))


def test_every_small_program(programs: int) -> None:
    """All programs up to four lines; every n-th of them where fewer are asked for."""
    chosen, _ = shares(programs)
    fit = list(cases(chosen))
    assert len(fit) > len(chosen) * 3 // 4
    wrong = differing(fit)
    assert not wrong, failures(wrong)


def drawn(seed: int, wanted: int) -> list[Case]:
    """So many programs drawn at random, the same for the same seed."""
    return list(islice(cases(wild.program(seed, number) for number in count()), wanted))


def test_drawn_programs(programs: int, request: pytest.FixtureRequest) -> None:
    """Programs drawn at random."""
    _, wanted = shares(programs)
    fit = drawn(request.config.getoption("--oracle-seed"), wanted)
    wrong = differing(fit)
    assert not wrong, failures(wrong)


def test_drawn_programs_show_every_verdict() -> None:
    """An oracle whose programs were all faultless, or all faulty, would prove nothing."""
    sites = [site for _, _, found in drawn(20, 300) for site in found.values()]
    verdicts = Counter((site.verdict, site.verdict and site.severity) for site in sites)
    assert set(verdicts) == {(None, None), *product(("SES101", "SES102"), ("error", "warning"))}
    assert min(verdicts.values()) >= 10


def test_a_disagreement_is_shown_with_its_proof() -> None:
    """The smallest program, and step by step the run that proves the verdict."""
    block = (small.OPEN, (("if c1:", (simple("session.close()"),)),), simple("logging.info('x')"))
    smallest = shrink(block, lambda smaller: "SES101" in verdicts_of(smaller))
    assert smallest == (small.OPEN,)
    text, sites = judged(block) or ("", {})
    (row, site), *_ = sites.items()
    assert story(text, site.proof or ()).splitlines() == [
        f"  line {row}: a session is opened",
        f"  line {row + 1}: c1 is False",
        f"  it returns; opened and never closed: line {row}",
    ]


def verdicts_of(block: Block) -> list[str | None]:
    """What the runs say of a program's sessions."""
    _, sites = judged(block) or ("", {})
    return [site.verdict for site in sites.values()]
