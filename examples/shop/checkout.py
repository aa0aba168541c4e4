"""Places an order: ``python -m shop.checkout 1 3``."""

import sys

from database.session import SessionLocal

from .models import Order


def place_order(product_id, quantity):
    session = SessionLocal()  # SES104
    try:
        session.add(Order(product_id=product_id, quantity=quantity))
        session.commit()
    finally:
        session.close()


if __name__ == "__main__":
    place_order(int(sys.argv[1]), int(sys.argv[2]))
