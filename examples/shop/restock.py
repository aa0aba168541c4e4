"""Fills the shelves again: ``python -m shop.restock 100``."""

import sys

from database.session import close_global_session, get_session

from .models import Product


def restock(level):
    session = get_session()  # SES202
    for product in session.query(Product).filter(Product.stock < level):
        product.stock = level
    session.commit()
    close_global_session()


if __name__ == "__main__":
    restock(int(sys.argv[1]))
