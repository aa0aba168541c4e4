"""What only IPython reads is put out of the way, and nothing else moves."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from session_lint.magics import python_only


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%matplotlib inline\nx = 1", "0                 \nx = 1"),
        ("if x:\n    !ls\n", "if x:\n    0  \n"),
        ("!pip install \\\n  a b\nx = 1\n", "0             \n     \nx = 1\n"),
        ("files = !ls -l\n", "files = 0     \n"),
        ("a, b = %who_ls\n", "a, b = 0      \n"),
        ("%time x = f()\n", "0;    x = f()\n"),
        ("x = %time f()\n", "x =       f()\n"),
        ("%timeit -n 3 f()\n", "0               \n"),
        ("obj.method?\n", "0          \n"),
        ("é.b[0]?\n", "0      \n"),
        ("?obj\n??obj\nobj??\n%who?\n", "0   \n0    \n0    \n0    \n"),
        (",f a b\n;f a\n/f a\n", "0     \n0   \n0   \n"),
        ("%%time\nx = f()\n", "      \nx = f()\n"),
        ("\n%%capture out\n!ls\nx = 1\n", "\n             \n0  \nx = 1\n"),
        ("%%bash\nls (\n", "      \n    \n"),
        ("%sql select *\nfrom users\n", "             \n          \n"),
        ("", ""),
        (" \n", " \n"),
    ],
)
def test_what_is_replaced(cell: str, expected: str) -> None:
    """By as many characters."""
    assert python_only(cell) == expected


@pytest.mark.parametrize(
    "cell",
    [
        "x = (a\n  % b\n  / c)\n",
        "x = '''\n%magic\n!ls\nobj?\n'''\n",
        'x = """\n\\"""\n%magic\n"""\n',
        "x = a \\\n  % b\n",
        "x = 'it''s' # (\ny = a % b\n",
        "x = f('%s?' % a)\n",
        "# what?\nx = a != b\n",
        "assert x == 1, '!'\n",
        "x = '('\ny = \"[\\\"\"\nz = r'\\''\n",
        "x: str = '% !'\nf(a='!')\n",
        "await x\nasync with y as z:\n    pass\n",
        "x = lambda a=1: a\n",
    ],
)
def test_python_stays_as_it_is(cell: str) -> None:
    """In brackets, in strings, behind a backslash and in comments there are no magics."""
    ast.parse(cell)
    assert python_only(cell) == cell


LINES = st.sampled_from(
    [
        "%time x = 1",
        "!ls \\",
        "  !ls",
        "x?",
        "%%time",
        "%%bash",
        "x = %a",
        "'''",
        '"',
        "(",
        ")",
        "#",
        "x = 1",
        "",
        "\\",
        "/f",
        "é?",
    ]
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_rows_and_lengths_never_change(lines: list[str], end: str) -> None:
    """Whatever a cell holds."""
    cell = end.join(lines)
    assert [len(line) for line in python_only(cell).split(end)] == [len(line) for line in lines or [""]]
