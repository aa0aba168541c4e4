"""Takes a payment back and counts what is still to be paid: ``python -m shop_fixed.refunds 1``."""

import sys

from database.session import scoped_session

from .models import Order


def refund(order_id):
    with scoped_session() as session:
        session.get(Order, order_id).paid = False


def count_unpaid():
    with scoped_session() as session:
        return session.query(Order).filter_by(paid=False).count()


if __name__ == "__main__":
    refund(int(sys.argv[1]))
    print(count_unpaid())
