"""The shop window: ``flask --app shop_fixed.web run``."""

from flask import Flask, g

from database.flask import init_app

from .models import Product

app = Flask(__name__)
init_app(app)


@app.get("/products")
def products():
    return {product.name: product.price for product in g.db.query(Product).order_by(Product.name)}
