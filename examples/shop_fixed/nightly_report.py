"""Prints what every product brought in; started every night: ``python -m shop_fixed.nightly_report``."""

from sqlalchemy import func

from database.session import close_global_session, get_session

from .models import Order, Product


def revenues(session):
    revenue = func.sum(Order.quantity * Product.price)
    return session.query(Product.name, revenue).join(Order).group_by(Product.name).order_by(Product.name).all()


def main():
    session = get_session()
    try:
        for name, cents in revenues(session):
            print(f"{name}: {cents / 100:.2f}")
    finally:
        close_global_session()


if __name__ == "__main__":
    main()
