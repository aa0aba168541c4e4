"""Help that fits a screen: options that belong together stand on one row, rows under headings, an example at the top.

An option made by :func:`option` says which heading it stands under; any other stands under "Options". Those that follow
each other with the same text share a row: ``--select, --ignore CODES``.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

REST = "Options"
WIDEST = 36  # columns of names; longer ones have the line to themselves


class HeadedOption(click.Option):
    """An option that knows its heading."""

    def __init__(self, *arguments: Any, heading: str = REST, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.heading = heading


def option(heading: str, *names: str, **settings: Any) -> Callable[[Any], Any]:
    """An option under a heading; the rest is :func:`click.option`'s."""
    return click.option(*names, cls=HeadedOption, heading=heading, **settings)


class Screen(click.Command):
    """A command whose help is one screen.

    :param examples: command lines that show how it is used.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.examples = tuple(examples)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the command does, and how it is called."""
        super().format_help_text(ctx, formatter)
        write_examples(self.examples, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options under their headings, in the order in which these are first met."""
        options = [found for found in self.get_params(ctx) if isinstance(found, click.Option) and not found.hidden]
        by_heading: dict[str, list[click.Option]] = {}
        for found in options:
            if set(found.opts) != set(ctx.help_option_names):  # whoever reads this has found it
                by_heading.setdefault(_heading(found), []).append(found)
        headed = {heading: list(_rows(found, ctx)) for heading, found in by_heading.items()}
        width = max((len(names) for rows in headed.values() for names, _ in rows), default=0)
        formatter.write("\n")
        for heading, rows in headed.items():
            formatter.write(f"{heading}:\n")
            with formatter.indentation():
                formatter.write_dl([(f"{names:<{min(width, WIDEST)}}", text) for names, text in rows], col_max=WIDEST)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Command lines under the heading "Example", as they are: no line of them is wrapped."""
    title = "Example" if len(examples) == 1 else "Examples"
    formatter.write(f"\n{title}:\n" + "".join(f"  {line}\n" for line in examples))


def _heading(found: click.Parameter) -> str:
    return found.heading if isinstance(found, HeadedOption) else REST


def _rows(options: Iterable[click.Option], ctx: click.Context) -> Iterable[tuple[str, str]]:
    for _, alike in groupby(options, key=lambda found: found.help):
        row = list(alike)
        record = row[0].get_help_record(ctx)
        yield _names(row), record[1] if record else ""


def _names(options: Sequence[click.Option]) -> str:
    """The names of the options of a row; what they take stands once where it is the same."""
    said = [", ".join(sorted([*found.opts, *found.secondary_opts], key=len)) for found in options]
    takes = [_takes(found) for found in options]
    shared = len(set(takes)) == 1
    rows = [name + ("" if shared else take) for name, take in zip(said, takes, strict=True)]
    return ", ".join(rows) + (takes[0] if shared else "")


def _takes(found: click.Option) -> str:
    if found.is_flag or found.count:
        return ""
    if isinstance(found.type, click.Choice) and not found.metavar:
        return f" {'|'.join(map(str, found.type.choices))}"
    return f" {found.metavar or found.type.name.upper()}"
