"""The fixes held against a corpus: what is checked of each result, what is counted, and what ends with status 1."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from session_lint.engine import lint_source
from session_lint.finding import Applicability, Finding, Fix, Location, Severity
from session_lint.mend import Mended
from session_lint.source import Source

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
HEAD = "from database.session import SessionLocal\n\n\n"
MANUAL = """def save(rows):
    session = SessionLocal()
    try:
        session.add_all(rows)
        session.commit()
    finally:
        session.close()
"""
WORK = "def count(q):\n    session = SessionLocal()\n    session.execute(q)\n"
LENT = "def first(q):\n    session = SessionLocal()\n    return session.execute(q)\n"
DECLARED = "def count(q):\n    session: object = SessionLocal()\n    session.execute(q)\n"


@pytest.fixture
def fixes(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("fixes")


@pytest.fixture
def corpus(tmp_path: Path) -> list[Path]:
    """Files with a fix, in every form that bytes have."""
    content = {
        "manual.py": HEAD + MANUAL,
        "windows.py": (HEAD + MANUAL).replace("\n", "\r\n"),
        "tabs.py": (HEAD + MANUAL).replace("    ", "\t"),
        "open.py": (HEAD + WORK).rstrip(),
        "mark.py": "\ufeff" + HEAD + LENT,
        "declared.py": HEAD + DECLARED,
        "feeds.py": HEAD + "\f" + WORK,
        "clean.py": "VALUE = 1\n",
    }
    folder = tmp_path / "shop-1.0"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_bytes(text.encode())
    (folder / "latin.py").write_bytes(("# coding: latin-1\n# Käse\n" + HEAD + WORK).encode("latin-1"))
    return sorted(folder.iterdir())


def finding(code: str = "SES101", row: int = 3, severity: Severity = Severity.ERROR, **words: Any) -> Finding:
    here = Location(row, 1)
    said: dict[str, Any] = {"message": f"session 's' is open when line {row} raises", "symbol": "buy", **words}
    return Finding(code, "x", filename="a.py", location=here, end_location=here, severity=severity, **said)


def outcome(fixes: ModuleType, text: str, after: str, *applied: Finding, **words: Any) -> Any:  # noqa: ANN401  # the class is of the program under test
    source = Source("a.py", text)
    mended = Mended(after, applied, words.pop("left", ()), words.pop("problems", ()))
    return fixes.Outcome("a.py", source, text.encode(), after.encode(), words.pop("found", applied), mended)


def test_reasons_are_counted_without_lines_and_names(fixes: ModuleType) -> None:
    assert "'…' is used in line N of '…'" == fixes.normalised("'db' is used in line 12 of \"a's\"")


def test_a_mended_finding_may_not_be_there_again_though_lines_move(fixes: ModuleType) -> None:
    two = [finding(row=3), finding(row=9)]
    assert [] == fixes.lingering(two, two[:1], [finding(row=8)])
    assert ["SES101"] == [kind.code for kind in fixes.lingering(two, two[:1], [finding(row=8), finding(row=2)])]
    assert [] == fixes.lingering([], two[:1], [])  # one that another fix had brought


def test_what_is_new_is_told_from_what_has_moved(fixes: ModuleType) -> None:
    new = finding("SES102", symbol="sell")
    silenced = finding("SES901")
    assert [new] == fixes.brought([finding(row=3)], [finding(row=5), new, silenced])


def test_what_weighs_less_than_what_was_mended_may_come(fixes: ModuleType) -> None:
    style, warning, error = (finding(severity=s) for s in (Severity.STYLE, Severity.WARNING, Severity.ERROR))
    assert [] == fixes.heavy([style, warning], [error])
    assert [warning, error] == fixes.heavy([style, warning, error], [warning])


def test_a_finding_is_counted_by_what_it_offers(fixes: ModuleType) -> None:
    source = Source("a.py", HEAD + LENT)
    fix = Fix(Applicability.UNSAFE, "Delete it", "drop_statement", (("at", (6, 5)),), "line 6 says 'x'")
    assert fixes.Fate("unsafe", "line N says '…'") == fixes.fate(source, finding(fix=fix))
    safe = replace(fix, applicability=Applicability.SAFE, reason="")
    assert fixes.Fate("safe", "") == fixes.fate(source, finding(fix=safe))
    wrong = replace(fix, plan=(("at", (99, 1)),))
    reason = "the statement does not stand on a line of its own"
    assert fixes.Fate("refused", reason) == fixes.fate(source, finding(fix=wrong))
    assert fixes.Fate("refused", "'…' is lent") == fixes.fate(source, finding(refusal="'s' is lent"))
    assert fixes.Fate("untried", "") == fixes.fate(source, finding())


def test_the_shares_are_given_by_rule_and_the_reasons_below(fixes: ModuleType) -> None:
    counts = {("SES101", fixes.Fate("safe", "")): 1, ("SES101", fixes.Fate("refused", "it is lent")): 3}
    expected = """\
rule     findings           safe         unsafe        refused        untried
SES101          4        1 (25%)         0 (0%)        3 (75%)         0 (0%)
SES102          0              -              -              -              -
    3  SES101 refused: it is lent"""
    assert expected == fixes.fate_table(counts, ("SES101", "SES102"))


def test_a_corpus_whose_fixes_are_right(fixes: ModuleType, corpus: list[Path], tmp_path: Path) -> None:
    before = [path.read_bytes() for path in corpus]
    text, failures = fixes.held(corpus, tmp_path)
    assert [] == failures
    expected = """\
carried out                                safe   unsafe
files with a finding that has a fix           8        8
files changed                                 7        8
findings mended                               7        8
  SES101                                      4        5
  SES104                                      3        3
fixes not carried out after all               0        0
new findings that weigh less                  0        0
"""
    assert expected == text[: len(expected)]
    assert "    1  SES101 unsafe: line N returns what may be objects of the session, which it would detach" in text
    assert before == [path.read_bytes() for path in corpus]
    assert corpus == sorted((tmp_path / "shop-1.0").iterdir())  # no cache, either


GOOD = HEAD + WORK
MENDED = HEAD + "def count(q):\n    with SessionLocal() as session:\n        session.execute(q)\n"
SAID = finding(row=5, symbol="count", message="session 'session' is not closed at the end of 'count'")


def test_a_result_that_is_right_has_no_faults(fixes: ModuleType) -> None:
    assert [] == list(fixes.faults(outcome(fixes, GOOD, MENDED, SAID), unsafe=False))


@pytest.mark.parametrize(
    ("after", "applied", "words", "expected"),
    [
        (GOOD, (), {"problems": ("5: SES101 was not fixed: internal error: KeyError: 1",)}, "internal error: KeyError"),
        (MENDED, (), {}, "0 findings mended, and the text is another one"),
        (GOOD, (SAID,), {}, "1 findings mended, and the text is the same"),
        (MENDED + "def", (SAID,), {}, "the result does not compile"),
        (MENDED + "return\n", (SAID,), {}, "the result does not compile"),
        ("# coding: ascii\n# ä\n" + MENDED, (SAID,), {}, "the result cannot be read: cannot be decoded"),
        (GOOD + "# x\n", (SAID,), {}, "running again changes the file again (SES101)"),
        (MENDED + MANUAL.replace("commit", "flush"), (SAID,), {}, "of the result has a new SES"),
        (MENDED, (SAID,), {"left": (finding(),)}, "1 findings are said to be left, a new run finds 0, or others"),
    ],
)
def test_a_result_that_is_wrong(
    fixes: ModuleType, after: str, applied: tuple[Finding, ...], words: dict[str, Any], expected: str
) -> None:
    made = outcome(fixes, GOOD, after, *applied, **words)
    assert any(expected in fault for fault in fixes.faults(made, unsafe=False))


def test_a_result_that_has_no_bytes(fixes: ModuleType) -> None:
    made = outcome(fixes, GOOD, MENDED, SAID)
    unwritable = replace(made, after=made.before)
    assert ["the result cannot be written in the file's encoding"] == list(fixes.faults(unwritable, unsafe=False))


def test_a_finding_that_was_said_to_be_mended_and_is_there(fixes: ModuleType) -> None:
    found = tuple(lint_source(Source("a.py", GOOD), fixes.SETTINGS))
    made = outcome(fixes, GOOD, GOOD + "# x\n", *found)
    assert "SES101 in 'count' was mended and is still there" in next(fixes.faults(made, unsafe=False))


def test_text_that_parses_need_not_be_a_program(fixes: ModuleType) -> None:
    texts = ["x = 1\n", "return\n", "def", "x = '\\d'\n", "\0"]
    assert [True, False, False, True, False] == [fixes.compiles(Source("a.py", text)) for text in texts]


DIFF = b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\r\n+x = 2\r\n"


def test_a_diff_gives_the_bytes_that_it_should(fixes: ModuleType) -> None:
    right = outcome(fixes, "x = 1\r\n", "x = 2\r\n")
    assert [] == list(fixes.diff_faults(DIFF, [right]))
    other = outcome(fixes, "x = 1\r\n", "x = 2\n")
    assert ["a.py"] == [failure.file for failure in fixes.diff_faults(DIFF, [other])]
    moved = outcome(fixes, "x = 3\r\n", "x = 3\r\n")
    refused = [failure.what for failure in fixes.diff_faults(DIFF, [moved])]
    assert "git apply --check: error: patch failed: a.py:1" in refused
    assert [] == list(fixes.diff_faults(b"", [moved]))


def test_a_fault_of_mending_is_one_files_failure(
    fixes: ModuleType, corpus: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: Source, *_: object, **__: object) -> Mended:
        raise KeyError(source.filename)

    monkeypatch.setattr(fixes, "mend", broken)
    _, failures = fixes.held(corpus[-1:], tmp_path)
    assert [(f.file, f.what.splitlines()[0]) for f in failures] == [
        ("shop-1.0/windows.py", "safe: mending raised"),
        ("shop-1.0/windows.py", "unsafe: mending raised"),
    ]


def test_files_come_back_or_are_refused_in_words(fixes: ModuleType, corpus: list[Path], tmp_path: Path) -> None:
    (tmp_path / "shop-1.0" / "old.py").write_bytes(b"print 1\n")
    (tmp_path / "shop-1.0" / "undecodable.py").write_bytes(b"# \xff\n")
    (tmp_path / "shop-1.0" / "deep.py").write_text("x = " + "-" * 2000 + "1\n")
    paths = sorted((tmp_path / "shop-1.0").iterdir())
    answers = list(fixes.fidelities(paths, tmp_path, 1))
    assert answers == list(fixes.fidelities(paths, tmp_path, 2))
    assert [""] == sorted({answer.failure for answer in answers})
    refused = {Path(answer.file).stem: answer.refusal for answer in answers if answer.refusal}
    assert {"deep", "old", "undecodable"} == refused.keys()
    assert "the module is nested too deeply to be rewritten" == refused["deep"]
    table = fixes.fidelity_table(answers)
    assert "12 files: 9 come back byte for byte, 3 are refused in words" in table


def test_a_refusal_has_to_be_true(fixes: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: str) -> None:
        raise KeyError(1)

    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(fixes, "parsed", breaks)
    assert "internal error: KeyError: 1" == fixes.fidelity(tmp_path / "a.py", tmp_path).failure


@pytest.mark.parametrize(("failed", "status"), [(False, 0), (True, 1)])
def test_the_exit_status_says_whether_a_check_failed(
    fixes: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    failed: bool,
    status: int,
) -> None:
    failures = [fixes.Failure("a.py", "it is wrong")] * failed
    monkeypatch.setattr(fixes, "folders", list)
    monkeypatch.setattr(fixes, "packages", list)
    monkeypatch.setattr(fixes, "held", lambda _: ("the report", list(failures)))
    monkeypatch.setattr("sys.argv", ["fixes.py", "--fidelity"])
    assert status == fixes.main()
    printed = capsys.readouterr().out
    assert f"failures: {int(failed)}\n" in printed
    assert failed == ("  a.py: it is wrong\n" in printed)


def test_there_may_be_no_corpus(fixes: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> list[str]:
        raise fixes.RunError("not fetched yet: shop")

    monkeypatch.setattr(fixes, "folders", missing)
    monkeypatch.setattr("sys.argv", ["fixes.py"])
    assert 2 == fixes.main()
