"""Notes that an order is paid: ``python -m shop.payments 1``."""

import sys

from database.session import SessionLocal

from .models import Order


def mark_paid(order_id):
    session = SessionLocal()  # SES102
    order = session.get(Order, order_id)
    order.paid = True
    session.commit()
    session.close()


if __name__ == "__main__":
    mark_paid(int(sys.argv[1]))
