"""Puts products on sale: ``python -m shop_fixed.add_products tea=450 cup=900``."""

import sys

from database.session import close_global_session, get_session

from .models import Product


def add_products(prices):
    session = get_session()
    try:
        for name, cents in prices.items():
            session.add(Product(name=name, price=cents))
        session.commit()
    finally:
        close_global_session()


def main():
    pairs = [argument.split("=") for argument in sys.argv[1:]]
    add_products({name: int(cents) for name, cents in pairs})


if __name__ == "__main__":
    main()
