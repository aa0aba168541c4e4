"""The keys of a settings file: their types, their defaults, and a line about each for the file's author."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

Codes = tuple[str, ...]
Patterns = tuple[str, ...]
# The reports and the severities of a run's end; a test holds both in step with where they are defined.
Format = Literal[
    "full",
    "concise",
    "json",
    "json-lines",
    "github",
    "gitlab",
    "sarif",
    "junit",
    "rdjson",
    "pylint",
    "markdown",
    "html",
]
Weight = Literal["error", "warning", "style"]


def _about(text: str) -> Meta:
    return Meta(description=text)


class Table(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """The settings of session-lint."""

    extend: Annotated[str, _about("Another settings file, which this one goes over; relative to this file.")] = ""
    select: Annotated[Codes, _about("The rules that run, instead of those that run by default.")] = ()
    extend_select: Annotated[Codes, _about("Rules that run beside those that are selected.")] = ()
    ignore: Annotated[Codes, _about("Rules that do not run.")] = ()
    extend_ignore: Annotated[Codes, _about("Rules that do not run, beside those that are ignored.")] = ()
    per_file_ignores: Annotated[
        dict[str, Codes], _about("Patterns of files, and the rules that do not run in them.")
    ] = {}
    exclude: Annotated[
        Patterns, _about("What a walk through a folder leaves out, as in a .gitignore, instead of the usual folders.")
    ] = ()
    extend_exclude: Annotated[Patterns, _about("Patterns beside those of exclude.")] = ()
    force_exclude: Annotated[bool, _about("Whether the patterns hold for files that are named one by one, too.")] = (
        False
    )
    notebooks: Annotated[bool, _about("Whether a walk takes notebooks (.ipynb).")] = True
    markdown: Annotated[bool, _about("Whether a walk takes the Python blocks of Markdown files.")] = False
    whole_project: Annotated[
        bool, _about("Whether imports and callers are followed to the other files of the project.")
    ] = True
    cache: Annotated[bool, _about("Whether findings are kept between runs.")] = True
    jobs: Annotated[int, Meta(ge=0, description="How many processes; 0 for one a processor.")] = 0
    output_format: Annotated[Format, _about("How to report.")] = "full"
    error_on: Annotated[Weight, _about("The least severity of findings that end a run with exit code 1.")] = "style"
    baseline: Annotated[str, _about("The file of findings that are known; relative to this file.")] = ""
    unsafe_fixes: Annotated[bool, _about("Whether fixes that need the author's eye are carried out, too.")] = False
    require_reason: Annotated[bool, _about("Whether a comment that silences a rule has to say why.")] = False
    vocabulary: Annotated[dict[str, Any], _about("What names mean: the tables names and aliases.")] = {}


@cache
def keys() -> dict[str, tuple[str, Any]]:
    """Field and type of each key."""
    types = get_type_hints(Table, include_extras=True)
    return {
        key: (name, types[name])
        for key, name in zip(Table.__struct_encode_fields__, Table.__struct_fields__, strict=True)
    }
