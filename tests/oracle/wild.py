"""Bigger programs, drawn at random from a seed: what people write around a session, and what nobody would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from tests.oracle.program import Block, Statement, simple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORDS = {
    "{s}.execute(q)": 6,
    "{s}.commit()": 4,
    "{s}.rollback()": 1,
    "{s}.close()": 4,
    "work()": 5,
    "borrow({s})": 3,
    "shut({s})": 1.5,
    "save({s})": 1,
    "save_and_shut({s})": 1,
    "save_then_shut({s})": 0.5,
    "shut_if({s}, True)": 0.4,
    "shut_if({s}, c1)": 0.6,
    "calmly()": 0.5,
    "stop()": 0.5,
    "return": 1,
    "return {s}": 0.7,
    "return {s}, 1": 0.2,
    "raise ValueError": 0.7,
    "raise RuntimeError('x')": 0.4,
    "assert c2": 0.3,
    "sys.exit(1)": 0.4,
    "logging.info('x')": 0.7,
}
IN_LOOP = {"break": 2, "continue": 2}
IN_HANDLER = {"raise": 6, "raise RuntimeError('y') from None": 1, "{s}.rollback()": 4, "{s}.close()": 3}
LEAVING = ("return", "raise", "break", "continue", "stop()", "sys.exit")

TESTS = ("c1", "c2", "c3", "not c1", "not c2", "c1 and c2", "c1 or c3", "probe()")
OF_THE_SESSION = ("{s} is not None", "{s}")
HANDLERS = {
    "except Exception:": 5,
    "except ValueError:": 2,
    "except SQLAlchemyError:": 3,
    "except IntegrityError:": 1,
    "except (ValueError, SQLAlchemyError):": 1,
    "except KeyError:": 0.5,
    "except:": 1,
    "except BaseException:": 1,
    "except Exception as error:": 1,
}


@dataclass(frozen=True)
class Place:
    """Where a statement stands.

    :param names: the variables that hold a session for sure.
    :param managed: inside ``with session.begin()``, where committing or closing is another rule's business.
    :param spent: after the session was closed, where using it is another rule's business.
    """

    names: tuple[str, ...] = ("session",)
    loop: bool = False
    handler: bool = False
    managed: bool = False
    spent: bool = False


@dataclass
class Pen:
    """Draws statements.

    :param words_too: statements of one line beside :data:`WORDS`.
    """

    random: Random
    words_too: dict[str, float] = field(default_factory=dict)

    def among(self, weights: dict[str, float]) -> str:
        """One of the keys, the heavier the more often."""
        return self.random.choices(list(weights), list(weights.values()))[0]

    def words(self, place: Place) -> str:
        """A statement of one line."""
        choice = {**WORDS, **self.words_too, **(IN_LOOP if place.loop else {}), **(IN_HANDLER if place.handler else {})}
        if place.managed or place.spent:
            allowed = MANAGED if place.managed else SPENT
            choice = {word: weight for word, weight in choice.items() if word.split("(")[0] in allowed}
        return self.among(choice).format(s=self.random.choice(place.names))

    def block(self, lines: int, place: Place) -> Block:
        """About that many lines."""
        written: list[Statement] = []
        while lines > 0:
            if lines > 1 and self.random.random() < 0.45:
                inner = self.random.randint(1, lines - 1)
                written.append(self.compound(inner, place))
                lines -= inner + 1
            else:
                written.append(simple(self.words(place)))
                lines -= 1
            words = written[-1][0][0]
            place = replace(place, spent=place.spent or self.closes(words))
            if words.startswith(LEAVING):
                break
        return tuple(written) or (simple("pass"),)

    def closes(self, words: str) -> bool:
        """Whether what follows should leave the session alone; now and then it does not."""
        return CLOSING.match(words) is not None and self.random.random() < 0.95

    def split(self, lines: int, parts: int) -> list[int]:
        """So many lines over so many bodies, one in each at least."""
        shares = [1] * parts
        for _ in range(lines - parts):
            shares[self.random.randrange(parts)] += 1
        return shares

    def compound(self, lines: int, place: Place) -> Statement:
        """A statement with a block of its own."""
        kinds: dict[Callable[[int, Place], Statement], float] = {
            self.branch: 4, self.attempt: 7, self.loop: 2, self.context: 3, self.cases: 0.4,
        }  # fmt: skip
        return self.random.choices(list(kinds), list(kinds.values()))[0](lines, place)

    def branch(self, lines: int, place: Place) -> Statement:
        """``if``, ``elif``, ``else``."""
        header = f"if {self.test(place)}:"
        if self.random.random() < 0.5:
            return ((header, self.block(lines, place)),)
        first, second = self.split(lines, 2)
        other = self.random.choice(["else:", f"elif {self.test(place)}:"])
        return (header, self.block(first, place)), (other, self.block(second, place))

    def test(self, place: Place) -> str:
        """A condition."""
        tests = TESTS if len(place.names) > 1 else (*TESTS, *OF_THE_SESSION)
        return self.random.choice(tests).format(s=place.names[0])

    def attempt(self, lines: int, place: Place) -> Statement:
        """``try`` with handlers, ``else``, ``finally``."""
        draw = self.random.random()
        handlers = 0 if draw < 0.35 else 1 if draw < 0.8 else 2
        finals = 1 if not handlers or self.random.random() < 0.3 else 0
        elses = 1 if handlers and self.random.random() < 0.2 else 0
        shares = self.split(lines, 1 + handlers + finals + elses)
        clauses = [("try:", self.block(shares.pop(), place))]
        inner = replace(place, handler=True)
        clauses += [(header, self.block(shares.pop(), inner)) for header in self.headers(handlers)]
        if elses:
            clauses.append(("else:", self.block(shares.pop(), place)))
        if finals:
            clauses.append(("finally:", self.block(shares.pop(), place)))
        return tuple(clauses)

    def headers(self, handlers: int) -> list[str]:
        """Different handlers; the one that catches all stands last."""
        drawn = {self.among(HANDLERS) for _ in range(handlers)}
        return sorted(drawn, key=lambda header: (header == "except:", header.startswith("except Base"), header))

    def loop(self, lines: int, place: Place) -> Statement:
        """``for`` and ``while``, with ``else`` at times."""
        header = self.random.choice(["for item in items:", "for item in items:", "while probe():"])
        inner = replace(place, loop=True)
        if lines > 1 and self.random.random() < 0.15:
            return (header, self.block(lines - 1, inner)), ("else:", self.block(1, place))
        if self.random.random() < 0.2:
            return (("while True:", (simple("work()"), *self.block(lines, inner), simple("break"))),)
        return ((header, self.block(lines, inner)),)

    def context(self, lines: int, place: Place) -> Statement:
        """``with``."""
        name = self.random.choice(place.names)
        headers = [f"with {name}:", f"with closing({name}):", "with suppress(ValueError):", "with suppress(Exception):"]
        draw = self.random.random()
        if draw < 0.15 and not place.managed:
            return ((f"with {name}.begin():", self.block(lines, replace(place, managed=True))),)
        if draw < 0.3:
            handed = simple(f"stack.callback({name}.close)")
            return (("with ExitStack() as stack:", (handed, *self.block(lines, place))),)
        return ((self.random.choice(headers[2:] if place.managed else headers), self.block(lines, place)),)

    def cases(self, lines: int, place: Place) -> Statement:
        """``match``."""
        first, *second = self.split(max(lines, 2), 2)
        some = (("case True:", self.block(first, place)),)
        other = (("case _:", self.block(second[0], place)),)
        return (("match probe():", (some, other)),)


SPENT = {"{s}.close", "work", "calmly", "stop", "return", "raise ValueError", "raise", "raise RuntimeError",
         "logging.info", "break", "continue", "sys.exit", "assert c2"}  # fmt: skip
MANAGED = SPENT - {"{s}.close"} | {"{s}.execute", "borrow", "return {s}"}
CLOSING = re.compile(r"\w+\.close|\w*shut\(|finish|end_|save_and|save_then|with (session|other):|with closing")


def program(seed: int, number: int) -> Block:
    """The program of that number."""
    random = Random(f"{seed}/{number}")
    pen = Pen(random)
    lines = random.randint(3, 10)
    shapes = SHAPES
    shape = random.choices(list(shapes), list(shapes.values()))[0]
    return tuple(shape(pen, lines))


def plain(pen: Pen, lines: int) -> Iterator[Statement]:
    """Open, then anything."""
    yield simple(pen.among({"session = Session()": 6, "session = open_it()": 1, "session = open_used()": 1}))
    yield from pen.block(lines, Place())


def closed_at_the_end(pen: Pen, lines: int) -> Iterator[Statement]:
    """Open, anything, close."""
    yield from plain(pen, lines)
    yield simple("session.close()")


def protected(pen: Pen, lines: int) -> Iterator[Statement]:
    """``try … finally`` right after opening, or a little later."""
    yield simple("session = Session()")
    yield from pen.block(pen.random.choice([0, 0, 1]), Place()) if pen.random.random() < 0.3 else ()
    closing = pen.among({"session.close()": 6, "shut(session)": 1, "save_and_shut(session)": 1})
    body, after = pen.split(lines, 2)
    yield (("try:", pen.block(body, Place())), ("finally:", (simple(closing),)))
    yield from pen.block(after, Place()) if pen.random.random() < 0.3 else ()


def maybe_opened(pen: Pen, lines: int) -> Iterator[Statement]:
    """``session = None`` first, opened inside the ``try``, closed if it is there."""
    test = pen.random.choice(["session is not None", "session"])
    guarded = (((f"if {test}:", (simple("session.close()"),)),),)
    opened = simple("session = Session()")
    body = (simple("work()"), opened, *pen.block(lines, Place()))
    yield simple("session = None")
    if pen.random.random() < 0.6:
        yield (("try:", body), ("finally:", guarded))
        return
    leave = (simple("raise"),) if pen.random.random() < 0.7 else ()
    yield (("try:", body), (pen.among(HANDLERS), (*guarded, *leave)))
    yield from guarded if pen.random.random() < 0.7 else ()


def own_flag(pen: Pen, lines: int) -> Iterator[Statement]:
    """Opened only where none was given, and closed then."""
    yield simple("own = given is None")
    yield ((("if own:"), (simple("session = Session()"),)), ("else:", (simple("session = given"),)))
    closes = ((("if own:", (simple("session.close()"),)),),)
    if pen.random.random() < 0.6:
        yield (("try:", pen.block(lines, Place())), ("finally:", closes))
    else:
        yield from pen.block(lines, Place())
        yield from closes


def given_or_new(pen: Pen, lines: int) -> Iterator[Statement]:
    """``given or Session()``."""
    yield simple(pen.random.choice(["session = given or Session()", "session = Session() if given is None else given"]))
    test = pen.random.choice(["given is None", "not given"])
    closes = (((f"if {test}:", (simple("session.close()"),)),),)
    if pen.random.random() < 0.6:
        yield (("try:", pen.block(lines, Place())), ("finally:", closes))
    else:
        yield from pen.block(lines, Place())
        yield from closes


def only_if(pen: Pen, lines: int) -> Iterator[Statement]:
    """Opened under a condition, and closed under the same or another."""
    yield simple("session = Session() if c1 else None")
    test = pen.random.choice(["c1", "c1", "session is not None", "session", "c2"])
    first, second = pen.split(lines, 2)
    yield (("if c1:", pen.block(first, Place())),)
    yield (("if session is not None:", pen.block(second, Place())),)
    yield ((f"if {test} and session:", (simple("session.close()"),)),)


def done_flag(pen: Pen, lines: int) -> Iterator[Statement]:
    """A flag that says whether it went well."""
    yield simple("session = Session()")
    yield simple("done = False")
    body = (*pen.block(lines, Place()), simple("session.commit()"), simple("session.close()"), simple("done = True"))
    last = pen.among({"session.close()": 3, "session.rollback()": 1, "shut(session)": 1})
    yield (("try:", body), ("finally:", ((("if not done:", (simple(last),)),),)))


def in_a_loop(pen: Pen, lines: int) -> Iterator[Statement]:
    """One session a turn."""
    body = (simple("session = Session()"), *pen.block(lines, Place(loop=True)))
    if pen.random.random() < 0.7:
        body = (*body, simple("session.close()"))
    yield ((pen.random.choice(["for item in items:", "while probe():"]), body),)


def managed(pen: Pen, lines: int) -> Iterator[Statement]:
    """``with`` closes it, whatever happens."""
    headers = (
        "with Session() as session:",
        "with Session() as session, session.begin():",
        "with closing(Session()) as session:",
        "with open_it() as session:",
    )
    header = pen.random.choice(headers)
    yield ((header, pen.block(lines, Place(managed="begin" in header))),)


def stacked(pen: Pen, lines: int) -> Iterator[Statement]:
    """An ``ExitStack`` closes it."""
    ways = (
        (simple("session = stack.enter_context(Session())"),),
        (simple("session = Session()"), simple("stack.callback(session.close)")),
        (simple("session = Session()"), simple("stack.enter_context(session)")),
        (simple("session = Session()"), simple("work()"), simple("stack.push(session)")),
    )
    yield (("with ExitStack() as stack:", (*pen.random.choice(ways), *pen.block(lines, Place()))),)


def two(pen: Pen, lines: int) -> Iterator[Statement]:
    """Two sessions."""
    names = Place(names=("session", "other"))
    first, second = pen.split(lines, 2)
    yield simple("session = Session()")
    inner = (simple("other = Session()"), *pen.block(second, names), simple("other.close()"))
    if pen.random.random() < 0.5:
        yield (("try:", (*pen.block(first, Place()), *inner)), ("finally:", (simple("session.close()"),)))
        return
    yield from pen.block(first, Place())
    yield from inner
    yield simple("session.close()")


def two_names(pen: Pen, lines: int) -> Iterator[Statement]:
    """One session under two names, and perhaps a new one under the first."""
    names = Place(names=("session", "other"))
    first, second = pen.split(lines, 2)
    yield simple("session = Session()")
    yield from pen.block(first, Place())
    yield simple("other = session")
    if pen.random.random() < 0.4:
        yield simple("session = Session()")
    yield from pen.block(second, names)
    yield simple("other.close()")


def retried(pen: Pen, lines: int) -> Iterator[Statement]:
    """Tried again until it works."""
    inside = pen.random.random() < 0.5
    opened = simple("session = Session()")
    after = pen.among({"session.rollback()": 2, "session.close()": 2, "continue": 1, "raise": 1})
    body = (*pen.block(lines, Place(loop=True)), simple("break"))
    attempt: Statement = (("try:", body), ("except SQLAlchemyError:", (simple(after),)))
    if pen.random.random() < 0.3:
        attempt = (*attempt, ("finally:", (simple("session.close()"),)))
    if not inside:
        yield opened
    yield (("while True:", (*((opened,) if inside else ()), simple("work()"), attempt)),)
    yield simple("session.close()")


SHAPES: dict[Callable[[Pen, int], Iterator[Statement]], float] = {
    plain: 4, closed_at_the_end: 6, protected: 5, maybe_opened: 3, own_flag: 3, given_or_new: 3, only_if: 2,
    done_flag: 2, in_a_loop: 3, managed: 2, stacked: 2, two: 2, two_names: 2, retried: 2,
}  # fmt: skip
