"""The shop window: ``flask --app shop.web run``."""

from flask import Flask

from database.session import get_session

from .models import Product

app = Flask(__name__)


@app.get("/products")
def products():
    session = get_session()  # SES501
    return {product.name: product.price for product in session.query(Product).order_by(Product.name)}
