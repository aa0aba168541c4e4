"""Texts that tests and benchmarks of the editor's server type into."""

from __future__ import annotations

MODELS = "class User: ...\n\n\nclass Order: ...\n"
HEAD = '''"""Orders."""

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from models import Order, User

engine = create_engine("sqlite://")
SessionLocal = sessionmaker(bind=engine)

'''
SHAPES = [
    '''
def load_{n}(ident):
    """Read one."""
    session = SessionLocal()
    try:
        user = session.get(User, ident)
        if user is None:
            raise LookupError(ident)
        return user.name
    finally:
        session.close()

''',
    '''
def leak_{n}(ident):
    """Read one and forget."""
    session = SessionLocal()
    order = session.get(Order, ident)
    if order.total > {n}:
        return None
    session.close()
    return order.total

''',
    '''
def place_{n}(ident, total):
    """Write one."""
    with SessionLocal.begin() as session:
        order = Order(user_id=ident, total=total)
        session.add(order)
        for item in range({n}):
            session.add(Order(user_id=item, total=total + item))
    return total

''',
    '''
def total_{n}(rows):
    """Add up."""
    total = 0
    for row in rows:
        if row["kind"] == "refund":
            total -= row["amount"]
        elif row["kind"] == "charge":
            total += row["amount"]
        else:
            print("skipped", row)
    return total

''',
    '''
class Repository{n}:
    """Orders of a user."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def all(self, ident):
        query = select(Order).where(Order.user_id == ident)
        return self.session.scalars(query).all()

    def add(self, ident, total):
        order = Order(user_id=ident, total=total)
        self.session.add(order)
        self.session.flush()
        return order

''',
    '''
def report_{n}(ident, session=None):
    """Sum of one user."""
    own = session is None
    if own:
        session = SessionLocal()
    try:
        orders = Repository{m}(session).all(ident)
        return total_{t}([{{"kind": "charge", "amount": order.total}} for order in orders])
    finally:
        if own:
            session.close()

''',
]


def large(lines: int) -> str:
    """A module of about so many lines, with a session in every second function."""
    parts, count = [HEAD], 0
    while sum(part.count("\n") for part in parts) < lines:
        parts.append(SHAPES[count % len(SHAPES)].format(n=count, m=count - 1, t=count - 2))
        count += 1
    return "".join(parts)
