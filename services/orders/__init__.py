"""orders: places orders by a saga over inventory and payments. Contract: proto/shop/orders/v1."""
