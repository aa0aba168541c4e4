"""Places an order: ``python -m shop_fixed.checkout 1 3``."""

import sys

from database.session import scoped_session

from .models import Order


def place_order(product_id, quantity):
    with scoped_session() as session:
        session.add(Order(product_id=product_id, quantity=quantity))


if __name__ == "__main__":
    place_order(int(sys.argv[1]), int(sys.argv[2]))
