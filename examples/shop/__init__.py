"""A small shop with each documented session mistake in it, marked with its code; ``shop_fixed`` has none of them."""
