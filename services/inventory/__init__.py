"""inventory: what is on the shelves, and what of it is promised to an order. Contract: proto/shop/inventory/v1."""
