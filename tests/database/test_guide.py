"""The guide's own code, run: what each block saves, and that none leaves a connection out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, String
from sqlalchemy.orm import declarative_base

from database.session import SessionLocal, scoped_session

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.database.conftest import Store

GUIDE = Path(__file__).parents[2] / "docs" / "session-management.md"
SAVED = [["tea"], ["a", "b"], [], [], ["tea"], [], [], ["tea"], ["tea"], ["tea"]]

# What the guide's examples store, in the table of the test's database.
Order: Any = type(
    "Order",
    (declarative_base(),),
    {"__tablename__": "item", "id": Column(Integer, primary_key=True), "item": Column("name", String)},
)


def blocks() -> list[tuple[str, str]]:
    """The code blocks of the guide, each with the heading that it stands under."""
    heading, found = "", []
    parts = re.findall(r"^## ([^\n]*)\n|^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for title, code in parts:
        if title:
            heading = title
        else:
            found.append((heading, code))
    return found


def work(session: Session, job: str) -> None:
    """What the guide calls a job."""
    session.add(Order(item=job))


@pytest.mark.parametrize(
    ("heading", "code", "saved"), [(*block, saved) for block, saved in zip(blocks(), SAVED, strict=True)]
)
def test_block(heading: str, code: str, saved: list[str], store: Store) -> None:
    """It runs as it stands, given the names that it takes for granted."""
    given = {"Order": Order, "jobs": ["a", "b"], "run": work}
    module: dict[str, Any] = {
        "__name__": "guide",
        "SessionLocal": SessionLocal,
        "scoped_session": scoped_session,
        **given,
    }
    exec(compile(code, f"{GUIDE.name}: {heading}", "exec"), module)  # noqa: S102  # this project's own words
    assert (store.rows(), store.out()) == (saved, 0)
    app = module.get("app")
    if isinstance(app, Flask):
        assert (app.test_client().get("/orders").text, store.out()) == ("0", 0)
