"""Reads orders from standard input, a product and a quantity a line: ``python -m shop_fixed.import_orders``."""

import csv
import sys

from database.session import scoped_session

from .models import Order, Product


def import_orders(rows):
    with scoped_session() as session:
        for product_id, quantity in rows:
            session.add(Order(product_id=int(product_id), quantity=int(quantity)))


def take_from_stock(rows):
    with scoped_session() as session:
        for product_id, quantity in rows:
            product = session.get(Product, int(product_id))
            product.stock -= int(quantity)


def main():
    rows = list(csv.reader(sys.stdin))
    import_orders(rows)
    take_from_stock(rows)


if __name__ == "__main__":
    main()
