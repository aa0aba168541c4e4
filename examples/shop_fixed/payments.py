"""Notes that an order is paid: ``python -m shop_fixed.payments 1``."""

import sys

from database.session import scoped_session

from .models import Order


def mark_paid(order_id):
    with scoped_session() as session:
        order = session.get(Order, order_id)
        order.paid = True


if __name__ == "__main__":
    mark_paid(int(sys.argv[1]))
