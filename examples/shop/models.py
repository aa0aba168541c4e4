"""What the shop stores."""

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String
from sqlalchemy.orm import declarative_base

Base = declarative_base()


class Product(Base):
    """Something to buy; prices are in cents."""

    __tablename__ = "product"

    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False, unique=True)
    price = Column(Integer, nullable=False)
    stock = Column(Integer, nullable=False, default=0)


class Order(Base):
    """Somebody's wish for a product."""

    __tablename__ = "customer_order"

    id = Column(Integer, primary_key=True)
    product_id = Column(ForeignKey("product.id"), nullable=False)
    quantity = Column(Integer, nullable=False)
    paid = Column(Boolean, nullable=False, default=False)
