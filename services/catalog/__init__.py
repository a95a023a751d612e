"""catalog: the products the shop sells, and their prices. Contract: proto/shop/catalog/v1."""
