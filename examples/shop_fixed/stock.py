"""How many there are: ``python -m shop_fixed.stock tea``."""

import sys

from database.session import SessionLocal

from .models import Product


def units_in_stock(name):
    with SessionLocal() as session:
        product = session.query(Product).filter_by(name=name).one_or_none()
        if product is None:
            return 0
        units = product.stock
    return units


if __name__ == "__main__":
    print(units_in_stock(sys.argv[1]))
